"""What this process counts by itself: sliding minutes, running calls, and, while it serves alone, budgets.

Its memory of budgets is a copy of the ledger, which speaks up (`hear`, `confirm`) from the writer's thread.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accounts import ledger
from accounts.bill import by_slot
from accounts.held import Budget, Held, OverTheLimit, Standing
from accounts.limit import LimitView
from accounts.limit_set import MOST_REMEMBERED, LimitSet, Places
from accounts.windows import Minute, Window
from proxx.kit import clock

IN_FLIGHT_RETRY = 1.0  # seconds: nobody knows when a running call ends

_lock = threading.Lock()
# By the limit's number; a window also by its start.
_minutes: dict[int, Minute] = defaultdict(Minute)
_running: dict[int, int] = defaultdict(int)
_windows: dict[tuple[int, int], Window] = defaultdict(Window)
# What was settled here and is not confirmed by the ledger, by the call's id as a number: the budgets that are charged,
# and the amounts by their slot.
_unconfirmed: dict[int, tuple[Sequence[Budget], Sequence[int]]] = {}
_counters: dict[int, "_Counters"] = {}  # by the identity of a set of limits


@dataclass(frozen=True, slots=True)
class _Counters:
    """Where the limits of a set are counted, while its budgets' windows are those of `places`. A budget is told by its
    window, its slot in the amounts and how much it allows; a limit by the minute the same way, and by its number; one
    of calls at a time by its number and how many it allows."""

    limits: LimitSet
    places: Places
    budgets: Sequence[Budget]
    minutes: Sequence[tuple[Minute, int, int, int]]
    at_once: Sequence[tuple[int, int]]


def take(held: Held) -> None:
    """Look at all limits first, then count: a call that one limit refuses is counted by none. Raises `OverTheLimit`.

    Budgets are counted if they are held here.
    """
    now, unix = clock.monotonic(), clock.unix()
    limits, amounts = held.limits, held.worst.amounts
    with _lock:
        counters = _counters_of(limits, limits.places(unix))
        for minute, _, _, _ in counters.minutes:
            minute.slide(now)
        if not _fits(counters, amounts, here=held.here):
            raise _refusal(counters, amounts, now, here=held.here)
        # From here on nothing refuses any more.
        held.running = True
        for number, _ in counters.at_once:
            _running[number] += 1
        lefts, buckets = {}, []
        for minute, slot, most, number in counters.minutes:
            buckets.append((number, slot, minute, minute.add(amounts[slot], now)))
            lefts[number] = most - minute.total
        held.lefts, held.buckets = lefts, buckets
        if held.here:
            held.places, held.budgets = counters.places, counters.budgets
            for window, slot, _ in counters.budgets:
                window.used += amounts[slot]


def give(held: Held, tokens: int, nano: int, meant: set[int] | None) -> None:
    """Correct what was counted by what the answer came to; `meant` are the numbers of the limits that it counts for
    (None: all)."""
    amounts, real = held.worst.amounts, by_slot(tokens, nano)
    with _lock:
        if held.running:
            for limit in held.limits.at_once:
                _running[limit.number] -= 1
        for number, slot, minute, bucket in held.buckets:
            if slot == 1:
                counts = meant is None or number in meant
                minute.correct(bucket, (tokens if counts else 0) - amounts[1])
        if held.budgets:
            charged = held.budgets
            if meant is not None:
                pairs = zip(held.budgets, held.places, strict=True)
                charged = [budget for budget, (limit, _) in pairs if limit.number in meant]
            for window, slot, _ in held.budgets:
                window.used -= amounts[slot]
            for window, slot, _ in charged:
                window.used += real[slot]
            _unconfirmed[held.call_id.int] = charged, real


def confirm(calls: Sequence[int], words: Mapping[ledger.Place, int]) -> None:
    """Hear that the ledger has these calls (their ids as numbers), and what their windows have spent now."""
    with _lock:
        for (limit_id, starts), amount in words.items():
            if (window := _windows.get((limit_id.int, starts))) is not None:
                window.heard(amount)
        for call in calls:
            if (settled := _unconfirmed.pop(call, None)) is not None:
                budgets, amounts = settled
                for window, slot, _ in budgets:
                    window.used -= amounts[slot]


def hear(current: set[ledger.Place], said: Mapping[ledger.Place, int]) -> None:
    """Take the ledger's word about the windows of now; forget those of the past that nobody needs."""
    with _lock:
        kept = {(limit_id.int, starts) for limit_id, starts in current}
        gone = [place for place, window in _windows.items() if place not in kept and window.used == window.spent]
        for place in gone:
            del _windows[place]
        if gone:
            _counters.clear()  # they may know windows that are no more
        for limit_id, starts in current:
            _windows[limit_id.int, starts].heard(said.get((limit_id, starts), 0))


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


def used(limit: LimitView) -> int:
    """Return what is counted of a limit by the minute, or of calls at a time."""
    with _lock:
        if limit.measure == "calls":
            return _running.get(limit.number, 0)
        minute = _minutes[limit.number]
        minute.slide(clock.monotonic())
        return minute.total


def forget() -> None:
    """Count anew, as after a start."""
    with _lock:
        for memory in (_minutes, _running, _windows, _unconfirmed, _counters):
            memory.clear()


def spent(limit: LimitView, *, alone: bool) -> OverTheLimit:
    """Return the refusal of a budget: its next window is when there is room again."""
    unix = clock.unix()
    ends = limit.ends(unix)
    return OverTheLimit(limit, retry_after=None if alone or ends is None else ends - unix, alone=alone)


def _counters_of(limits: LimitSet, places: Places) -> _Counters:
    found = _counters.get(id(limits))
    if found is None or found.limits is not limits or found.places is not places:
        if len(_counters) >= MOST_REMEMBERED:
            _counters.clear()
        budgets = tuple((_windows[limit.number, starts], limit.slot, limit.amount) for limit, starts in places)
        minutes = tuple((_minutes[one.number], one.slot, one.amount, one.number) for one in limits.minutes)
        at_once = tuple((one.number, one.amount) for one in limits.at_once)
        found = _counters[id(limits)] = _Counters(limits, places, budgets, minutes, at_once)
    return found


def _fits(counters: _Counters, amounts: Sequence[int], *, here: bool) -> bool:
    if here:
        for window, slot, most in counters.budgets:
            if window.used + amounts[slot] > most:
                return False
    for minute, slot, most, _ in counters.minutes:
        if minute.total + amounts[slot] > most:
            return False
    for number, most in counters.at_once:  # noqa: SIM110  a generator costs more than all of the rest
        if _running[number] >= most:
            return False
    return True


def _refusal(counters: _Counters, amounts: Sequence[int], now: float, *, here: bool) -> OverTheLimit:
    """Return what the first limit says that has no room; who asks knows that there is one."""
    starts_of = {limit.number: starts for limit, starts in counters.places}
    for limit in counters.limits:
        amount = amounts[limit.slot]
        alone = amount > limit.amount
        if limit.is_budget:
            if here and _windows[limit.number, starts_of[limit.number]].used + amount > limit.amount:
                return spent(limit, alone=alone)
        elif limit.period:
            minute = _minutes[limit.number]
            if minute.total + amount > limit.amount:
                wait = None if alone else minute.room_in(amount, limit.amount, now)
                return OverTheLimit(limit, retry_after=wait, alone=alone)
        elif _running[limit.number] >= limit.amount:
            break
    return OverTheLimit(limit, retry_after=IN_FLIGHT_RETRY if limit.amount else None, alone=not limit.amount)
