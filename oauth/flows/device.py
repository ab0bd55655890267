"""Signing in with a code that somebody types at the provider, on whatever device.

Two shapes: OpenAI's own, whose last question brings a code that is exchanged, and RFC 8628, which brings the tokens.
The provider is asked no faster than it wishes and by one at a time, however many ask us.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import Credential
from oauth import pending, providers, tokens
from oauth.flows import finishing
from oauth.flows.running import run
from oauth.pending import Held, PendingLogin
from oauth.providers import SignIn
from oauth.tokens import Refused, Tokens, Unreachable
from proxx.kit import clock, fastjson
from proxx.upstream.failures import wait

INTERVAL, LONGEST_INTERVAL = 5, 300  # seconds
SLOWER = 5  # seconds more, each time the provider says so (RFC 8628)
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PENDING = frozenset(
    {"authorization_pending", "deviceauth_authorization_pending", "deviceauth_authorization_unknown", "slow_down"}
)
ENDED = {
    "expired_token": "The code was not typed in time. Begin again.",
    "access_denied": "Whoever typed the code did not agree.",
}
UNREADABLE = "The provider's answer is not what it should be."


@dataclass(frozen=True, slots=True)
class Started:
    """What a provider gave: the code to show and the one to keep, where to type it, and how long all that holds."""

    held: Held
    interval: int
    seconds: float | None


def begin(sign_in: SignIn, *, replaces: Credential | None = None, email: str = "") -> UUID:
    """Ask for a code and store the sign-in of whoever acts now; raise `Refused` or `Unreachable`; blocking."""
    started = run(_start(sign_in))
    return pending.add(
        started.held,
        sign_in=sign_in.name,
        method="device",
        seconds=started.seconds,
        interval=started.interval,
        replaces=replaces,
        email=email,
    )


def poll(row: PendingLogin) -> PendingLogin:
    """Ask the provider, if it is time to, and return what came of it; blocking."""
    if row.is_over or row.status == PendingLogin.Status.WORKING:
        return row
    held, sign_in = pending.opened(row), providers.get(row.sign_in)
    if not pending.claim_question(row):
        return pending.fresh(row)
    try:
        answer = run(_ask(sign_in, held))
    except Unreachable:
        pending.answered(row)  # the next question may reach it
        return pending.fresh(row)
    except Refused as refused:
        pending.fail(row, ENDED.get(refused.code, refused.message))
        return pending.fresh(row)
    if isinstance(answer, str):
        pending.answered(row, slower=SLOWER if answer == "slow_down" else 0)
        return pending.fresh(row)
    return _finish(row, sign_in, answer)


def _finish(row: PendingLogin, sign_in: SignIn, answer: Tokens | Mapping[str, Any]) -> PendingLogin:
    if not pending.claim(row):
        return pending.awaited(row)
    if isinstance(answer, Tokens):
        return finishing.finish(row, sign_in, answer)
    try:
        found = run(
            tokens.exchange(
                sign_in,
                code=str(answer["authorization_code"]),
                verifier=str(answer["code_verifier"]),
                redirect_uri=sign_in.device_redirect_uri,
            )
        )
    except (Refused, Unreachable) as fault:
        pending.fail(row, fault.message)
        return pending.fresh(row)
    return finishing.finish(row, sign_in, found)


async def _start(sign_in: SignIn) -> Started:
    if sign_in.device == "openai":
        body = fastjson.dumps({"client_id": sign_in.client_id})
        status, said = await tokens.sent(sign_in.device_start_url, body, as_json=True)
    else:
        scope = {"scope": sign_in.scope} if sign_in.scope else {}
        status, said = await tokens.post(sign_in, sign_in.device_start_url, scope)
    if status != 200:
        raise tokens.refusal(status, said, secrets=[])
    device = _text(said, "device_auth_id") if sign_in.device == "openai" else _text(said, "device_code")
    shown = _text(said, "user_code", "usercode")
    away = _text(said, "verification_uri_complete", "verification_uri", "verification_url") or sign_in.device_page_url
    if not device or not shown or not away.startswith(("https://", "http://")):
        raise Refused("unreadable", UNREADABLE, terminal=False)
    return Started(Held(device_code=device, user_code=shown, away=away), _interval(said), _seconds(said))


async def _ask(sign_in: SignIn, held: Held) -> Tokens | Mapping[str, Any] | str:
    """Return the tokens, or what is exchanged for them, or the word for "not yet"; raise `Refused`, `Unreachable`."""
    if sign_in.device == "openai":
        body = fastjson.dumps({"device_auth_id": held.device_code, "user_code": held.user_code})
        status, said = await tokens.sent(sign_in.device_poll_url, body, as_json=True)
        if status in (403, 404) and _code(said) not in ENDED:
            return _code(said) or "authorization_pending"
        if status == 200 and _text(said, "authorization_code") and _text(said, "code_verifier"):
            return said
    else:
        fields = {"grant_type": GRANT, "device_code": held.device_code}
        status, said = await tokens.post(sign_in, sign_in.device_poll_url, fields)
        if status == 200 and _text(said, "access_token"):
            return tokens.issued(said)
    if status == 200:
        raise Refused("unreadable", UNREADABLE, terminal=False)
    if _code(said) in PENDING:
        return _code(said)
    if status == 429 or status >= 500:
        raise Unreachable(f"The provider answered {status}.", sent=True)
    refused = tokens.refusal(status, said, secrets=[held.device_code])
    raise Refused(_code(said) or refused.code, refused.message, terminal=refused.terminal, status=status)


def _code(said: Mapping[str, Any]) -> str:
    error = said.get("error")
    return str(error.get("code") or "") if isinstance(error, dict) else str(error or "")


def _text(said: Mapping[str, Any], *names: str) -> str:
    return next((value.strip() for name in names if isinstance(value := said.get(name), str) and value.strip()), "")


def _interval(said: Mapping[str, Any]) -> int:
    try:
        asked = float(said.get("interval") or INTERVAL)
    except (TypeError, ValueError):
        return INTERVAL
    return int(min(max(asked, 1), LONGEST_INTERVAL)) if asked == asked else INTERVAL


def _seconds(said: Mapping[str, Any]) -> float | None:
    """Return how long a code holds: until a moment, or for so many seconds."""
    ends = said.get("expires_at")
    left = wait.parse(str(ends)) if ends and not isinstance(ends, bool) else None
    if left is not None and left > 0:
        return left
    lasts = said.get("expires_in")
    known = isinstance(lasts, int | float) and not isinstance(lasts, bool) and 0 < lasts < clock.unix()
    return float(lasts) if known and isinstance(lasts, int | float) else None
