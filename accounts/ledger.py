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
from proxx.kit import clock, fastjson

Place = tuple[UUID, int]  # a limit and the start of its window


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
                make([(limit.id, starts)])
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
    if not owed:
        return {}
    by_call = {one.call_id.int: one for one in owed}
    entered = _enter(list(by_call.values()))
    new = [one for call, one in by_call.items() if call in entered]
    changes = {place: [amount, 0] for place, amount in _sums(new).items()}
    if len(new) < len(owed):  # where those stand that were known is told, too
        for place in _sums(owed):
            changes.setdefault(place, [0, 0])
    # A call that was served from tranches holds nothing by itself.
    for limit_id, starts, amount in _end([one.call_id for one in new if not one.bill.tranches], _of_tranches(new)):
        changes.setdefault((limit_id, starts), [0, 0])[1] -= amount
    return _move(changes)


def reap() -> int:
    """Give back what was held by calls whose lease is over; return how many holds that were."""
    with transaction.atomic():
        ended = _locked(Hold.objects.filter(ends__lt=int(clock.unix())))
        Hold.objects.filter(call_id__in={call_id for call_id, *_ in ended}).delete()
        changes: dict[Place, list[int]] = defaultdict(lambda: [0, 0])
        for _, limit_id, starts, amount in ended:
            changes[limit_id, starts][1] -= amount
        _move(changes)
    return len(ended)


def renew(call_ids: Sequence[UUID], *, lease: float) -> None:
    """Prolong the leases of calls that still run."""
    Hold.objects.filter(call_id__in=call_ids).update(ends=int(clock.unix() + lease))


def _enter(owed: Sequence[Owed]) -> set[int]:
    """Enter what is not there yet, and return the calls (ids as numbers) for which that was so.

    Plain statements: Django's instances, and its lists of ids, cost more than all the rest of an entry's way.
    """
    rows = [(one.call_id, one.tenant_id, one.key_id, one.model[:200], one.bill.tokens, one.bill.nano) for one in owed]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A call that somebody else enters at this moment is waited for.
            cursor.execute(_ENTER_ALL, [list(column) for column in zip(*rows, strict=True)])
            return {call_id.int for (call_id,) in cursor.fetchall()}
        # SQLite has one writer, and that is us: nothing comes between the two statements.
        words = [
            (call.hex, tenant.hex, key and key.hex, model, tokens, nano)
            for call, tenant, key, model, tokens, nano in rows
        ]
        cursor.execute(_KNOWN, [fastjson.dumps([row[0] for row in words]).decode()])
        known = {word for (word,) in cursor.fetchall()}
        cursor.executemany(_ENTER, [row for row in words if row[0] not in known] if known else words)
    return {one.call_id.int for one in owed if not known or one.call_id.hex not in known}


def _sums(owed: Sequence[Owed]) -> dict[Place, int]:
    """Return what is charged in each window. Most bills of a moment have the same windows: those are added first."""
    sums: dict[Place, int] = defaultdict(int)
    together: dict[int, tuple[Bill, list[int]]] = {}
    for one in owed:
        bill = one.bill
        if bill.charges:
            for limit_id, starts, amount in bill.charges:
                sums[limit_id, starts] += amount
            continue
        # By identity, which is quick to look up by; the bills, which are kept meanwhile, keep it true.
        known = together.get(id(bill.windows))
        if known is None:
            together[id(bill.windows)] = bill, [1, bill.tokens, bill.nano]
        else:
            total = known[1]
            total[0] += 1
            total[1] += bill.tokens
            total[2] += bill.nano
    for bill, (times, tokens, nano) in together.values():
        whole = Bill(tokens=tokens, nano=nano, windows=bill.windows)
        for limit_id, starts, amount in whole.charged(times=times):
            sums[limit_id, starts] += amount
    return dict(sums)


def _of_tranches(new: Sequence[Owed]) -> dict[UUID, int]:
    charged: dict[int, int] = defaultdict(int)
    for one in new:
        if one.bill.tranches:
            for tranche, (_, _, amount) in zip(one.bill.tranches, one.bill.charged(), strict=False):
                charged[tranche.int] += amount
    return {UUID(int=number): amount for number, amount in charged.items()}


def _end(calls: Sequence[UUID], charged: dict[UUID, int]) -> list[tuple[UUID, int, int]]:
    """Delete the holds of calls, take what was charged out of the tranches, and return by how much that is less held;
    what somebody else ends at this moment is theirs."""
    less: list[tuple[UUID, int, int]] = []
    ended = False
    # Who counts in memory holds nothing here; to ask for each of its calls would cost more than to enter them.
    if not charged and not _anything_held():
        return less
    for call_id, limit_id, starts, amount in _locked(Hold.objects.filter(call_id__in=[*calls, *charged])):
        if call_id not in charged:
            ended = True
        else:  # a tranche is one hold of one limit
            amount = min(amount, charged[call_id])
            Hold.objects.filter(call_id=call_id).update(amount=F("amount") - amount)
        less.append((limit_id, starts, amount))
    if ended:
        Hold.objects.filter(call_id__in=calls).delete()
    return less


def _anything_held() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        return cursor.fetchone() is not None


def _locked(holds: QuerySet[Hold]) -> list[tuple[UUID, UUID, int, int]]:
    ordered = holds.select_for_update().order_by("call_id", "limit_id")
    return list(ordered.values_list("call_id", "limit_id", "starts", "amount"))


def _move(changes: dict[Place, list[int]]) -> dict[Place, int]:
    """Add to windows, and return what they have spent now: two statements, however many windows there are."""
    places = sorted(changes)
    if not places:
        return {}
    spent = _lock(places)
    if missing := [place for place in places if place not in spent]:
        make(missing)
        spent = _lock(places)
    moved = [(*changes[place], _word(place[0]), place[1]) for place in places if any(changes[place])]
    if moved:
        with connection.cursor() as cursor:
            cursor.executemany(_MOVE, moved)
    return {place: spent[place] + changes[place][0] for place in places}


def _lock(places: Sequence[Place]) -> dict[Place, int]:
    """Lock windows in the order of their keys, and return what they have spent. A plain statement: to have Django put
    it together takes longer than to run it."""
    limits, starts_at = {limit_id for limit_id, _ in places}, {starts for _, starts in places}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_LOCK_ALL, [list(limits), list(starts_at)])
            return {(limit_id, starts): amount for limit_id, starts, amount in cursor.fetchall()}
        words = {limit_id.hex: limit_id for limit_id in limits}
        cursor.execute(_READ_ALL, [fastjson.dumps([*words]).decode(), fastjson.dumps([*starts_at]).decode()])
        return {(words[word], starts): amount for word, starts, amount in cursor.fetchall()}


def _word(identifier: UUID) -> UUID | str:
    return identifier if connection.vendor == "postgresql" else identifier.hex


def make(places: Sequence[Place]) -> None:
    """Make the windows that are not there yet."""
    if places:
        LimitWindow.objects.bulk_create(
            [LimitWindow(limit_id=limit_id, starts=starts) for limit_id, starts in places], ignore_conflicts=True
        )


def _window(place: Place) -> QuerySet[LimitWindow]:
    return LimitWindow.objects.filter(limit_id=place[0], starts=place[1])


# Names of ours only; what a call says travels as parameters.
_INTO = f'INSERT INTO "{LedgerEntry._meta.db_table}" ("id", "tenant_id", "key_id", "model", "tokens", "nano")'
_ENTER = f"{_INTO} VALUES (%s, %s, %s, %s, %s, %s)"
_COLUMNS = "%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[]"
# In the order of the keys, like all that locks.
_ENTER_ALL = f'{_INTO} SELECT * FROM unnest({_COLUMNS}) ORDER BY 1 ON CONFLICT ("id") DO NOTHING RETURNING "id"'  # noqa: S608
_KNOWN = f'SELECT "id" FROM "{LedgerEntry._meta.db_table}" WHERE "id" IN (SELECT value FROM json_each(%s))'  # noqa: S608
_HELD = f'SELECT 1 FROM "{Hold._meta.db_table}" LIMIT 1'  # noqa: S608
_SPENT = f'SELECT "limit_id", "starts", "spent" FROM "{LimitWindow._meta.db_table}" WHERE '  # noqa: S608
_LOCK_ALL = _SPENT + '"limit_id" = ANY(%s) AND "starts" = ANY(%s) ORDER BY 1, 2 FOR UPDATE'
_AMONG = "IN (SELECT value FROM json_each(%s))"
_READ_ALL = f'{_SPENT}"limit_id" {_AMONG} AND "starts" {_AMONG}'
_MOVE = (
    f'UPDATE "{LimitWindow._meta.db_table}" SET "spent" = "spent" + %s, "held" = "held" + %s '  # noqa: S608
    'WHERE "limit_id" = %s AND "starts" = %s'
)
