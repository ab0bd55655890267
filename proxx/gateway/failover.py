"""The candidates, one after another, until one speaks. Rotate first, wait last.

What an upstream failure does to its credential is routing/cooldown.py's table. Here its move is made, within one
budget per call (budget.py). What the client is told when nobody spoke is verdict.py.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from proxx.gateway import budget, pauses, reasoning, recall, signing, slots, verdict
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

HOLD_STEP = 1.0  # seconds between two rounds of a held call when nobody's rest has an end that is known
UNREACHED_AT_MOST = 4  # candidates that a conversation tries in vain for the network's sake (F-169)
NETWORK = frozenset(("connect_failed", "timed_out", "truncated"))
HELD = frozenset((429, 502, 503))


@dataclass(slots=True)
class _Round:
    """One pass through a plan: who may still be tried, what the first rejection of the request was, the last failure.

    `again` holds candidates and the seconds each asked for; `full` had no room; `skipped` were not tried, because a
    call beside this one learned that they rest, or that their address is not reachable. `only` says who may be asked
    after a rejection; `is_once`, that the next one is the last.
    """

    again: dict[Candidate, float] = field(default_factory=dict)
    full: list[Candidate] = field(default_factory=list)
    skipped: list[Candidate] = field(default_factory=list)
    sites: set[str] = field(default_factory=set)
    last: AttemptFailed | None = None
    blamed: Blamed | None = None
    only: Callable[[Candidate], bool] | None = None
    is_once: bool = False
    too_short: set[str] = field(default_factory=set)
    unreached: int = 0
    turns: int = 0

    def takes(self, candidate: Candidate) -> bool:
        """Tell whether this one may be asked after what the others said of the request."""
        return self.only is None or self.only(candidate)


async def first_to_speak(call: Call, plan: Plan, replan: Callable[[], Plan] | None = None) -> Speaking:
    """Try the plan's candidates until one begins to answer; raise the error that sums up why none did.

    With PROXY_HOLD_SECONDS a call that found nobody free waits that long for the first who is back; `replan` then says
    who that is.
    """
    while True:
        try:
            return await _one_round(call, plan)
        except GatewayError as error:
            if replan is None or not settings.PROXY_HOLD_SECONDS or error.status not in HELD:
                raise
            found = await _held(call, replan, is_full=isinstance(error, slots.NoRoom))
            if found is None:
                raise
            plan = call.plan = found


async def _held(call: Call, replan: Callable[[], Plan], *, is_full: bool) -> Plan | None:
    """Wait until somebody is back, at most until all waits of the call end; return the plan for the next round, or
    nothing. A call that has waited for room has waited long enough for the next round."""
    until, step = pauses.ends(call), HOLD_STEP
    if is_full:
        step = max(0.0, HOLD_STEP - settings.PROXY_BUSY_WAIT)
    while budget.left(call):
        plan = replan()
        if plan.refusal is not None and plan.refusal not in PASSING.values():
            return None
        wait = (plan.retry_after or 0.0) if plan.refusal else step
        delay = max(0.05, wait) * random.uniform(1.0, 1.1)  # noqa: S311 - not all at the same moment
        if clock.monotonic() + delay > until:
            return None
        log.info("call %s is held for %.2f s", call.id, delay)
        await asyncio.sleep(delay)
        if plan.refusal is None:
            return plan
    return None


async def _one_round(call: Call, plan: Plan) -> Speaking:
    if plan.refusal is not None:
        raise verdict.refusal(plan, planner.misnamed(plan.requested, call.snapshot))
    this: _Round | None = None  # the usual call needs none
    for candidate in plan.candidates:
        if not budget.left(call):
            break
        if call.snapshot.counts_calls and candidate.is_full:
            this = this or _Round()
            this.full.append(candidate)
            continue
        if this is not None and not this.takes(candidate):
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
            this = this or _Round()
            if not _goes_on(call, plan, candidate, failed, this):
                break
    else:
        if this is not None:
            return await _later(call, plan, this)
    raise _nobody(call, plan, this or _Round())


def _goes_on(call: Call, plan: Plan, candidate: Candidate, failed: AttemptFailed, this: _Round) -> bool:
    """Note a failure; tell whether the round goes on."""
    failure, row = failed.failure, cooldown.apply(failed.failure, candidate)
    this.last = failed
    if this.is_once:
        this.only = _nobody_else
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
        this.is_once = True
        this.only = lambda other: other.provider.id != candidate.provider.id and other.protocol != candidate.protocol
        return True
    return False


def _nobody_else(_: Candidate) -> bool:
    return False


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
    """Let a candidate speak; one whose answer was blank, that blamed what can be taken away, or whose sign-in was
    renewed gets a second chance at once: each only once in a call."""
    try:
        return await speak(call, candidate)
    except Blank:
        if call.blanks > 1 or not budget.left(call):
            raise
    except AttemptFailed as failed:
        if not budget.left(call):
            raise
        if not failed.mendable and not await signing.renewed_after(call, candidate, failed.failure):
            raise
    return await speak(call, candidate)


async def _later(call: Call, plan: Plan, this: _Round) -> Speaking:
    """Nobody speaks at once. Wait for room at those who are full, and give those who failed in a passing way a few more
    chances, each after a longer pause: whichever comes first."""
    call.reasoning_due = False
    if this.again:
        this.again = {**{one: 0.0 for one in this.skipped if one.site in this.sites}, **this.again}
        this.last = None
    patience = slots.Patience()
    turn: pauses.Turn | None = None
    while budget.left(call):
        if this.blamed is not None:
            this.again, turn = {}, None
        if turn is None and this.again:
            turn = pauses.next_turn(call, plan, this.again, this.turns)
            this.turns += 1
        candidate = await patience.room(this.full, pauses.ends(call) if turn is None else turn.at)
        if candidate is not None:
            this.full.remove(candidate)
            if not this.takes(candidate) or _is_put_off(candidate, this):
                continue
        elif turn is not None:
            await asyncio.sleep(max(0.0, turn.at - clock.monotonic()))
            candidate, wished, turn = turn.candidate, turn.wished, None
            if not _is_ready(call, candidate, wished, this, patience):
                continue
        else:
            break
        try:
            return await _spoken(call, candidate)
        except Blank as blank:
            raise verdict.unreadable(call, blank) from None
        except AttemptFailed as failed:
            if not _goes_on(call, plan, candidate, failed, this):
                break
    raise _nobody(call, plan, this)


def _is_put_off(candidate: Candidate, this: _Round) -> bool:
    """Tell whether one who has room now rests; note one whose address alone is at fault for another chance."""
    if not _is_closed(candidate, this):
        return False
    if candidate.site in this.sites:
        this.again.setdefault(candidate, 0.0)
    return True


def _is_ready(call: Call, candidate: Candidate, wished: float, this: _Round, patience: slots.Patience) -> bool:
    """Tell whether one whose turn has come can be asked; if not, note what it waits for now."""
    if _is_probed(candidate):
        this.again[candidate] = wished
        return False
    if call.snapshot.counts_calls and candidate.is_full:
        if patience.left > 0:
            this.full.append(candidate)
        else:
            this.again[candidate] = wished
        return False
    return True


def _nobody(call: Call, plan: Plan, this: _Round) -> GatewayError:
    """Say why nobody spoke. Who is only full may have room soon, which is more than the others' failures say."""
    if this.full and this.blamed is None:
        return slots.no_room()
    return verdict.summary(call, plan, this.last, this.blamed)


def _is_probed(candidate: Candidate) -> bool:
    """Tell whether the candidate's circuit is open, or somebody else is trying it just now."""
    rest = health.standing(candidate.key, candidate.site, candidate.model, clock.monotonic())
    return rest is not None and rest.is_open
