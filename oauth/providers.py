"""Where one signs in: an entry of data for each kind of account, made of the settings.

    entry = providers.get("openai")        # raises UnknownSignIn
    for entry in providers.sign_ins().values(): ...   # those that are offered

What an entry says is carried out by tokens.py (exchange, renew), identity.py (who it is) and the flows.
"""

from dataclasses import dataclass, field
from typing import Literal

from django.conf import settings

Flow = Literal["browser", "device", "paste", "files", "token", "import"]
Path = tuple[str | int, ...]

OPENAI_AUTH = "https://api.openai.com/auth"
OPENAI_PROFILE = "https://api.openai.com/profile"


class UnknownSignIn(LookupError):
    """There is no entry of that name, or it has no client id."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where in an answer (`answer`) or in a token's claims (`claims`) something stands; the first hit counts."""

    answer: tuple[Path, ...] = ()
    claims: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class SignIn:
    """One kind of account. Empty texts are absent; addresses are absolute.

    `form`: how bodies are written to the token address. `device` is `openai` (its own shape, with JSON) or `rfc8628`.
    `named_by` says what an account is told apart by: its workspace together with the person, or the person alone.
    `lead` is how many seconds before a token's end it is renewed at the earliest.
    """

    name: str
    provider_id: str
    label: str
    client_id: str
    authorize_url: str
    token_url: str
    redirect_uri: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    audience: str = ""
    authorize_extra: tuple[tuple[str, str], ...] = ()
    exchange_extra: tuple[str, ...] = ()  # fields of the flow that its exchange repeats: "state"
    refresh_extra: tuple[tuple[str, str], ...] = ()
    form: Literal["form", "json"] = "form"
    flows: tuple[Flow, ...] = ("browser", "paste", "token", "import")
    device: Literal["", "openai", "rfc8628"] = ""
    device_start_url: str = ""
    device_poll_url: str = ""
    device_page_url: str = ""
    device_redirect_uri: str = ""
    email: Paths = Paths(claims=(("email",),))
    subject: Paths = Paths(claims=(("sub",),))
    workspace: Paths = Paths()
    plan: Paths = Paths()
    named_by: Literal["workspace", "person"] = "person"
    lead: float = 1800.0
    needs_new_refresh_token: bool = False  # an answer without one is no answer


def sign_ins() -> dict[str, SignIn]:
    """Return the kinds of accounts that can be signed in to, by name: those with a client id."""
    return {entry.name: entry for make in _ENTRIES if (entry := make()).client_id}


def get(name: str) -> SignIn:
    """Return an entry; raise `UnknownSignIn`."""
    found = sign_ins().get(name)
    if found is None:
        raise UnknownSignIn(f"There is no sign-in named {name!r}, or no client id is set for it.")
    return found


def of_provider(provider_id: str) -> SignIn | None:
    """Return the entry whose accounts belong to a provider, if there is one."""
    return next((entry for entry in sign_ins().values() if entry.provider_id == provider_id), None)


def _openai() -> SignIn:
    issuer = settings.OPENAI_OAUTH_ISSUER
    return SignIn(
        name="openai",
        provider_id="openai",
        label="ChatGPT (OpenAI)",
        client_id=settings.OPENAI_OAUTH_CLIENT_ID,
        client_secret=settings.OPENAI_OAUTH_CLIENT_SECRET,
        authorize_url=settings.OAUTH_AUTHORIZATION_URL or f"{issuer}/oauth/authorize",
        token_url=settings.OAUTH_TOKEN_URL or f"{issuer}/oauth/token",
        redirect_uri=settings.OAUTH_REDIRECT_URI
        or f"http://localhost:{settings.OPENAI_OAUTH_CALLBACK_PORT}/auth/callback",
        scope=settings.OPENAI_OAUTH_SCOPES,
        audience=settings.OAUTH_AUDIENCE,
        authorize_extra=(
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("originator", settings.OPENAI_OAUTH_ORIGINATOR),
        ),
        flows=("browser", "device", "paste", "token", "import"),
        device="openai",
        device_start_url=settings.OAUTH_DEVICE_AUTHORIZATION_URL or f"{issuer}/api/accounts/deviceauth/usercode",
        device_poll_url=settings.OAUTH_DEVICE_TOKEN_URL or f"{issuer}/api/accounts/deviceauth/token",
        device_page_url=settings.OAUTH_DEVICE_VERIFICATION_URL or f"{issuer}/codex/device",
        device_redirect_uri=settings.OAUTH_DEVICE_REDIRECT_URI or f"{issuer}/deviceauth/callback",
        email=Paths(claims=(("email",), (OPENAI_PROFILE, "email"))),
        workspace=Paths(
            answer=(("chatgpt_account_id",),),
            claims=(("chatgpt_account_id",), (OPENAI_AUTH, "chatgpt_account_id"), ("organizations", 0, "id")),
        ),
        plan=Paths(
            answer=(("chatgpt_plan_type",),), claims=(("chatgpt_plan_type",), (OPENAI_AUTH, "chatgpt_plan_type"))
        ),
        named_by="workspace",
        lead=settings.OAUTH_REFRESH_PROACTIVE_WINDOW,
    )


def _factory() -> SignIn:
    base = f"{settings.FACTORY_OAUTH_ISSUER}/user_management"
    return SignIn(
        name="factory",
        provider_id="factory",
        label="Factory",
        client_id=settings.FACTORY_OAUTH_CLIENT_ID,
        authorize_url=f"{base}/authorize",
        token_url=f"{base}/authenticate",
        authorize_extra=(("provider", "authkit"),),
        flows=("browser", "device", "files", "paste", "token", "import"),
        device="rfc8628",
        device_start_url=f"{base}/authorize/device",
        device_poll_url=f"{base}/authenticate",
        email=Paths(answer=(("user", "email"),), claims=(("email",),)),
        subject=Paths(answer=(("user", "id"),), claims=(("sub",),)),
        needs_new_refresh_token=True,
        lead=settings.OAUTH_REFRESH_PROACTIVE_WINDOW,
    )


def _anthropic() -> SignIn:
    return SignIn(
        name="anthropic",
        provider_id="anthropic",
        label="Claude (Anthropic)",
        client_id=settings.ANTHROPIC_OAUTH_CLIENT_ID,
        authorize_url=settings.ANTHROPIC_OAUTH_AUTHORIZATION_URL,
        token_url=settings.ANTHROPIC_OAUTH_TOKEN_URL,
        redirect_uri=settings.ANTHROPIC_OAUTH_REDIRECT_URI,
        scope=settings.ANTHROPIC_OAUTH_SCOPES,
        authorize_extra=(("code", "true"),),
        exchange_extra=("state",),
        refresh_extra=(("scope", settings.ANTHROPIC_OAUTH_SCOPES),),
        form="json",
        email=Paths(answer=(("account", "email_address"),), claims=(("email",),)),
        subject=Paths(answer=(("account", "uuid"),), claims=(("sub",),)),
        lead=settings.OAUTH_REFRESH_PROACTIVE_WINDOW,
    )


def _gemini() -> SignIn:
    return SignIn(
        name="gemini",
        provider_id="gemini",
        label="Gemini (Google)",
        client_id=settings.GEMINI_OAUTH_CLIENT_ID,
        client_secret=settings.GEMINI_OAUTH_CLIENT_SECRET,
        authorize_url=settings.GEMINI_OAUTH_AUTHORIZATION_URL,
        token_url=settings.GEMINI_OAUTH_TOKEN_URL,
        redirect_uri=settings.GEMINI_OAUTH_REDIRECT_URI,
        scope=settings.GEMINI_OAUTH_SCOPES,
        authorize_extra=(("access_type", "offline"), ("prompt", "consent")),
        lead=settings.OAUTH_REFRESH_PROACTIVE_WINDOW,
    )


_ENTRIES = (_openai, _factory, _anthropic, _gemini)
