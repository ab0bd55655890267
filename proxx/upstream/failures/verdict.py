"""From what came back to a Failure: read the body, find the row, find the time to wait."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from proxx.upstream import reaching
from proxx.upstream.failures import body as bodies
from proxx.upstream.failures import prose, wait
from proxx.upstream.failures.body import Facts
from proxx.upstream.failures.evidence import Row
from proxx.upstream.failures.kinds import KINDS, Failure, named
from proxx.upstream.failures.rows import ROWS
from proxx.upstream.message import NoReply, ReplyTooLarge, ReplyTruncated

LIMIT_KINDS = frozenset(("rate_limited", "quota_spent", "too_many_at_once", "overloaded"))

# What the stock transport says where ours raises a class of its own.
CUT_SHORT = ("without sending complete message body", "incomplete chunked read")
SYSTEM = re.compile(r"\[(?:Errno|SSL)|All connection attempts failed")  # words of the operating system, not of people
SAID_NOTHING = "disconnected without sending a response"


def classify(status: int, headers: Mapping[str, str] | httpx.Headers, body: bytes) -> Failure:
    """Say what an answer with an error status (or a 200 with a page instead of an answer) means; never raises."""
    if not isinstance(headers, httpx.Headers):
        headers = {name.lower(): value for name, value in headers.items()}
    return _failure(status, headers, bodies.read(body), status)


def from_error_object(obj: Any) -> Failure:
    """Say what an error object means that came with a 200, as a whole body or as an event; never raises.

    A number in the code that looks like an HTTP status is taken for one.
    """
    facts = bodies.read_object(obj)
    claimed = next((int(code) for code in sorted(facts.codes) if code.isdecimal() and 400 <= int(code) <= 599), None)
    return _failure(None, {}, facts, claimed)


def from_exception(exc: BaseException) -> Failure:
    """Say what an exception of the transport means; anything unknown is `upstream_error`."""
    kind = next((kind for known, kind in EXCEPTIONS if isinstance(exc, known)), "upstream_error")
    text = str(exc)
    if isinstance(exc, httpx.RemoteProtocolError) and kind == "malformed":
        if any(words in text for words in CUT_SHORT):
            kind = "truncated"
        elif SAID_NOTHING in text:
            kind = "connect_failed"
    if kind != "connect_failed":
        return named(kind, prose.clean(text))
    if not text or SYSTEM.search(text):
        text = reaching.sentence(exc, "The provider")
    return named(kind, prose.clean(text), reaching.way(exc))


def never_left(exc: BaseException) -> bool:
    """Tell whether an exception of the transport says that not one byte of the request has left."""
    return isinstance(exc, NEVER_LEFT)


def row(status: int | None, facts: Facts) -> Row:
    """Return the first row that fits; the last row fits everything."""
    return next(row for row in ROWS if row.fits(status, facts.codes, facts.message))


def _failure(status: int | None, headers: Mapping[str, str], facts: Facts, judged_as: int | None) -> Failure:
    found = row(judged_as, facts)
    return Failure(
        kind=found.kind,
        status=status,
        retry_after=wait.seconds(headers, facts, limited=found.kind in LIMIT_KINDS),
        message=facts.message or KINDS[found.kind][1],
        code=facts.code,
        scope=found.scope,
    )


# Exceptions of the transport, most special first.
EXCEPTIONS: tuple[tuple[type[BaseException], str], ...] = (
    (ReplyTruncated, "truncated"),
    (httpx.StreamClosed, "truncated"),  # given up on our side while somebody still read
    (ReplyTooLarge, "malformed"),
    (NoReply, "connect_failed"),
    (httpx.ConnectTimeout, "connect_failed"),
    (httpx.PoolTimeout, "connect_failed"),
    (httpx.TimeoutException, "timed_out"),
    (httpx.NetworkError, "connect_failed"),
    (httpx.ProxyError, "connect_failed"),
    (httpx.UnsupportedProtocol, "connect_failed"),
    (httpx.LocalProtocolError, "upstream_error"),
    (httpx.RemoteProtocolError, "malformed"),
    (httpx.DecodingError, "malformed"),
    (TimeoutError, "timed_out"),
    (OSError, "connect_failed"),
)
NEVER_LEFT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError,
)  # fmt: skip
