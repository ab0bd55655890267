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

    @property
    def amounts(self) -> tuple[int, int, int, int]:
        """Return what limits count of it, by their slot."""
        return 1, self.usual, self.tokens, self.nano


@dataclass(slots=True)
class Held:
    """What one call reserved, and must settle."""

    call_id: UUID
    worst: Worst
    buckets: list[tuple[LimitView, Bucket, int]] = field(default_factory=list)
    running: list[int] = field(default_factory=list)
    budgets: list[tuple[LimitView, int, int]] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)  # of the budgets, in the same order
    here: bool = True  # the budgets are held in this process
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sliding limit stands: `reset` is in how many seconds all of it is free again."""

    limit: int
    left: int
    reset: float


_lock = threading.Lock()  # the ledger's word comes from the writer's thread
# By the limit's number; a window also by its start.
_minutes: dict[int, Minute] = defaultdict(Minute)
_running: dict[int, int] = defaultdict(int)
_windows: dict[tuple[int, int], Window] = defaultdict(Window)
_held_far: set[UUID] = set()  # the calls of this process whose budgets are held in the database
_tended_at = float("-inf")
_asker = Asker("limits", waiting_limit=WAITING_LIMIT)


def read() -> Mapping[UUID, tuple[LimitView, ...]]:
    """Return the limits by the id of their tenant or key, and hear what their windows have spent (blocking)."""
    found: dict[UUID, tuple[LimitView, ...]] = {}
    now = clock.unix()
    current: set[ledger.Place] = set()
    for row in Limit.objects.filter(enabled=True):
        view = row.view
        if (owner := row.key_id or row.tenant_id) is not None:
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
    unix, amounts = clock.unix(), worst.amounts
    wishes = [(limit, limit.starts(unix), amounts[limit.slot]) for limit in limits if limit.is_budget]
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
    tokens, nano = min(max(0, tokens), MOST), min(max(0, nano), MOST)
    real = (1, tokens, tokens, nano)
    meant = None if counts is None else set(counts)
    charges: list[tuple[UUID, int, int]] = []
    call = held.call_id.int
    with _lock:
        for number in held.running:
            _running[number] -= 1
        for limit, bucket, amount in held.buckets:
            if limit.slot == 1:
                meant_here = meant is None or limit.id in meant
                _minutes[limit.number].correct(bucket, (tokens if meant_here else 0) - amount)
        for limit, starts, _ in held.budgets:
            charge = real[limit.slot] if meant is None or limit.id in meant else 0
            charges.append((limit.id, starts, charge))
        for window, (_, _, amount), (_, _, charge) in zip(held.windows, held.budgets, charges, strict=False):
            window.held -= amount
            window.settle(call, charge)
    return Bill(tokens=tokens, nano=nano, charges=charges) if charges else None


def confirm(call_ids: Iterable[UUID], spent: Mapping[ledger.Place, int]) -> None:
    """Hear that the ledger has these calls, and what their windows have spent now."""
    calls = [call_id.int for call_id in call_ids]
    with _lock:
        for (limit_id, starts), amount in spent.items():
            if (window := _windows.get((limit_id.int, starts))) is not None:
                window.heard(amount)
                for call in calls:
                    window.confirm(call)


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
        if limit.period == "minute" and limit.measure == measure:
            minute = _minutes[limit.number]
            left = max(0, limit.amount - minute.total)
            if tightest is None or left < tightest.left:
                tightest = Standing(limit.amount, left, minute.empty_in(now))
    return tightest


def used_here(limit: LimitView) -> int:
    """Return what this process counts of a limit by the minute, or of calls at a time."""
    with _lock:
        if limit.measure == "calls":
            return _running.get(limit.number, 0)
        minute = _minutes[limit.number]
        minute.slide(clock.monotonic())
        return minute.total


def forget() -> None:
    """Count anew, as after a start."""
    with _lock:
        for memory in (_minutes, _running, _windows, _held_far):
            memory.clear()


def _reserve_here(held: Held, limits: Sequence[LimitView]) -> None:
    """Look at all limits first, then count: a call that one limit refuses is counted by none."""
    now, unix = clock.monotonic(), clock.unix()
    amounts, here = held.worst.amounts, held.here
    minutes: list[tuple[LimitView, Minute, int]] = []
    with _lock:
        for limit in limits:
            amount = amounts[limit.slot]
            if limit.is_budget:
                if not here:
                    continue
                starts = limit.starts(unix)
                window = _windows[limit.number, starts]
                if window.spent + window.settled + window.held + amount > limit.amount:
                    raise _over(limit, alone=amount > limit.amount)
                held.windows.append(window)
                held.budgets.append((limit, starts, amount))
            elif limit.period:
                minute = _minutes[limit.number]
                minute.slide(now)
                if minute.total + amount > limit.amount:
                    alone = amount > limit.amount
                    wait = None if alone else minute.room_in(amount, limit.amount, now)
                    raise OverTheLimit(limit, retry_after=wait, alone=alone)
                minutes.append((limit, minute, amount))
            elif _running[limit.number] >= limit.amount:
                wait = IN_FLIGHT_RETRY if limit.amount else None
                raise OverTheLimit(limit, retry_after=wait, alone=not limit.amount)
            else:
                held.running.append(limit.number)
        # From here on nothing refuses any more.
        for number in held.running:
            _running[number] += 1
        for limit, minute, amount in minutes:
            held.buckets.append((limit, minute.add(amount, now), amount))
        for window, (_, _, amount) in zip(held.windows, held.budgets, strict=True):
            window.held += amount


def _over(limit: LimitView, *, alone: bool) -> OverTheLimit:
    unix = clock.unix()
    ends = limit.ends(unix)
    return OverTheLimit(limit, retry_after=None if alone or ends is None else ends - unix, alone=alone)


async def _ask_ledger(call_id: UUID, wishes: Sequence[tuple[LimitView, int, int]]) -> None:
    if _asker.busy_for() > PATIENCE:  # it hangs: to wait behind it is no use
        raise LedgerAway
    try:
        asked = _asker.ask(partial(ledger.hold, call_id, wishes, lease=settings.PROXY_LIMIT_LEASE))
    except TooManyWaiting:
        raise LedgerAway from None
    future = asyncio.wrap_future(asked)
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
        kept = {(limit_id.int, starts) for limit_id, starts in current}
        for place in [place for place, window in _windows.items() if place not in kept and window.is_idle]:
            del _windows[place]
        for limit_id, starts in current:
            _windows[limit_id.int, starts].heard(said.get((limit_id, starts), 0))
