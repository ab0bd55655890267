"""May this call be made, by the limits of its tenant and key? Reserve the worst case before it, settle after it.

What slides over a minute, and what runs at a time, is counted by each process (`PROXY_LIMITS` says where budgets are
counted). Budgets in tokens and money are kept here while one process serves; while several do, each reservation is one
transaction in the database (ledger.py), in a thread of its own: who asks is never let in without an answer. Settling
never waits: it returns the bill, which reaches the ledger with the call's record.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import django.db
from django.conf import settings as django_settings

from accounts import ledger
from accounts.asking import Asker, TooManyWaiting
from accounts.bill import Bill
from accounts.limit import MOST, Limit, LimitView, LimitWindow
from accounts.windows import Bucket, Minute, Window
from proxx.kit import clock
from proxx.kit.configured import settings

log = logging.getLogger(__name__)

PATIENCE = 3.0  # seconds for the database's answer; an honest one takes milliseconds
WAITING_LIMIT = 1000
IN_FLIGHT_RETRY = 1.0  # seconds: nobody knows when a running call ends


class OverTheLimit(Exception):
    """A limit says no. `retry_after` (seconds) is None if time does not mend it; `alone` says that this call by itself
    is more than the limit."""

    def __init__(self, limit: LimitView, *, retry_after: float | None, alone: bool = False) -> None:
        super().__init__(str(limit.id))
        self.limit, self.retry_after, self.alone = limit, retry_after, alone


class LedgerAway(Exception):
    """The database must say whether a budget has room, and does not."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The most that a call may use: `tokens` for budgets, `usual` tokens for rates, `nano` nano-dollars."""

    tokens: int = 0
    usual: int = 0
    nano: int = 0

    def of(self, limit: LimitView) -> int:
        """Return what a limit counts of it."""
        if limit.measure == "tokens":
            return self.tokens if limit.is_budget else self.usual
        return self.nano if limit.measure == "money" else 1


@dataclass(slots=True)
class Held:
    """What one call reserved, and must settle."""

    call_id: UUID
    worst: Worst
    buckets: list[tuple[LimitView, Bucket, int]] = field(default_factory=list)
    running: list[LimitView] = field(default_factory=list)
    budgets: list[tuple[LimitView, int, int]] = field(default_factory=list)
    here: bool = True  # the budgets are held in this process
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sliding limit stands: `reset` is in how many seconds all of it is free again."""

    limit: int
    left: int
    reset: float


_lock = threading.Lock()  # the ledger's word comes from the writer's thread
_minutes: dict[UUID, Minute] = defaultdict(Minute)
_running: dict[UUID, int] = defaultdict(int)
_windows: dict[ledger.Place, Window] = defaultdict(Window)
_held_far: set[UUID] = set()  # the calls of this process whose budgets are held in the database
_tended_at = float("-inf")
_asker = Asker("limits", waiting_limit=WAITING_LIMIT)


def read() -> Mapping[UUID, tuple[LimitView, ...]]:
    """Return the limits by the id of their tenant or key, and hear what their windows have spent (blocking)."""
    found: dict[UUID, tuple[LimitView, ...]] = {}
    now = clock.unix()
    current: set[ledger.Place] = set()
    for row in Limit.objects.filter(enabled=True):
        owner = row.key_id or row.tenant_id
        if owner is None:
            continue
        view = row.view
        found[owner] = (*found.get(owner, ()), view)
        if view.is_budget:
            current.add((view.id, view.starts(now)))
    if current:
        _hear(current)
    return found


def counts_here() -> bool:
    """Tell whether this process alone counts budgets: only then is its memory the truth."""
    if settings.PROXY_LIMITS == "auto":
        return "sqlite" in str(django_settings.DATABASES["default"]["ENGINE"])
    return bool(settings.PROXY_LIMITS == "local")


async def reserve(call_id: UUID, limits: Sequence[LimitView], worst: Worst) -> Held:
    """Reserve the worst case with every limit, all or none; raise `OverTheLimit` or `LedgerAway`."""
    held = Held(call_id, worst, here=counts_here())
    _reserve_here(held, limits)
    if held.here:
        return held
    wishes = [(limit, limit.starts(clock.unix()), worst.of(limit)) for limit in limits if limit.is_budget]
    if wishes:
        try:
            await _ask_ledger(call_id, wishes)
        except BaseException:
            settle(held, tokens=0, nano=0)
            raise
        held.budgets = wishes
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
    real = Worst(min(max(0, tokens), MOST), min(max(0, tokens), MOST), min(max(0, nano), MOST))
    meant = None if counts is None else set(counts)
    charges: list[tuple[UUID, int, int]] = []
    with _lock:
        for limit in held.running:
            _running[limit.id] -= 1
        for limit, bucket, amount in held.buckets:
            if limit.measure == "tokens":
                _minutes[limit.id].correct(bucket, (real.usual if _is_meant(limit, meant) else 0) - amount)
        for limit, starts, amount in held.budgets:
            charge = real.of(limit) if _is_meant(limit, meant) else 0
            charges.append((limit.id, starts, charge))
            if held.here:
                window = _windows[limit.id, starts]
                window.held -= amount
                window.settle(held.call_id, charge)
    return Bill(tokens=real.tokens, nano=real.nano, charges=charges) if charges else None


def confirm(call_ids: Iterable[UUID], spent: Mapping[ledger.Place, int]) -> None:
    """Hear that the ledger has these calls, and what their windows have spent now."""
    calls = list(call_ids)
    with _lock:
        for place, amount in spent.items():
            if (window := _windows.get(place)) is not None:
                window.heard(amount)
                for call_id in calls:
                    window.confirm(call_id)


def tend() -> None:
    """Now and then prolong what this process holds in the database, and give back what the dead held (blocking)."""
    global _tended_at
    now = clock.monotonic()
    if counts_here() or now - _tended_at < settings.PROXY_LIMIT_LEASE / 3:
        return
    _tended_at = now
    if _held_far:
        ledger.renew(list(_held_far), lease=settings.PROXY_LIMIT_LEASE)
    ledger.reap()


def standing(limits: Iterable[LimitView], measure: str) -> Standing | None:
    """Return how the tightest limit per minute of that measure stands; None if there is none."""
    tightest: Standing | None = None
    now = clock.monotonic()
    for limit in limits:
        if limit.measure == measure and limit.period == "minute":
            minute = _minutes[limit.id]
            left = max(0, limit.amount - minute.total)
            if tightest is None or left < tightest.left:
                tightest = Standing(limit.amount, left, minute.empty_in(now))
    return tightest


def used_here(limit: LimitView) -> int:
    """Return what this process counts of a limit by the minute, or of calls at a time."""
    with _lock:
        if limit.measure == "calls":
            return _running.get(limit.id, 0)
        minute = _minutes[limit.id]
        minute.slide(clock.monotonic())
        return minute.total


def forget() -> None:
    """Count anew, as after a start."""
    with _lock:
        _minutes.clear()
        _running.clear()
        _windows.clear()
        _held_far.clear()


def _reserve_here(held: Held, limits: Sequence[LimitView]) -> None:
    """Look at all limits first, then count: a call that one limit refuses is counted by none."""
    now, unix = clock.monotonic(), clock.unix()
    worst = held.worst
    with _lock:
        for limit in limits:
            _look(limit, worst.of(limit), now, unix, here=held.here)
        for limit in limits:
            amount = worst.of(limit)
            if limit.period == "minute":
                held.buckets.append((limit, _minutes[limit.id].add(amount, now), amount))
            elif limit.measure == "calls":
                _running[limit.id] += 1
                held.running.append(limit)
            elif held.here:
                starts = limit.starts(unix)
                _windows[limit.id, starts].held += amount
                held.budgets.append((limit, starts, amount))


def _look(limit: LimitView, amount: int, now: float, unix: float, *, here: bool) -> None:
    alone = amount > limit.amount
    if limit.period == "minute":
        minute = _minutes[limit.id]
        minute.slide(now)
        if minute.total + amount > limit.amount:
            wait = None if alone else minute.room_in(amount, limit.amount, now)
            raise OverTheLimit(limit, retry_after=wait, alone=alone)
    elif limit.measure == "calls":
        if _running[limit.id] >= limit.amount:
            raise OverTheLimit(limit, retry_after=None if alone else IN_FLIGHT_RETRY, alone=alone)
    elif here and _windows[limit.id, limit.starts(unix)].used + amount > limit.amount:
        raise _over(limit, alone=alone)


def _over(limit: LimitView, *, alone: bool) -> OverTheLimit:
    unix = clock.unix()
    ends = limit.ends(unix)
    return OverTheLimit(limit, retry_after=None if alone or ends is None else ends - unix, alone=alone)


async def _ask_ledger(call_id: UUID, wishes: Sequence[tuple[LimitView, int, int]]) -> None:
    if _asker.busy_for() > PATIENCE:  # it hangs: to wait behind it is no use
        raise LedgerAway
    try:
        future = asyncio.wrap_future(
            _asker.ask(partial(ledger.hold, call_id, wishes, lease=settings.PROXY_LIMIT_LEASE))
        )
    except TooManyWaiting:
        raise LedgerAway from None
    done, _ = await asyncio.wait([future], timeout=PATIENCE)
    if not done:
        raise LedgerAway
    try:
        future.result()
    except ledger.Spent as spent:
        amount = next(amount for limit, _, amount in wishes if limit is spent.limit)
        raise _over(spent.limit, alone=amount > spent.limit.amount) from None
    except django.db.Error:
        log.warning("A budget could not be asked: the database does not answer.")
        raise LedgerAway from None


def _hear(current: set[ledger.Place]) -> None:
    limits, starts_at = {limit_id for limit_id, _ in current}, {starts for _, starts in current}
    rows = LimitWindow.objects.filter(limit_id__in=limits, starts__in=starts_at)
    said = {(limit_id, starts): spent for limit_id, starts, spent in rows.values_list("limit_id", "starts", "spent")}
    with _lock:
        for place in [place for place, window in _windows.items() if place not in current and window.is_idle]:
            del _windows[place]
        for place in current:
            _windows[place].heard(said.get(place, 0))


def _is_meant(limit: LimitView, meant: set[UUID] | None) -> bool:
    return meant is None or limit.id in meant
