"""How long a call waits between two tries in place, and until when it waits for anything.

Who is tried, and what follows, is failover.py; the same numbers in words are docs/retries.md.
"""

import logging
import random
from dataclasses import dataclass

from proxx.gateway import budget
from proxx.gateway.call import Call
from proxx.kit import clock
from proxx.kit.configured import settings
from routing import health
from routing.planner import Candidate, Plan

log = logging.getLogger("proxx.gateway")

LONGEST_WAIT = 10.0  # seconds: a longer rest is told to the client as Retry-After instead of being waited out
BUSY = frozenset(("rate_limited", "too_many_at_once", "overloaded"))  # 429 and 503: worth a longer pause (F-154)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is tried in place next, at which stopwatch reading, and the seconds it had asked for."""

    candidate: Candidate
    at: float
    wished: float


def ends(call: Call) -> float:
    """Return the stopwatch reading at which all waits of a call end: its deadline, or PROXY_HOLD_SECONDS after the
    first of them, whichever comes first."""
    if call.waits_until is None:
        call.waits_until = call.deadline
        if settings.PROXY_HOLD_SECONDS:
            call.waits_until = min(call.deadline, clock.monotonic() + settings.PROXY_HOLD_SECONDS)
    return call.waits_until


def next_turn(call: Call, plan: Plan, choices: dict[Candidate, float], before: int) -> Turn | None:
    """Take from `choices` who is back first; empty them if no turn is left.

    `choices` are candidates with the seconds each asked for, `before` is the number of turns there have been.
    """
    candidate = min(choices, key=choices.__getitem__)
    wished = choices.pop(candidate)
    pause = _pause(call, before + 1, wished, candidate, is_busy=len(plan.candidates) == 1 and _is_busy(call))
    if pause is None:
        choices.clear()
        return None
    return Turn(candidate, clock.monotonic() + pause, wished)


def _is_busy(call: Call) -> bool:
    failure = call.attempts[-1].failure if call.attempts else None
    return failure is not None and failure.kind in BUSY


def _pause(call: Call, turn: int, wished: float, candidate: Candidate, *, is_busy: bool) -> float | None:
    """Return how long to wait before this turn, or nothing if there is none."""
    if turn > _turns(candidate, is_busy=is_busy):
        return None
    if is_busy:
        own = settings.PROXY_SINGLE_RETRY_BASE * 2 ** min(turn - 1, 30)
        jitter = own * random.uniform(-0.5, 0.5)  # noqa: S311 - spreads, protects nothing
    else:
        own = settings.UPSTREAM_TRANSIENT_RETRY_BACKOFF * turn
        jitter = own * random.uniform(0.0, 0.25)  # noqa: S311
    now = clock.monotonic()
    rest = health.standing(candidate.key, candidate.site, candidate.model, now)
    least = max(wished, rest.until - now if rest is not None and rest.is_open else 0.0)
    if least > own + jitter:
        # Only upward: never earlier than the upstream asked.
        own, jitter = least, least * random.uniform(0.0, 0.25)  # noqa: S311
    pause = own + jitter
    if pause > LONGEST_WAIT or not budget.left(call) or now + pause >= ends(call):
        return None
    name = f"{candidate.provider.id} {candidate.account}".strip()
    log.info("call %s: retry %d at %s in %.3f s, %+.3f s of it jitter", call.id, turn, name, pause, jitter)
    return float(pause)


def _turns(candidate: Candidate, *, is_busy: bool) -> int:
    """Return how many tries in place there are, as its provider has it."""
    usual = settings.PROXY_SINGLE_RETRY_COUNT if is_busy else settings.UPSTREAM_TRANSIENT_RETRY_COUNT
    return int(settings.PROXY_PROVIDER_RETRIES.get(candidate.provider.id, usual))
