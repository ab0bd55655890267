"""The places in which clients put a key: four headers, a WebSocket's sub-protocol, and, if wanted, Gemini's `?key=`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from accounts import keys
from proxx.api import dialects
from proxx.gateway.errors import BadRequest, Unauthorized
from proxx.kit.configured import settings

HEADERS: Final = ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY", "HTTP_API_KEY")
PROTOCOLS: Final = "HTTP_SEC_WEBSOCKET_PROTOCOL"
MARK: Final = "openai-insecure-api-key."  # how browsers say it, who cannot set headers on a socket
LONGEST: Final = 512


def presented(headers: Mapping[str, str]) -> str | None:
    """Return the one key that a request (its META) carries, wherever; raise `BadRequest` if it carries two."""
    found = {value for name in HEADERS if name in headers for value in _lines(headers[name], any, keys.looks_like_key)}
    for line in _lines(headers.get("HTTP_AUTHORIZATION", ""), all, _is_bearer):
        if _is_bearer(line):
            found.add(line.partition(" ")[2].strip())
    if PROTOCOLS in headers:
        found.update(in_protocols(headers[PROTOCOLS]))
    if headers.get("QUERY_STRING") and settings.PROXY_QUERY_KEYS:
        found.update(_in_query(headers))
    found.discard("")
    if len(found) > 1:
        raise BadRequest("Two different API keys were given. Send one.", code="conflicting_keys")
    token = found.pop() if found else None
    if token is not None and len(token) > LONGEST:
        raise Unauthorized
    return token


def in_protocols(offered: str) -> set[str]:
    """Return the keys among the sub-protocols that a socket's client offers."""
    words = (word.strip() for word in offered.split(","))
    return {word.removeprefix(MARK) for word in words if word.startswith(MARK)}


def chosen_protocol(offered: str) -> str | None:
    """Return the sub-protocol to agree on: the first that holds no key. A browser that offers some wants one back."""
    words = (word.strip() for word in offered.split(","))
    return next((word for word in words if word and not word.startswith(MARK)), None)


def _in_query(headers: Mapping[str, str]) -> set[str]:
    if dialects.of(headers["PATH_INFO"], headers).name != "gemini":
        return set()
    return {value for name, value in parse_qsl(headers["QUERY_STRING"]) if name == "key"}


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
