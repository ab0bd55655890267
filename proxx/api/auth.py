"""Who calls: a key from any of the places clients put it. One resolver and one policy for all carriers (security
A4)."""

from collections.abc import Callable, Iterable

from django.http import HttpRequest

from accounts import keys
from accounts.keys import IdentityUnavailable, KeyHolder
from proxx.api import entrance
from proxx.gateway.errors import BadRequest, Forbidden, Unauthorized, Unavailable
from proxx.kit.configured import settings

CARRIERS = ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY", "HTTP_API_KEY")
SCOPE = "proxy:use"
LONGEST_KEY = 512


async def client_key(request: HttpRequest) -> KeyHolder:
    """Return the holder of the key in this request; raise 401, 400 (two different keys), 403 (scope) or 503 (store
    away)."""
    own = entrance.own_key_holder(request)
    if own is not None:
        return own
    token = presented(request.META)
    if token is None:
        if settings.PROXY_ALLOW_UNAUTHENTICATED:
            return keys.open_holder()
        raise Unauthorized
    try:
        holder = await keys.find(token)
    except IdentityUnavailable as away:
        raise Unavailable(
            "Keys cannot be checked at the moment.", code="identity_unavailable", retry_after=away.retry_after
        ) from None
    if holder is None:
        raise Unauthorized
    if SCOPE not in holder.scopes:
        raise Forbidden("This key lacks the scope proxy:use.", code="missing_scope")
    return holder


def presented(headers: dict[str, str]) -> str | None:
    """Return the one key that the headers carry, in whatever places; raise `BadRequest` if they carry two."""
    found = {value for name in CARRIERS if name in headers for value in _lines(headers[name], any, keys.looks_like_key)}
    for line in _lines(headers.get("HTTP_AUTHORIZATION", ""), all, _is_bearer):
        if _is_bearer(line):
            found.add(line.partition(" ")[2].strip())
    found.discard("")
    if len(found) > 1:
        raise BadRequest("Two different API keys were given. Send one.", code="conflicting_keys")
    token = found.pop() if found else None
    if token is not None and len(token) > LONGEST_KEY:
        raise Unauthorized
    return token


def _lines(value: str, enough: Callable[[Iterable[bool]], bool], is_one: Callable[[str], bool]) -> set[str]:
    """Return the different values of a header that may have come in several lines, which Django joins with commas.

    A comma inside one value stays: lines are told apart only if they are equal, or if `enough` (any, all) of them are
    whole by themselves.
    """
    value = value.strip()
    if "," not in value:
        return {value}
    lines = {line.strip() for line in value.split(",")}
    return lines if len(lines) == 1 or enough(map(is_one, lines)) else {value}


def _is_bearer(line: str) -> bool:
    return line[:7].lower() == "bearer "
