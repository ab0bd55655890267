"""May this call be made, by the limits of its tenant and key? Reserve the worst case before it, settle after it.

`PROXY_LIMITS` says where they are counted. `local`: in this process (counted_here.py), which serves alone. `redis`: by
all processes together (shared_limits.py). `database`, and while Redis is away: each reservation of a budget is one
transaction (ledger.py), in a thread of its own: who asks is never let in without an answer; the rest is counted by each
process. Settling never waits: it returns the bill, which reaches the ledger with the call's record.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from uuid import UUID

import django.db

from accounts import alone, counted_here, key_line, ledger, shared_limits
from accounts.asking import Asker, TooManyWaiting
from accounts.bill import Bill, by_slot
from accounts.held import Held, LedgerAway, Standing, Worst
from accounts.limit import MOST, Limit, LimitView, LimitWindow
from accounts.limit_set import LimitSet
from accounts.windows import SLIDE
from proxx.kit import clock
from proxx.kit.configured import settings

log = logging.getLogger(__name__)

PATIENCE = 3.0  # seconds for one answer of the database; an honest one takes milliseconds
MOST_PATIENCE = 20.0  # seconds in a line that moves: many at once are no reason to let nobody in
WAITING_LIMIT = 1000

Answer = TypeVar("Answer")

_held_far: set[UUID] = set()  # the calls of this process whose budgets are held in the database
_tended_at = float("-inf")
_asker = Asker("limits", waiting_limit=WAITING_LIMIT)


def read() -> Mapping[UUID, tuple[LimitView, ...]]:
    """Return the limits by the id of their tenant or key, and hear what their windows have spent (blocking)."""
    found: dict[UUID, tuple[LimitView, ...]] = {}
    now = clock.unix()
    current: set[ledger.Place] = set()
    roots = key_line.roots()
    for row in Limit.objects.filter(enabled=True):
        view = row.view
        if (owner := roots.get(row.key_id, row.key_id) if row.key_id else row.tenant_id) is not None:
            found[owner] = (*found.get(owner, ()), view)
        if view.is_budget:
            current.add((view.id, view.starts(now)))
    found |= {key_id: found[root] for key_id, root in roots.items() if root in found}
    if current:
        _hear(current)
    return found


def begin() -> None:
    """At the start of a process that serves: say it if another one counts here already."""
    if counted() == "local":
        alone.claim()


def counted() -> str:
    """Tell where limits are counted: `local`, `database` or `redis`."""
    said = str(settings.PROXY_LIMITS)
    if said != "auto":
        return said
    if "sqlite" in str(settings.DATABASES["default"]["ENGINE"]):
        return "local"
    return "redis" if settings.REDIS_URL else "database"


async def reserve(call_id: UUID, limits: Sequence[LimitView], worst: Worst) -> Held:
    """Reserve the worst case with every limit, all or none; raise `OverTheLimit` or `LedgerAway`."""
    where = counted()
    together = limits if isinstance(limits, LimitSet) else LimitSet(limits)
    held = Held(call_id, worst, together, here=where == "local")
    if held.here and together.budgets and not alone.is_alone():
        raise LedgerAway
    if where == "redis":
        try:
            await shared_limits.take(held, _ask)
        except shared_limits.NotCounted:
            pass  # each process for itself, and the database for budgets
        else:
            return held
    counted_here.take(held)
    if held.here or not together.budgets:
        return held
    places, amounts = together.places(clock.unix()), worst.amounts
    try:
        await _hold(call_id, [(limit, starts, amounts[limit.slot]) for limit, starts in places])
    except BaseException:
        settle(held, tokens=0, nano=0)
        raise
    held.places = places
    _held_far.add(call_id)
    return held


def settle(held: Held, *, tokens: int, nano: int, counts: Iterable[UUID] | None = None) -> Bill | None:
    """Correct a reservation by what the call came to, once; return the bill if it had a budget.

    `counts` are the limits that the answer falls under, None for all: an answer of another model than expected is not
    charged to a limit of the expected one.
    """
    if held.settled:
        return None
    held.settled = True
    _held_far.discard(held.call_id)
    tokens, nano = min(max(0, tokens), MOST), min(max(0, nano), MOST)
    meant = None if counts is None else {limit_id.int for limit_id in counts}
    if held.shared:
        shared_limits.give(held, tokens, nano, meant)
    else:
        counted_here.give(held, tokens, nano, meant)
    if not held.places:
        return None
    if meant is None:
        return Bill(tokens=tokens, nano=nano, tranches=held.tranches, windows=held.places.written)
    real = by_slot(tokens, nano)
    charges = [(limit.id, starts, real[limit.slot] if limit.number in meant else 0) for limit, starts in held.places]
    return Bill(tokens=tokens, nano=nano, charges=charges, tranches=held.tranches)


def confirm(call_ids: Iterable[UUID], spent: Mapping[ledger.Place, int]) -> None:
    """Hear that the ledger has these calls, and what their windows have spent now."""
    counted_here.confirm([call_id.int for call_id in call_ids], spent)


def tend() -> None:
    """Now and then prolong what the calls of this process hold elsewhere, and give back what the dead held
    (blocking)."""
    global _tended_at
    now, where = clock.monotonic(), counted()
    if where == "local":
        alone.claim(read)  # what the other process has spent comes first
        return
    if now - _tended_at < settings.PROXY_LIMIT_LEASE / 3:
        return
    _tended_at = now
    if calls := [*_held_far, *shared_limits.tranches_in_use()]:
        ledger.renew(calls, lease=settings.PROXY_LIMIT_LEASE)
    ledger.reap()
    if where == "redis":
        shared_limits.tend()


def standing(limits: Iterable[LimitView], measure: str, lefts: Mapping[int, int] | None = None) -> Standing | None:
    """Return how the tightest limit per minute of that measure stands, `lefts` being what was said of it; None if there
    is none."""
    if lefts is None:
        return counted_here.standing(limits, measure)
    tightest, least = None, 0
    for one in limits:
        if one.measure == measure and (left := lefts.get(one.number)) is not None and (not tightest or left < least):
            tightest, least = one, left
    return None if tightest is None else Standing(tightest.amount, least, SLIDE if least < tightest.amount else 0)


def used(limits: Sequence[LimitView]) -> tuple[list[int], bool]:
    """Return what is used of each limit now, running calls included, and whether that is true of all processes
    (blocking)."""
    unix, where = clock.unix(), counted()
    places = {one.id: one.starts(unix) for one in limits if one.is_budget}
    rows = LimitWindow.objects.filter(limit_id__in=places, starts__in=set(places.values())) if places else []
    booked = {row.limit_id: row.spent + row.held for row in rows if places[row.limit_id] == row.starts}
    told = shared_limits.look(limits) if where == "redis" else None
    if told is None:
        found = [booked.get(one.id, 0) if one.is_budget else counted_here.used(one) for one in limits]
        return found, where == "local"
    # What Redis may hand out yet is set aside, but nobody uses it.
    pairs = zip(limits, told, strict=True)
    return [max(0, booked.get(one.id, 0) - said) if one.is_budget else said for one, said in pairs], True


def forget() -> None:
    """Count anew, as after a start."""
    _held_far.clear()
    counted_here.forget()
    alone.let_go()
    shared_limits.forget()


async def _hold(call_id: UUID, wishes: Sequence[tuple[LimitView, int, int]]) -> None:
    try:
        await _ask(partial(ledger.hold, call_id, wishes, lease=settings.PROXY_LIMIT_LEASE))
    except ledger.Spent as spent:
        amount = next(amount for limit, _, amount in wishes if limit is spent.limit)
        raise counted_here.spent(spent.limit, alone=amount > spent.limit.amount) from None


async def _ask(question: Callable[[], Answer]) -> Answer:
    """Ask the database in a thread; raise `LedgerAway`, or what the question raises."""
    if _asker.busy_for() > PATIENCE:  # it hangs: to wait behind it is no use
        raise LedgerAway
    try:
        asked = _asker.ask(question)
    except TooManyWaiting:
        raise LedgerAway from None
    future, began = asyncio.wrap_future(asked), clock.monotonic()
    while not (await asyncio.wait([future], timeout=PATIENCE))[0]:
        if _asker.busy_for() > PATIENCE or clock.monotonic() - began > MOST_PATIENCE:
            raise LedgerAway
    try:
        return future.result()
    except django.db.Error:
        log.warning("A budget could not be asked: the database does not answer.")
        raise LedgerAway from None


def _hear(current: set[ledger.Place]) -> None:
    limits, starts_at = {limit_id for limit_id, _ in current}, {starts for _, starts in current}
    rows = LimitWindow.objects.filter(limit_id__in=limits, starts__in=starts_at)
    words = rows.values_list("limit_id", "starts", "spent")
    counted_here.hear(current, {(limit_id, starts): spent for limit_id, starts, spent in words})
