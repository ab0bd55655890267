"""What a call says, for those who listen: taken as it passes, without touching it.

Nothing here is called for other calls. Who listens is analytics/overhearing.py's; what is held for the database is
analytics/bodies/parts.py's, and what goes into the traffic log analytics/traffic_log's.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Protocol

from analytics import overhearing
from analytics.bodies import parts
from analytics.overhearing import Listeners, Taker
from analytics.traffic_log.head import NOTHING, Head
from proxx.gateway.call import Call
from proxx.gateway.errors import GatewayError, RejectedUpstream
from proxx.upstream.message import HeaderList, UpstreamRequest, UpstreamResponse
from routing.planner import Candidate

STREAMS = ("text/event-stream", "application/x-ndjson", "application/stream+json")
_HEADERS = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


class Said(Protocol):
    """An answer on its way to the client: whole, or in pieces."""

    status: int
    content_type: str
    headers: HeaderList
    body: bytes
    pieces: AsyncGenerator[bytes, None] | None
    raw: bool


def begin(call: Call, share: int, said: bytes, method: str, headers: Mapping[str, str]) -> None:
    """Let those listen who wish to: `share` of such calls is kept. `said` is what the client sent, below `headers` as
    WSGI names them."""
    listeners = call.bodies = overhearing.begun(call.id, call.tenant.id, share)
    if listeners is not None:
        head = _asked_head(call, method, headers) if listeners.want_heads else NOTHING
        listeners.part(parts.ASKED, 0, said, head)


def asked(call: Call, listeners: Listeners, candidate: Candidate, request: UpstreamRequest) -> None:
    """Take what a candidate is asked, as the call's newest attempt."""
    if candidate.credential is not None:
        listeners.hide(candidate.credential.secret.pinned())
    head = NOTHING
    if listeners.want_heads:
        about = (("provider", candidate.provider.id), ("model", candidate.model))
        head = Head(f"{request.method} {request.url}", headers=request.headers, about=about)
    listeners.part(parts.SENT, len(call.attempts), request.body, head)


def heard(call: Call, listeners: Listeners, response: UpstreamResponse) -> UpstreamResponse:
    """Return a candidate's answer, of which every piece that is read is taken."""
    head = NOTHING
    if listeners.want_heads:
        streams = response.status < 400 and (call.envelope.stream or _streams(response.headers.get("content-type", "")))
        head = Head("", response.status, response.raw_headers, streams=streams)
    part = listeners.part(parts.HEARD, len(call.attempts), b"", head)
    return UpstreamResponse(
        status=response.status,
        raw_headers=response.raw_headers,
        http_version=response.http_version,
        body=_Overheard(response, part),
    )


def told(listeners: Listeners, reply: Said) -> None:
    """Take what the client is told."""
    head = NOTHING
    if listeners.want_heads:
        streams = reply.pieces is not None and (not reply.raw or _streams(reply.content_type))
        headers = [(b"content-type", reply.content_type.encode()), *reply.headers]
        head = Head("", reply.status, headers, streams=streams)
    part = listeners.part(parts.TOLD, 0, reply.body, head)
    if reply.pieces is None:
        part.end()
    else:
        reply.pieces = _passing(reply.pieces, part)


def refused(call: Call, listeners: Listeners, error: GatewayError) -> None:
    """Take the error that a call ends with before anything was told."""
    own = error.body if isinstance(error, RejectedUpstream) else b""
    said = own or call.dialect.write_error(error.facts)
    listeners.part(parts.TOLD, 0, said, Head(status=error.status)).end()


def over(call: Call, listeners: Listeners) -> None:
    """The call has ended: have it kept, if it is one to keep."""
    listeners.over(call.outcome, call.status)


def _streams(content_type: str) -> bool:
    return content_type.startswith(STREAMS)


def _asked_head(call: Call, method: str, headers: Mapping[str, str]) -> Head:
    said = [
        (_HEADERS.get(name) or name.removeprefix("HTTP_").replace("_", "-").lower(), value)
        for name, value in headers.items()
        if name.startswith("HTTP_") or name in _HEADERS
    ]
    about = (("tenant", call.tenant.slug), ("model", call.envelope.model))
    carried = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in said]
    return Head(f"{method} {call.endpoint}", headers=carried, about=about)


async def _passing(pieces: AsyncGenerator[bytes, None], part: Taker) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            part.take(piece)
            yield piece
    part.end()


class _Overheard:
    """A body whose pieces are taken as they are read."""

    def __init__(self, response: UpstreamResponse, part: Taker) -> None:
        self._response, self._pieces, self._part = response, aiter(response), part

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await anext(self._pieces)
        except StopAsyncIteration:
            self._part.end()
            raise
        self._part.take(piece)
        return piece

    async def aclose(self) -> None:
        self._part.end()
        await self._response.aclose()

    def abandon(self) -> None:
        self._part.end()
        self._response.abandon()

    def finish_later(self, seconds: float) -> None:
        self._response.finish_later(seconds)
