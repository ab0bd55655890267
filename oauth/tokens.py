"""A sign-in's two questions to its token address, as plain calls: exchange a code, renew tokens.

    tokens = await exchange(providers.get("openai"), code=..., verifier=..., redirect_uri=...)
    tokens = await renew(sign_in, refresh_token)

Nothing is stored here, nothing is tried twice, and no token stands in any error. Whether a refresh token may be sent
at all is refresh.py's to know; `about_to_send` lets it write that down in the last moment.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from oauth.providers import SignIn
from proxx.kit import clock, fastjson
from proxx.kit.sealing import Secret
from proxx.upstream import client, failures
from proxx.upstream.failures.prose import clean, without
from proxx.upstream.message import Timeouts, UpstreamRequest

ANSWER_LIMIT = 256 * 1024
TRANSPORT_FAULTS = tuple(fault for fault, _ in failures.EXCEPTIONS)
LONGEST_LIFE = 10 * 366 * 86400.0  # seconds: an answer that promises more has made a mistake
# What stands between us and the issuer answers so when it lost the issuer's own answer: it may have been "yes".
LOST_ANSWERS = (502, 504, 520, 524)
SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "device_code")
TERMINAL_CODES = ("refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated", "invalid_grant")
TERMINAL_WORDS = (
    *("invalid_grant", "refresh token expired", "refresh token is expired", "refresh_token_expired"),
    *("refresh token has already been used", "signing in again"),
)

AboutToSend = Callable[[], Awaitable[None]]


class Refused(Exception):
    """The issuer said no. `terminal`: it will say so again, whatever we do. `code` is its word, or the status.

    `lost`: something on the way answered in the issuer's place, which may have said yes.
    """

    def __init__(self, code: str, message: str, *, terminal: bool, status: int = 0, lost: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.terminal, self.status, self.lost = code, message, terminal, status, lost


class Unreachable(Exception):
    """No answer that means anything. `sent`: the issuer may have got the question all the same."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message, self.sent = message, sent


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an issuer gave. `expires_at` is in seconds since 1970, nothing if nobody says; `said` are the other fields
    of its answer, without tokens."""

    access: Secret
    refresh: Secret = field(default_factory=lambda: Secret(""))
    id_token: Secret = field(default_factory=lambda: Secret(""))
    expires_at: float | None = None
    said: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def claims(self) -> list[Mapping[str, Any]]:
        """Return what the tokens say of themselves, the id token first; nobody has checked their signatures."""
        return [found for token in (self.id_token, self.access) if (found := claims_of(token))]


async def exchange(
    sign_in: SignIn, *, code: str, verifier: str = "", redirect_uri: str, extra: Mapping[str, str] | None = None
) -> Tokens:
    """Return the tokens that a code stands for; raise `Refused` or `Unreachable`.

    `extra` are fields of the flow, of which the entry's `exchange_extra` are sent.
    """
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier:
        fields["code_verifier"] = verifier
    fields |= {name: value for name, value in (extra or {}).items() if name in sign_in.exchange_extra}
    return await asked(sign_in, fields)


async def renew(sign_in: SignIn, refresh_token: Secret, *, about_to_send: AboutToSend | None = None) -> Tokens:
    """Return new tokens for a refresh token, which counts as used from here on unless `Unreachable.sent` is false.

    Raises `Refused` or `Unreachable`; whatever `about_to_send` raises comes through, and nothing was sent then.
    """
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal(), **dict(sign_in.refresh_extra)}
    tokens = await asked(sign_in, fields, about_to_send=about_to_send)
    if sign_in.needs_new_refresh_token and not tokens.refresh:
        raise Refused("no_refresh_token", "The issuer gave no new refresh token.", terminal=True)
    return tokens


async def asked(
    sign_in: SignIn, fields: Mapping[str, str], *, url: str = "", about_to_send: AboutToSend | None = None
) -> Tokens:
    """Ask the token address with these fields and the client's own; raise `Refused` or `Unreachable`."""
    status, said = await post(sign_in, url or sign_in.token_url, fields, about_to_send=about_to_send)
    if status != 200:
        raise refusal(status, said, secrets=[fields[name] for name in SECRET_FIELDS if name in fields])
    try:
        return issued(said)
    except ValueError:
        raise Refused("unreadable", "The issuer's answer holds no access token.", terminal=False, lost=True) from None


async def post(
    sign_in: SignIn, url: str, fields: Mapping[str, str], *, about_to_send: AboutToSend | None = None
) -> tuple[int, Mapping[str, Any]]:
    """Post fields with the client's id (and secret, if it has one); return status and answer; raise `Unreachable`.

    An answer that is no JSON object is an empty one.
    """
    told = {**fields, "client_id": sign_in.client_id}
    if sign_in.client_secret:
        told["client_secret"] = sign_in.client_secret
    as_json = sign_in.form == "json"
    body = fastjson.dumps(told) if as_json else urlencode(told).encode()
    return await sent(url, body, as_json=as_json, about_to_send=about_to_send)


async def sent(
    url: str, body: bytes, *, as_json: bool, about_to_send: AboutToSend | None = None
) -> tuple[int, Mapping[str, Any]]:
    """Post a body; return status and answer; raise `Unreachable`."""
    kind = b"application/json" if as_json else b"application/x-www-form-urlencoded"
    headers = [
        *((b"content-type", kind), (b"accept", b"application/json"), (b"accept-encoding", b"identity")),
        (b"user-agent", b"proxx"),
    ]
    seconds = settings.PROXY_OAUTH_TIMEOUT
    leaving = _Leaving(about_to_send)
    try:
        request = UpstreamRequest(
            "POST", client.url(url), headers, body, Timeouts(connect=seconds, headers=seconds, idle=seconds), leaving
        )
        response = await client.send(request)
        try:
            answer = await response.read(ANSWER_LIMIT)
        finally:
            await response.aclose()
    except ValueError as fault:
        raise Unreachable(f"The issuer's address cannot be used: {fault}", sent=False) from None
    except TRANSPORT_FAULTS as fault:
        sent = leaving.done and not failures.never_left(fault)
        raise Unreachable(failures.from_exception(fault).message, sent=sent) from None
    try:
        found = fastjson.loads(answer)
    except ValueError:
        found = {}
    return response.status, found if isinstance(found, dict) else {}


def read(said: Mapping[str, Any]) -> Tokens:
    """Return the tokens in an answer, or in what was imported; raise `ValueError` if there is no access token."""
    access = said.get("access_token")
    if not isinstance(access, str) or not access.strip():
        raise ValueError("There is no access token.")
    rest = {name: value for name, value in said.items() if name not in ("access_token", "refresh_token", "id_token")}
    token = Secret(access.strip())
    return Tokens(token, _secret(said, "refresh_token"), _secret(said, "id_token"), _ends(said, token), rest)


def issued(said: Mapping[str, Any]) -> Tokens:
    """Return the tokens in an answer of this moment; raise `ValueError` if there is no access token.

    They are new: one that seems to have ended comes from a clock that is not ours. Then its own span counts, if it has
    one, or nobody knows its end; renewed anew for each call it would bring nothing but the issuer's displeasure.
    """
    found = read(said)
    if found.expires_at is None or found.expires_at > clock.unix():
        return found
    begun, ends = claims_of(found.access).get("iat"), found.expires_at
    span = ends - begun if isinstance(begun, int | float) else 0.0
    return replace(found, expires_at=clock.unix() + span if 0 < span < LONGEST_LIFE else None)


def claims_of(token: Secret) -> Mapping[str, Any]:
    """Return what a JWT says, unchecked; nothing of what is none."""
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return {}
    try:
        found = fastjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def refusal(status: int, said: Mapping[str, Any], *, secrets: list[str]) -> Refused:
    """Return what an answer without tokens means; whatever of ours it repeats is taken out of its words."""
    error = said.get("error")
    inner = error if isinstance(error, dict) else {}
    code = clean(str(inner.get("code") or inner.get("type") or (error if isinstance(error, str) else "") or status), 80)
    words = clean(str(inner.get("message") or said.get("error_description") or said.get("message") or ""), 200)
    for secret in secrets:
        if len(secret) >= 8:
            code, words = without(code, secret), without(words, secret)
    told = f"{code} {words}".lower()
    terminal = code in TERMINAL_CODES[:1] or (
        status in (400, 401) and (code in TERMINAL_CODES or any(one in told for one in TERMINAL_WORDS))
    )
    message = f"The issuer refused ({code}): {words}" if words else f"The issuer refused ({code})."
    return Refused(code, message, terminal=terminal, status=status, lost=status in LOST_ANSWERS)


class _Leaving:
    """Says once, and remembers, that a question is about to leave."""

    def __init__(self, told: AboutToSend | None) -> None:
        self._told, self.done = told, False

    async def __call__(self) -> None:
        if self._told is not None:
            await self._told()
        self.done = True


def _ends(said: Mapping[str, Any], access: Secret) -> float | None:
    lasts = said.get("expires_in")
    if isinstance(lasts, str):
        with suppress(ValueError):
            lasts = float(lasts)
    if isinstance(lasts, int | float) and not isinstance(lasts, bool) and 0 < lasts < LONGEST_LIFE:
        return clock.unix() + lasts
    ends = claims_of(access).get("exp")
    now = clock.unix()
    if isinstance(ends, int | float) and not isinstance(ends, bool) and 0 < ends < now + LONGEST_LIFE:
        return float(ends)
    return None


def _secret(said: Mapping[str, Any], name: str) -> Secret:
    value = said.get(name)
    return Secret(value.strip() if isinstance(value, str) else "")
