"""Signing in with a browser: away with a state and a challenge, back with a code, by itself or by paste.

PKCE with S256 always; the state is good once. A callback that comes again is answered with what came of the first one,
and of several at the same moment one exchanges the code while the others wait for it.
"""

from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings

from accounts.models import Credential
from oauth import pending, providers, tokens
from oauth.flows import finishing, paste, pkce
from oauth.flows.running import run
from oauth.pending import Held, PendingLogin
from oauth.providers import SignIn
from proxx.upstream.failures.prose import clean

LOOPBACK = ("localhost", "127.0.0.1", "::1")
CALLBACK = "/auth/callback"
OWN_CALLBACKS = "/auth/{name}/callback"


class WrongState(ValueError):
    """What came back belongs to another sign-in."""

    def __init__(self) -> None:
        super().__init__("This address belongs to another sign-in: its state does not match. Begin again.")


def begin(sign_in: SignIn, *, origin: str, replaces: Credential | None = None, email: str = "") -> UUID:
    """Store a sign-in of whoever acts now and return its id; `origin` is where the console was opened."""
    state, verifier = pkce.new_state(), pkce.new_verifier()
    redirect_uri = redirect_uri_of(sign_in, origin)
    asked = {
        "response_type": "code",
        "client_id": sign_in.client_id,
        "redirect_uri": redirect_uri,
        "scope": sign_in.scope,
        "state": state,
        "code_challenge": pkce.challenge(verifier),
        "code_challenge_method": "S256",
        "audience": sign_in.audience,
        "login_hint": email,
        **dict(sign_in.authorize_extra),
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    joint = "&" if "?" in sign_in.authorize_url else "?"
    held = Held(verifier=verifier, away=f"{sign_in.authorize_url}{joint}{query}")
    return pending.add(
        held,
        sign_in=sign_in.name,
        method="browser",
        state=state,
        redirect_uri=redirect_uri,
        origin=origin,
        replaces=replaces,
        email=email,
    )


def redirect_uri_of(sign_in: SignIn, origin: str) -> str:
    """Return where the provider sends the browser back to: the entry's own address, or this proxx's where it has none,
    or where the operator allows it and proxx is not on the operator's machine."""
    if not sign_in.redirect_uri:
        return origin + OWN_CALLBACKS.format(name=sign_in.name)
    if settings.OPENAI_OAUTH_ALLOW_HOST_ROUTED_CALLBACKS and not is_loopback(origin):
        return origin + CALLBACK
    return sign_in.redirect_uri


def is_loopback(origin: str) -> bool:
    """Tell whether an origin is the machine of whoever looks at it."""
    return (urlsplit(origin).hostname or "") in LOOPBACK


def complete(row: PendingLogin, back: paste.Pasted) -> PendingLogin:
    """Finish a sign-in with what came back, or return what came of it already; raise `WrongState`; blocking."""
    if back.state and not pending.is_state(row, back.state):
        raise WrongState
    if row.is_over:
        return row
    if back.error:
        told = f"{back.error}: {back.about}" if back.about else back.error
        pending.fail(row, f"The provider did not sign anybody in ({clean(told)}).")
        return pending.fresh(row)
    held = pending.opened(row)
    if not pending.claim(row):
        return pending.awaited(row)
    sign_in = providers.get(row.sign_in)
    try:
        state = {"state": back.state} if back.state else {}
        question = tokens.exchange(
            sign_in, code=back.code, verifier=held.verifier, redirect_uri=row.redirect_uri, extra=state
        )
        found = run(question)
    except tokens.Refused as refused:
        pending.fail(row, refused.message)
    except tokens.Unreachable as away:
        pending.put_back(row, f"{away.message} Try it once more.")
    else:
        return finishing.finish(row, sign_in, found)
    return pending.fresh(row)
