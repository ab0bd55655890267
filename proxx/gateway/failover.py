"""The candidates, one after another, until one speaks. Rotate first, wait last.

What an upstream failure does to its credential is routing/cooldown.py's table. Here its move is made, within one
budget per call (budget.py). What the client is told when nobody spoke is verdict.py.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from proxx.gateway import budget, reasoning, recall, slots, verdict
from proxx.gateway.attempt import AttemptFailed, Blank, Speaking, speak
from proxx.gateway.call import Call
from proxx.gateway.errors import GatewayError
from proxx.gateway.verdict import Blamed
from proxx.kit import clock
from proxx.kit.configured import settings
from routing import cooldown, health, planner
from routing.plan import PASSING
from routing.planner import Candidate, Plan

log = logging.getLogger("proxx.gateway")

LONGEST_WAIT = 10.0  # seconds: a longer rest is told to the client as Retry-After instead of being waited out
HOLD_STEP = 1.0  # seconds between two rounds of a held call when nobody's rest has an end that is known
UNREACHED_AT_MOST = 4  # candidates that a conversation tries in vain for the network's sake (F-169)
BUSY = frozenset(("rate_limited", "too_many_at_once", "overloaded"))  # 429 and 503: worth a longer pause (F-154)
NETWORK = frozenset(("connect_failed", "timed_out", "truncated"))
HELD = frozenset((429, 502, 503))


@dataclass(slots=True)
class _Round:
    """One pass through a plan: who may be tried once more, and what the first rejection of the request was.

    `again` holds candidates and the seconds each asked for; `skipped` were not tried, because a call beside this one
    learned that they rest, or that their address is not reachable.
    """

    again: dict[Candidate, float] = field(default_factory=dict)
    skipped: list[Candidate] = field(default_factory=list)
    sites: set[str] = field(default_factory=set)
    blamed: Blamed | None = None
    only: Callable[[Candidate], bool] | None = None
    too_short: set[str] = field(default_factory=set)
    unreached: int = 0


async def first_to_speak(call: Call, plan: Plan, replan: Callable[[], Plan] | None = None) -> Speaking:
    """Try the plan's candidates until one begins to answer; raise the error that sums up why none did.

    With PROXY_HOLD_SECONDS a call that found nobody free waits that long for the first who is back; `replan` then says
    who that is.
    """
    until = 0.0
    while True:
        try:
            if call.snapshot.counts_calls and plan.refusal is None:
                plan = call.plan = await slots.with_room(call, plan)
            return await _one_round(call, plan)
        except GatewayError as error:
            if replan is None or not settings.PROXY_HOLD_SECONDS or error.status not in HELD:
                raise
            until = until or min(call.deadline, clock.monotonic() + settings.PROXY_HOLD_SECONDS)
            found = await _held(call, replan, until)
            if found is None:
                raise
            plan = call.plan = found


async def _held(call: Call, replan: Callable[[], Plan], until: float) -> Plan | None:
    """Wait until somebody is back, at most until then; return the plan for the next round, or nothing."""
    while budget.left(call):
        plan = replan()
        if plan.refusal is not None and plan.refusal not in PASSING.values():
            return None
        wait = (plan.retry_after or 0.0) if plan.refusal else HOLD_STEP
        if clock.monotonic() + wait > until:
            return None
        delay = max(0.05, wait) * random.uniform(1.0, 1.1)  # noqa: S311 - not all at the same moment
        log.info("call %s is held for %.2f s", call.id, delay)
        await asyncio.sleep(delay)
        if plan.refusal is None:
            return plan
    return None


async def _one_round(call: Call, plan: Plan) -> Speaking:
    if plan.refusal is not None:
        raise verdict.refusal(plan, planner.misnamed(plan.requested, call.snapshot))
    this: _Round | None = None  # the usual call needs none
    last: AttemptFailed | None = None
    for candidate in plan.candidates:
        if not budget.left(call):
            break
        if this is not None and this.only is not None and not this.only(candidate):
            continue
        if call.snapshot.counts_calls and slots.is_full(candidate):
            continue
        if health.rests and _is_closed(candidate, this):
            this = this or _Round()
            this.skipped.append(candidate)
            continue
        if settings.PROXY_REASONING_FAILOVER:
            call.reasoning_due = candidate is not plan.candidates[-1] and reasoning.is_due(call, candidate)
        try:
            return await _spoken(call, candidate)
        except Blank as blank:
            raise verdict.unreadable(call, blank) from None
        except AttemptFailed as failed:
            last, this = failed, this or _Round()
            if not _goes_on(call, plan, candidate, failed, this):
                break
    else:
        if this is not None and this.again and this.blamed is None:
            return await _in_place(call, plan, this)
    raise verdict.summary(call, plan, last, this.blamed if this is not None else None)


def _goes_on(call: Call, plan: Plan, candidate: Candidate, failed: AttemptFailed, this: _Round) -> bool:
    """Note a failure; tell whether the round goes on."""
    failure, row = failed.failure, cooldown.apply(failed.failure, candidate)
    if call.refers and failure.code == recall.NOT_FOUND:
        return True
    if row.again:
        this.again[candidate] = failure.retry_after or 0.0
    if row.spreads and candidate.site in health.rests:
        this.sites.add(candidate.site)
    if failure.kind in NETWORK:
        this.unreached += 1
        if plan.belonging is not None and this.unreached >= UNREACHED_AT_MOST:
            return False
    if row.move == "next":
        return True
    is_first, this.blamed = this.blamed is None, this.blamed or Blamed(failed, candidate)
    if row.move == "another_model":
        this.too_short.add(candidate.model)
        this.only = lambda other: other.model not in this.too_short
        return True
    if row.move == "another_protocol" and is_first:
        this.only = _once(
            lambda other: other.provider.id != candidate.provider.id and other.protocol != candidate.protocol
        )
        return True
    return False


def _once(fits: Callable[[Candidate], bool]) -> Callable[[Candidate], bool]:
    found: list[Candidate] = []

    def first(candidate: Candidate) -> bool:
        if found or not fits(candidate):
            return False
        found.append(candidate)
        return True

    return first


def _is_closed(candidate: Candidate, this: _Round | None) -> bool:
    """Tell whether a call beside this one has learned that this candidate is not to be asked now."""
    if this is not None and candidate.site in this.sites:
        return True
    rest = health.standing(candidate.key, candidate.site, candidate.model, clock.monotonic())
    return rest is not None and not rest.is_soft


async def _spoken(call: Call, candidate: Candidate) -> Speaking:
    """Let a candidate speak. Where a circuit is half open, this is its one probe."""
    if not health.is_troubled(candidate.key, candidate.site):
        return await _twice(call, candidate)
    spots = health.begin_probe(candidate.key, candidate.site, candidate.model)
    try:
        speaking = await _twice(call, candidate)
    finally:
        health.end_probe(spots)
    health.reached(candidate.key, candidate.site, candidate.model)
    return speaking


async def _twice(call: Call, candidate: Candidate) -> Speaking:
    """Let a candidate speak; one whose answer was blank, or that blamed what can be taken away, gets a second chance
    at once: each only once in a call."""
    try:
        return await speak(call, candidate)
    except Blank:
        if call.blanks > 1 or not budget.left(call):
            raise
    except AttemptFailed as failed:
        if not failed.mendable or not budget.left(call):
            raise
    return await speak(call, candidate)


async def _in_place(call: Call, plan: Plan, this: _Round) -> Speaking:
    """Every candidate failed, some in a passing way: give these a few more chances, each after a longer pause."""
    last: AttemptFailed | None = None
    call.reasoning_due = False
    choices = {**{one: 0.0 for one in this.skipped if one.site in this.sites}, **this.again}
    is_single, turn = len(plan.candidates) == 1, 0
    while choices:
        turn += 1
        candidate = min(choices, key=choices.__getitem__)
        wished, is_busy = choices.pop(candidate), is_single and _is_busy(call)
        pause = _pause(call, turn, wished, candidate, is_busy=is_busy)
        if pause is None:
            break
        await asyncio.sleep(pause)
        if _is_probed(candidate):
            choices[candidate] = wished
            continue
        try:
            return await _spoken(call, candidate)
        except Blank as blank:
            raise verdict.unreadable(call, blank) from None
        except AttemptFailed as failed:
            last = failed
            if cooldown.apply(failed.failure, candidate).again:
                choices[candidate] = failed.failure.retry_after or 0.0
    raise verdict.summary(call, plan, last, None)


def _is_busy(call: Call) -> bool:
    failure = call.attempts[-1].failure
    return failure is not None and failure.kind in BUSY


def _is_probed(candidate: Candidate) -> bool:
    """Tell whether the candidate's circuit is open, or somebody else is trying it just now."""
    rest = health.standing(candidate.key, candidate.site, candidate.model, clock.monotonic())
    return rest is not None and rest.is_open


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
    if pause > LONGEST_WAIT or not budget.left(call) or now + pause >= call.deadline:
        return None
    name = f"{candidate.provider.id} {candidate.account}".strip()
    log.info("call %s: retry %d at %s in %.3f s, %+.3f s of it jitter", call.id, turn, name, pause, jitter)
    return float(pause)


def _turns(candidate: Candidate, *, is_busy: bool) -> int:
    """Return how many tries in place there are, as its provider has it."""
    usual = settings.PROXY_SINGLE_RETRY_COUNT if is_busy else settings.UPSTREAM_TRANSIENT_RETRY_COUNT
    return int(settings.PROXY_PROVIDER_RETRIES.get(candidate.provider.id, usual))
