"""What stands before a body: method and address, status, headers; and how much of that may be read.

Of a query and of headers every name is shown, a value only where it is known to be harmless: nobody knows under which
name the next provider wants its key.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from analytics.bodies.redact import redacted

HIDDEN: Final = "***"
HEADERS_AT_MOST: Final = 200

# Headers, and families of them by their beginning, whose values say nothing of who asks.
HARMLESS: Final = frozenset(
    {
        *("accept", "accept-encoding", "cache-control", "content-encoding", "content-length", "content-type"),
        *("anthropic-beta", "anthropic-version", "openai-beta", "openai-processing-ms", "openai-version", "originator"),
        *("connection", "date", "request-id", "retry-after", "retry-after-ms", "server", "transfer-encoding"),
        *("user-agent", "x-accel-buffering", "x-request-id", "x-should-retry", "traceparent"),
    }
)
HARMLESS_FAMILIES: Final = ("anthropic-ratelimit-", "x-proxx-", "x-ratelimit-", "x-stainless-")
HARMLESS_FIELDS: Final = frozenset({"alt", "api-version", "beta"})

_BETWEEN: Final = "\n,\n"  # what no header holds; secrets end at it
_FIELD = re.compile(r"([?&])([^=&]*)=([^&]*)")


class Head(NamedTuple):
    """`line` is method and address, `about` more that is worth a field; `streams` says that the body comes in pieces
    that are worth an entry each."""

    line: str = ""
    status: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    about: tuple[tuple[str, str], ...] = ()
    streams: bool = False


NOTHING: Final = Head()


def shown(head: Head, known: Sequence[str]) -> dict[str, Any]:
    """Return a head as an entry shows it, without secrets; `known` are those that can be named."""
    fields: dict[str, Any] = {name: redacted(value, known) for name, value in head.about if value}
    if head.line:
        fields["line"] = redacted(_FIELD.sub(_field, head.line), known)
    if head.status is not None:
        fields["status"] = head.status
    if head.headers:
        fields["headers"] = _headers(head.headers[:HEADERS_AT_MOST], known)
    return fields


def _headers(headers: Sequence[tuple[bytes, bytes]], known: Sequence[str]) -> list[str]:
    told = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    lines = [f"{name}: {value if _is_harmless(name) else HIDDEN}" for name, value in told]
    found = redacted(_BETWEEN.join(lines), known).split(_BETWEEN)  # one search is cheaper than one for each
    return found if len(found) == len(lines) else [redacted(line, known) for line in lines]


def _is_harmless(name: str) -> bool:
    return name in HARMLESS or name.startswith(HARMLESS_FAMILIES)


def _field(found: "re.Match[str]") -> str:
    mark, name, value = found.groups()
    return f"{mark}{name}={value if name.lower() in HARMLESS_FIELDS else HIDDEN}"
