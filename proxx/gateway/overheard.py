"""What a call says, for those whose tenant or key keeps it: taken as it passes, without touching it.

Nothing here is called for other calls. What is held, and how much of it, is analytics/bodies/parts.py's; that it is
sealed before it is stored, store.py's beside it.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Protocol

from analytics.bodies import parts, writer
from analytics.bodies.parts import Bodies, Passing
from proxx.gateway.call import Call
from proxx.gateway.errors import GatewayError, RejectedUpstream
from proxx.upstream.message import UpstreamResponse
from routing.planner import Candidate


class Said(Protocol):
    """An answer on its way to the client: whole, or in pieces."""

    body: bytes
    pieces: AsyncGenerator[bytes, None] | None


def asked(call: Call, bodies: Bodies, candidate: Candidate, body: bytes) -> None:
    """Take what a candidate is asked, as the call's newest attempt."""
    if candidate.credential is not None:
        bodies.secrets.add(candidate.credential.secret.pinned())
    bodies.part(parts.SENT, len(call.attempts), body)


def heard(call: Call, bodies: Bodies, response: UpstreamResponse) -> UpstreamResponse:
    """Return a candidate's answer, of which every piece that is read is taken."""
    part = bodies.part(parts.HEARD, len(call.attempts))
    return UpstreamResponse(
        status=response.status,
        raw_headers=response.raw_headers,
        http_version=response.http_version,
        body=_Overheard(response, part),
    )


def told(bodies: Bodies, reply: Said) -> None:
    """Take what the client is told."""
    part = bodies.part(parts.TOLD)
    if reply.pieces is None:
        part.take(reply.body)
    else:
        reply.pieces = _passing(reply.pieces, part)


def refused(call: Call, bodies: Bodies, error: GatewayError) -> None:
    """Take the error that a call ends with before anything was told."""
    own = error.body if isinstance(error, RejectedUpstream) else b""
    bodies.part(parts.TOLD, 0, own or call.dialect.write_error(error.facts))


def over(call: Call, bodies: Bodies) -> None:
    """The call has ended: have it kept, if it is one to keep."""
    writer.offer(bodies, call.outcome, call.status)


async def _passing(pieces: AsyncGenerator[bytes, None], part: Passing) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            part.take(piece)
            yield piece


class _Overheard:
    """A body whose pieces are taken as they are read."""

    def __init__(self, response: UpstreamResponse, part: Passing) -> None:
        self._response, self._pieces, self._part = response, aiter(response), part

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self._part.take(piece)
        return piece

    async def aclose(self) -> None:
        await self._response.aclose()

    def abandon(self) -> None:
        self._response.abandon()

    def finish_later(self, seconds: float) -> None:
        self._response.finish_later(seconds)
