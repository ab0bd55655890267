"""Old entries of the ledger become one sum for each key: what a key was charged in all stays true to the nano-dollar.

Budgets do not need the entries: their windows hold the sums, those without an end for ever. Windows that ended long ago
go, too.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F

from accounts.limit import LedgerEntry, LimitWindow
from proxx.kit import clock, ids

BATCH = 2_000  # entries in one step: short enough that writers do not wait for it
MOST_BATCHES = 1_000  # of one run; the next run takes the rest
CARRIED = "carried forward"  # stands in the place of the model
NAMES = UUID("6d0b2c52-2f0b-5c56-9a3f-0d6f1c1f7a11")  # of the sums' ids: one for each tenant and key


def prune(keep: timedelta) -> int:
    """Sum up what is older than `keep`; return how many entries that were."""
    before = clock.unix() - keep.total_seconds()
    LimitWindow.objects.filter(starts__gt=0, starts__lt=int(before - LONGEST_WINDOW), held=0).delete()
    gone = 0
    for _ in range(MOST_BATCHES):
        step = _carry(ids.earliest(before))
        gone += step
        if step < BATCH:
            break
    return gone


def _carry(before: UUID) -> int:
    with transaction.atomic():
        rows = LedgerEntry.objects.select_for_update().filter(id__lt=before).exclude(model=CARRIED).order_by("id")
        old = list(rows.values_list("id", "tenant_id", "key_id", "tokens", "nano")[:BATCH])
        sums: dict[tuple[UUID, UUID | None], list[int]] = defaultdict(lambda: [0, 0])
        for _, tenant_id, key_id, tokens, nano in old:
            sums[tenant_id, key_id][0] += tokens
            sums[tenant_id, key_id][1] += nano
        _add(sums.items())
        LedgerEntry.objects.filter(id__in=[row[0] for row in old]).delete()
    return len(old)


def _add(sums: Iterable[tuple[tuple[UUID, UUID | None], list[int]]]) -> None:
    named = [(uuid5(NAMES, f"{tenant_id} {key_id}"), tenant_id, key_id, found) for (tenant_id, key_id), found in sums]
    named.sort(key=lambda one: one[0])
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(id=name, tenant_id=tenant_id, key_id=key_id, model=CARRIED, tokens=0, nano=0)
            for name, tenant_id, key_id, _ in named
        ],
        ignore_conflicts=True,
    )
    for name, _, _, (tokens, nano) in named:
        LedgerEntry.objects.filter(pk=name).update(tokens=F("tokens") + tokens, nano=F("nano") + nano)


LONGEST_WINDOW = 32 * 86_400  # seconds: a month
