"""What the database sets aside of a budget for Redis to hand out: a Hold with what was `granted` in all.

A tranche grows in the statement that sees what is left, never beyond it, and shrinks by each charge of a call that was
served from it. So spent and held together never exceed the budget, whatever becomes of Redis: what it forgets stays
held until the lease ends. Lock order as in ledger.py: holds before windows, both in the order of their keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import ledger
from accounts.ledger import Place, Spent
from accounts.limit import Hold, LimitView, LimitWindow
from proxx.kit import clock

SHARE = 8  # a tranche takes an eighth of what is left, if the call needs no more


class Underway(Exception):
    """Another process was given what is left, and has not handed it to Redis yet."""


class TooWide(Exception):
    """The amount is more than Redis can count."""


@dataclass(frozen=True, slots=True)
class Short:
    """A tranche that has too little for a call: what is missing, and what Redis was granted until then.

    `old` is a tranche that was closed, with the `rest` that nobody used.
    """

    limit: LimitView
    starts: int
    tranche: UUID
    missing: int
    granted: int
    old: UUID | None = None
    rest: int = 0


def grow(shorts: Iterable[Short], *, lease: float, most: int) -> list[tuple[Short, int]]:
    """Set aside what is missing, or more, and return how much for each; raise `Spent` if a budget has not that much
    left (then nothing was set aside), `Underway` if somebody else is about to bring it, `TooWide` beyond `most`."""
    ordered = sorted(shorts, key=lambda short: short.limit.id)
    for short in ordered:  # by themselves: they are free, whatever the rest comes to
        if short.old is not None and short.rest:
            give_back(short.limit.id, short.starts, short.old, short.rest)
    try:
        return _grow(ordered, lease, most)
    except Spent:
        if not ledger.reap():
            raise
        return _grow(ordered, lease, most)


def give_back(limit_id: UUID, starts: int, tranche: UUID, amount: int) -> None:
    """Return what Redis did not take, or did not use. A tranche that is gone was given back with its lease."""
    with transaction.atomic():
        hold = _locked([tranche]).get(tranche)
        if hold is not None:
            back = min(amount, hold.amount)
            Hold.objects.filter(pk=hold.pk).update(amount=F("amount") - back)
            LimitWindow.objects.filter(limit_id=limit_id, starts=starts).update(held=F("held") - back)


def _grow(shorts: Sequence[Short], lease: float, most: int) -> list[tuple[Short, int]]:
    ends = int(clock.unix() + lease)
    with transaction.atomic():
        new = sorted((short.tranche, short.limit.id, short.starts) for short in shorts)
        Hold.objects.bulk_create(
            [Hold(call_id=one, limit_id=limit, starts=starts, amount=0, ends=ends) for one, limit, starts in new],
            ignore_conflicts=True,
        )
        holds = _locked([one for one, *_ in new])
        windows = _windows([(short.limit.id, short.starts) for short in shorts])
        given = []
        for short in shorts:
            window, hold = windows[short.limit.id, short.starts], holds[short.tranche]
            left = short.limit.amount - window.spent - window.held
            if left < short.missing:
                if hold.granted > short.granted:
                    raise Underway
                raise Spent(short.limit, left)
            amount = max(short.missing, left // SHARE, 0)
            if hold.granted + amount > most:
                amount = short.missing
            if hold.granted + amount > most:
                raise TooWide
            hold.amount += amount
            hold.granted += amount
            window.held += amount
            given.append((short, amount))
            Hold.objects.filter(pk=hold.pk).update(amount=hold.amount, granted=hold.granted, ends=ends)
            LimitWindow.objects.filter(pk=window.pk).update(held=window.held)
    return given


def _windows(places: Sequence[Place]) -> dict[Place, LimitWindow]:
    """Make what is not there, lock, and return: in the order of the keys."""
    ledger.make(sorted(places))
    limits, starts = {limit_id for limit_id, _ in places}, {starts for _, starts in places}
    rows = LimitWindow.objects.select_for_update().filter(limit_id__in=limits, starts__in=starts)
    return {(row.limit_id, row.starts): row for row in rows.order_by("limit_id", "starts")}


def _locked(tranches: Sequence[UUID]) -> dict[UUID, Hold]:
    rows = Hold.objects.select_for_update().filter(call_id__in=tranches).order_by("call_id", "limit_id")
    return {row.call_id: row for row in rows}
