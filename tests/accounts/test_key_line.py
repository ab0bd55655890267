"""Keys that came by rotation share their limits, and what these have counted."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from accounts import granting, keys, limits
from accounts.audit_entry import AuditEntry
from accounts.held import OverTheLimit, Worst
from accounts.models import ApiKey, Limit
from tests import factories

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _counted_here(settings):
    settings.PROXY_LIMITS = "local"
    limits.forget()
    yield
    limits.forget()


def call(key: ApiKey) -> None:
    asyncio.run(limits.reserve(uuid.uuid4(), limits.read()[key.pk], Worst(tokens=60)))


def test_a_budget_goes_on_after_a_rotation_and_old_and_new_share_it(tenant):
    first = factories.make_key(tenant).row
    budget = Limit.objects.create(key=first, kind="tokens_month", amount=150)
    call(first)
    second, _ = keys.rotate(first, overlap=HOUR)
    call(second)
    third, _ = keys.rotate(second, overlap=HOUR)
    for key in (first, second, third):
        with pytest.raises(OverTheLimit):
            call(key)
    budget.refresh_from_db()
    assert budget.key_id == third.pk  # where it is shown and changed
    assert AuditEntry.objects.filter(object_id=str(budget.pk), action="changed").count() == 2


def test_what_bounds_the_new_key_later_bounds_the_old_one_and_nobody_else(tenant):
    old, other = factories.make_key(tenant).row, factories.make_key(tenant).row
    new, _ = keys.rotate(old, overlap=HOUR)
    limit = Limit.objects.create(key=new, kind="in_flight", amount=1)
    found = limits.read()
    assert [one.id for one in found[old.pk]] == [one.id for one in found[new.pk]] == [limit.pk]
    assert other.pk not in found
    assert granting.bound(old)
    assert granting.bound(new)
    assert not granting.bound(other)


def test_two_successors_of_one_key_share_what_it_had(tenant):
    old = factories.make_key(tenant).row
    limit = Limit.objects.create(key=old, kind="money_day", amount=1)
    successors = [keys.rotate(old, overlap=HOUR)[0] for _ in range(2)]
    found = limits.read()
    assert [[one.id for one in found[key.pk]] for key in successors] == [[limit.pk], [limit.pk]]
