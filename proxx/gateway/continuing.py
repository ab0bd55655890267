"""A turn that its provider paused, asked to go on: once more, and again, as one answer to the client (D55).

Only for clients that do not know pauses themselves. What is not continued, for the fifth time or because the provider
now refuses, is told as cut off by length.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from proxx.gateway import mending, translate
from proxx.gateway.asking import Route
from proxx.gateway.call import Call
from proxx.kit.configured import settings
from proxx.protocols.continuation import ContinuedTranslation
from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.parts import Part
from proxx.upstream import failures
from proxx.upstream.message import UpstreamResponse

AT_MOST = 5
LAST_BYTES = 1.0  # seconds for what follows a piece's end mark
CUT_OFF = "pause_turn;the provider paused its turn and it was not continued to its end"

_REFUSED: tuple[type[BaseException], ...] = (*(known for known, _ in failures.EXCEPTIONS), Inexpressible)

Ask = Callable[[Route], Awaitable[UpstreamResponse]]


async def whole(call: Call, chosen: Route, first: bytes, ask: Ask) -> list[bytes]:
    """Return the bodies of a turn, of which the first is here, and of its continuations."""
    bodies = [first]
    while (parts := translate.paused(call, chosen, bodies)) is not None:
        response = await _next(call, chosen, parts, len(bodies), ask)
        if response is None:
            break
        bodies.append(await response.read(settings.PROXY_REPLY_LIMIT))
    return bodies


async def pieces(
    call: Call, chosen: Route, response: UpstreamResponse, watch: ContinuedTranslation, ask: Ask
) -> AsyncIterator[bytes]:
    """Give the bytes of a streamed turn, and of its continuations; the watch must have each piece before the next."""
    asked = 0
    following: UpstreamResponse | None = response
    while following is not None:
        async for piece in following:
            yield piece
            if watch.continuation.paused:
                break
        if not watch.continuation.paused:
            return
        following.finish_later(LAST_BYTES)
        asked += 1
        following = await _next(call, chosen, watch.continuation.parts(), asked, ask)
        if following is not None:
            route = mending.continued(call, chosen, watch.continuation.parts())
            watch.go_on(translate.reader(call, route), route.mends or ())


async def _next(call: Call, chosen: Route, parts: Sequence[Part], asked: int, ask: Ask) -> UpstreamResponse | None:
    """Ask the provider to go on; None if that is not to be, which is noted."""
    if asked <= AT_MOST:
        try:
            response = await ask(mending.continued(call, chosen, tuple(parts)))
        except _REFUSED:
            response = None
        if response is not None and 200 <= response.status < 300:
            return response
        if response is not None:
            response.abandon()
    chosen.notes.append(CUT_OFF)
    call.warnings.append(CUT_OFF)
    return None
