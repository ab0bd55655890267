"""Old entries of the ledger become sums: nothing is lost, and budgets do not notice."""

import uuid
from datetime import timedelta

import pytest
from django.db.models import Sum

from accounts import ledger, ledger_pruning
from accounts.bill import Bill
from accounts.ledger import Owed
from accounts.limit import LedgerEntry, LimitView, LimitWindow
from proxx.kit import clock as clocks
from proxx.kit import ids

pytestmark = pytest.mark.django_db
TENANT, KEY = uuid.uuid4(), uuid.uuid4()
TOTAL, HOUR = LimitView(uuid.uuid4(), "money", "total", 10**12), LimitView(uuid.uuid4(), "money", "hour", 10**12)


def enter(nano: int, key: uuid.UUID | None = KEY) -> None:
    charges = [(one.id, one.starts(clocks.unix()), nano) for one in (TOTAL, HOUR)]
    bill = Bill(tokens=1, nano=nano, charges=charges)
    ledger.charge([Owed(ids.new(clocks.unix()), TENANT, key, "gpt-x", bill)])


def sums() -> tuple[int, int, int]:
    entries = LedgerEntry.objects.aggregate(nano=Sum("nano"), tokens=Sum("tokens"))
    return entries["nano"], entries["tokens"], LimitWindow.objects.get(limit_id=TOTAL.id).spent


def test_old_entries_become_one_sum_for_each_key_and_nothing_is_lost(clock: clocks.Stopped, monkeypatch):
    monkeypatch.setattr(ledger_pruning, "BATCH", 3)
    for _ in range(2):
        for nano in range(1, 6):
            enter(nano)
            enter(10 * nano, None)
        clock.advance(500 * 86_400)
        before = sums()
        assert ledger_pruning.prune(timedelta(days=400)) == 10
        assert sums() == before
        assert LedgerEntry.objects.count() == 2
    enter(7)
    assert ledger_pruning.prune(timedelta(days=400)) == 0
    assert sums() == (2 * 165 + 7, 21, 2 * 165 + 7)


def test_windows_that_ended_long_ago_go_and_totals_stay(clock: clocks.Stopped):
    enter(5)
    clock.advance(500 * 86_400)
    enter(6)
    ledger_pruning.prune(timedelta(days=400))
    assert sorted(LimitWindow.objects.values_list("spent", flat=True)) == [6, 11]
