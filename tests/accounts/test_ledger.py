"""The ledger: a call is charged once, its hold ends with it, and the windows are the sum of both."""

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from accounts import counted_here, ledger, limits
from accounts.bill import Bill
from accounts.held import Held, OverTheLimit, Worst
from accounts.ledger import Owed, Spent
from accounts.limit import Hold, LedgerEntry, Limit, LimitView, LimitWindow
from accounts.limit_set import LimitSet
from proxx.kit import clock as clocks
from tests import factories

pytestmark = pytest.mark.django_db
TENANT = uuid.uuid4()


def budget(amount: int, measure: str = "money") -> LimitView:
    return LimitView(uuid.uuid4(), measure, "total", amount)


def owed(call: uuid.UUID, nano: int, *of: LimitView) -> Owed:
    return Owed(call, TENANT, None, "gpt-x", Bill(nano=nano, charges=[(one.id, 0, nano) for one in of]))


def hold(of: LimitView, amount: int, lease: float = 60) -> uuid.UUID:
    call = uuid.uuid4()
    ledger.hold(call, [(of, 0, amount)], lease=lease)
    return call


def window(of: LimitView) -> tuple[int, int]:
    row = LimitWindow.objects.get(limit_id=of.id, starts=0)
    return row.spent, row.held


def test_what_is_held_is_not_free_until_it_is_settled():
    ten = budget(10)
    call = hold(ten, 7)
    with pytest.raises(Spent) as refused:
        hold(ten, 4)
    assert refused.value.left == 3
    assert ledger.charge([owed(call, 5, ten)]) == {(ten.id, 0): 5}
    assert window(ten) == (5, 0)
    hold(ten, 5)
    assert window(ten) == (5, 5)


def test_a_budget_takes_all_that_is_left_and_no_more():
    ten = budget(10)
    hold(ten, 10)
    with pytest.raises(Spent):
        hold(ten, 1)


def test_of_several_budgets_all_are_held_or_none():
    wide, tight = budget(100), budget(3)
    with pytest.raises(Spent):
        ledger.hold(uuid.uuid4(), [(wide, 0, 5), (tight, 0, 5)], lease=60)
    assert not Hold.objects.exists()
    hold(wide, 100)


def test_a_call_is_charged_once_however_often_it_is_entered():
    ten, call = budget(10), uuid.uuid4()
    for _ in range(2):
        ledger.charge([owed(call, 4, ten), owed(call, 4, ten)])
    assert window(ten) == (4, 0)
    assert LedgerEntry.objects.aggregate(Sum("nano")) == {"nano__sum": 4}


def test_what_a_dead_process_held_returns_when_its_lease_is_over(clock: clocks.Stopped):
    ten = budget(10)
    dead = hold(ten, 10, lease=60)
    with pytest.raises(Spent):
        hold(ten, 1)
    clock.advance(62)
    hold(ten, 10)  # who is refused looks for them first
    ledger.charge([owed(dead, 6, ten)])  # its journal was found: what it spent counts all the same
    assert window(ten) == (6, 10)


def test_a_lease_can_be_prolonged(clock: clocks.Stopped):
    call = hold(budget(10), 10, lease=60)
    clock.advance(50)
    ledger.renew([call], lease=60)
    clock.advance(50)
    assert ledger.reap() == 0
    clock.advance(20)
    assert ledger.reap() == 1


def test_the_windows_are_the_sum_of_the_ledger():
    ten, other = budget(1000), budget(1000)
    for nano in range(20):
        ledger.charge([owed(hold(ten, 20), nano, ten, other)])
    total = LedgerEntry.objects.aggregate(total=Sum("nano"))["total"]
    assert window(ten) == window(other) == (total, 0)


def test_nothing_in_the_ledger_is_negative():
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(id=uuid.uuid4(), tenant_id=TENANT, model="x", tokens=0, nano=-1)


def test_a_process_that_starts_goes_on_where_the_ledger_stands(settings):
    settings.PROXY_LIMITS = "local"
    limits.forget()
    tenant, key = factories.make_tenant(), factories.make_key()
    row = Limit.objects.create(key=key.row, kind=Limit.Kind.MONEY_TOTAL, amount=10)
    Limit.objects.create(tenant=tenant, kind=Limit.Kind.IN_FLIGHT, amount=3, model="GPT-*")
    Limit.objects.create(tenant=tenant, kind=Limit.Kind.IN_FLIGHT, amount=1, enabled=False)
    ledger.charge([owed(uuid.uuid4(), 8, row.view)])
    found = limits.read()
    assert found[key.row.id] == (LimitView(row.id, "money", "total", 10, of_key=True),)
    assert [(one.measure, one.period, one.model) for one in found[tenant.id]] == [("calls", "", "gpt-*")]
    with pytest.raises(OverTheLimit):
        counted_here.take(Held(uuid.uuid4(), Worst(nano=3), LimitSet(found[key.row.id])))
    limits.forget()
