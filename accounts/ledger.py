"""The statements of the ledger: hold before a call, charge after it, give back what a dead process held.

All of them block: they run in a thread of their own. Two locks are never taken crosswise: holds come before windows,
both in the order of their keys.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.bill import Bill
from accounts.limit import Hold, LedgerEntry, LimitView, LimitWindow
from proxx.kit import clock

Place = tuple[UUID, int]  # a limit and the start of its window
COLUMNS = ("id", "tenant_id", "key_id", "model", "tokens", "nano")


@dataclass(frozen=True, slots=True)
class Owed:
    """A settled call, and what it is charged."""

    call_id: UUID
    tenant_id: UUID
    key_id: UUID | None
    model: str
    bill: Bill


class Spent(Exception):
    """A budget does not have that much left."""

    def __init__(self, limit: LimitView, left: int) -> None:
        super().__init__(f"{limit.id} has {left} left")
        self.limit, self.left = limit, left


def hold(call_id: UUID, wishes: Iterable[tuple[LimitView, int, int]], *, lease: float) -> None:
    """Hold an amount of each limit (with the start of its window) for one call; all of them, or `Spent` and none."""
    ordered = sorted(wishes, key=lambda wish: wish[0].id)
    ends = int(clock.unix() + lease)
    try:
        _hold(call_id, ordered, ends)
    except Spent:
        if not reap():
            raise
        _hold(call_id, ordered, ends)


def _hold(call_id: UUID, wishes: Sequence[tuple[LimitView, int, int]], ends: int) -> None:
    with transaction.atomic():
        for limit, starts, amount in wishes:
            window = _window((limit.id, starts))
            fits = window.filter(held__lte=limit.amount - amount - F("spent"))
            if not fits.update(held=F("held") + amount):
                _make([(limit.id, starts)])
                if not fits.update(held=F("held") + amount):
                    spent, held = window.values_list("spent", "held").get()
                    raise Spent(limit, limit.amount - spent - held)
        Hold.objects.bulk_create(
            [
                Hold(call_id=call_id, limit_id=limit.id, starts=starts, amount=amount, ends=ends)
                for limit, starts, amount in wishes
            ]
        )


def charge(owed: Sequence[Owed]) -> dict[Place, int]:
    """Enter calls that are not in the ledger yet, add them to their windows and end their holds; return what the
    windows have spent now. Part of the caller's transaction."""
    known = set(LedgerEntry.objects.filter(pk__in=[one.call_id for one in owed]).values_list("pk", flat=True))
    new = list({one.call_id: one for one in owed if one.call_id not in known}.values())
    _enter(new)
    changes: dict[Place, list[int]] = defaultdict(lambda: [0, 0])
    for one in new:
        for limit_id, starts, amount in one.bill.charges:
            changes[limit_id, starts][0] += amount
    for one in owed:  # where the windows of known calls stand is told, too
        for limit_id, starts, _ in one.bill.charges:
            changes.setdefault((limit_id, starts), [0, 0])
    for limit_id, starts, amount in _end(Hold.objects.filter(call_id__in=[one.call_id for one in new])):
        changes[limit_id, starts][1] -= amount
    return _move(changes)


def reap() -> int:
    """Give back what was held by calls whose lease is over; return how many holds that were."""
    with transaction.atomic():
        ended = _end(Hold.objects.filter(ends__lt=int(clock.unix())))
        changes: dict[Place, list[int]] = defaultdict(lambda: [0, 0])
        for limit_id, starts, amount in ended:
            changes[limit_id, starts][1] -= amount
        _move(changes)
    return len(ended)


def renew(call_ids: Sequence[UUID], *, lease: float) -> None:
    """Prolong the leases of calls that still run."""
    Hold.objects.filter(call_id__in=call_ids).update(ends=int(clock.unix() + lease))


def _enter(new: Sequence[Owed]) -> None:
    if not new:
        return
    native = connection.vendor == "postgresql"
    rows = [
        (
            one.call_id if native else one.call_id.hex,
            one.tenant_id if native else one.tenant_id.hex,
            one.key_id if native or one.key_id is None else one.key_id.hex,
            one.model[:200],
            one.bill.tokens,
            one.bill.nano,
        )
        for one in new
    ]
    # Plain tuples: Django's instances cost more than all the rest of an entry's way.
    names, marks = ", ".join(f'"{name}"' for name in COLUMNS), ", ".join(["%s"] * len(COLUMNS))
    with connection.cursor() as cursor:
        # Names of ours only; what a call says travels as parameters.
        cursor.executemany(f'INSERT INTO "{LedgerEntry._meta.db_table}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def _end(holds: QuerySet[Hold]) -> list[tuple[UUID, int, int]]:
    """Delete holds, and return what they held; what somebody else ends at this moment is theirs."""
    found = list(
        holds.select_for_update().order_by("call_id", "limit_id").values_list("call_id", "limit_id", "starts", "amount")
    )
    if found:
        Hold.objects.filter(call_id__in={call_id for call_id, *_ in found}).delete()
    return [(limit_id, starts, amount) for _, limit_id, starts, amount in found]


def _move(changes: dict[Place, list[int]]) -> dict[Place, int]:
    now: dict[Place, int] = {}
    _make(sorted(changes))
    for place in sorted(changes):
        spent, held = changes[place]
        if spent or held:
            _window(place).update(spent=F("spent") + spent, held=F("held") + held)
        now[place] = _window(place).values_list("spent", flat=True).get()
    return now


def _make(places: Sequence[Place]) -> None:
    if places:
        LimitWindow.objects.bulk_create(
            [LimitWindow(limit_id=limit_id, starts=starts) for limit_id, starts in places], ignore_conflicts=True
        )


def _window(place: Place) -> QuerySet[LimitWindow]:
    return LimitWindow.objects.filter(limit_id=place[0], starts=place[1])
