"""Accounts that take only so many calls at once: who has room goes first; when nobody has, a call waits a little.

Calls are counted per process (health.in_flight), so several processes let through several times as many. Where no
credential has such a limit nothing of this is done.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from proxx.gateway.errors import OverLimit
from proxx.kit import clock
from proxx.kit.configured import settings
from routing import health
from routing.plan import Candidate

SOON = 1.0  # seconds, told to a call that is sent away: a slot is free again when any call ends

_waiting: deque[asyncio.Future[None]] = deque()


class NoRoom(OverLimit):
    """Every account has as many calls under way as it takes."""

    code = "all_keys_busy"
    message = "Every account that could serve this model has as many calls under way as it takes. Please retry soon."


class Patience:
    """The seconds that a call may still wait for room, PROXY_BUSY_WAIT in all."""

    def __init__(self) -> None:
        self.left: float = settings.PROXY_BUSY_WAIT

    async def room(self, candidates: Sequence[Candidate], ends: float) -> Candidate | None:
        """Return the first of these who has room, after waiting for it if need be; nothing if nobody has until `ends`,
        or patience.

        Between its return and the attempt nothing else runs, so the room is still there.
        """
        while candidates:
            free = next((one for one in candidates if not one.is_full), None)
            if free is not None:
                return free
            now = clock.monotonic()
            seconds = min(self.left, ends - now)
            if seconds <= 0:
                return None
            if await _somebody_ended(seconds):
                self.left -= clock.monotonic() - now
            else:
                self.left -= seconds
        return None


def no_room() -> NoRoom:
    """Return the error for a call that found nobody with room."""
    return NoRoom(retry_after=SOON)


async def _somebody_ended(seconds: float) -> bool:
    """Wait until any call ends, at most so long; those who wait are woken in the order in which they came."""
    if seconds <= 0:
        return False
    ended = asyncio.get_running_loop().create_future()
    _waiting.append(ended)
    try:
        async with asyncio.timeout(seconds):
            await ended
    except TimeoutError:
        with suppress(ValueError):
            _waiting.remove(ended)
        return not ended.cancelled()  # it may have been set in this very turn of the loop
    except asyncio.CancelledError:
        with suppress(ValueError):
            _waiting.remove(ended)
        raise
    return True


def _wake() -> None:
    while _waiting:
        ended = _waiting.popleft()
        if not ended.done():
            ended.set_result(None)


health.ended.append(_wake)
