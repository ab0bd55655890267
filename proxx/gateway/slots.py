"""Accounts that take only so many calls at once: who has room goes first; when nobody has, a call waits a little.

Calls are counted per process (health.in_flight), so several processes let through several times as many. Where no
credential has such a limit nothing of this is done.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace

from proxx.gateway.call import Call
from proxx.gateway.errors import OverLimit
from proxx.kit import clock
from proxx.kit.configured import settings
from routing import health
from routing.plan import Candidate, Plan

SOON = 1.0  # seconds, told to a call that is sent away: a slot is free again when any call ends

_waiting: deque[asyncio.Future[None]] = deque()


class NoRoom(OverLimit):
    """Every account has as many calls under way as it takes."""

    code = "all_keys_busy"
    message = "Every account that could serve this model has as many calls under way as it takes. Please retry soon."


def is_full(candidate: Candidate) -> bool:
    """Tell whether an account has as many calls under way as it takes at once."""
    at_once = candidate.credential.at_once if candidate.credential is not None else 0
    return bool(at_once) and health.in_flight(candidate.key) >= at_once


async def with_room(call: Call, plan: Plan) -> Plan:
    """Return the plan with those first who have room; raise `NoRoom` if nobody has for PROXY_BUSY_WAIT seconds.

    Between its return and the first attempt nothing else runs, so the room is still there.
    """
    until = min(call.deadline, clock.monotonic() + settings.PROXY_BUSY_WAIT)
    while True:
        full = [one for one in plan.candidates if is_full(one)]
        if not full:
            return plan
        if len(full) < len(plan.candidates):
            free = [one for one in plan.candidates if one not in full]
            return replace(plan, candidates=(*free, *full))
        if not await _somebody_ended(until - clock.monotonic()):
            raise no_room()


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
        return False
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
