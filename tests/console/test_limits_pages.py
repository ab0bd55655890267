"""Limits on the pages of tenants and keys: written in dollars, kept in nano-dollars, shown with what is used."""

import uuid

import pytest
from django.urls import reverse

from accounts import ledger, limits
from accounts.admin.limits import bars
from accounts.bill import Bill
from accounts.ledger import Owed
from accounts.limit import Limit
from tests import factories


@pytest.fixture(autouse=True)
def _counted_anew():
    limits.forget()
    yield
    limits.forget()


@pytest.fixture
def key(tenant):
    return factories.make_key(tenant).row


def page(row) -> str:
    return reverse(f"admin:accounts_{row._meta.model_name}_change", args=(row.pk,))


def table(*rows: dict[str, str], known: int = 0) -> dict[str, str]:
    said = {"limits-TOTAL_FORMS": str(len(rows)), "limits-INITIAL_FORMS": str(known)}
    for number, row in enumerate(rows):
        said |= {f"limits-{number}-{name}": value for name, value in row.items()}
    return said


def save(console, row, *limits_of: dict[str, str], known: int = 0):
    more = {"slug": row.slug, "name": row.name, "unpriced": "block"} if hasattr(row, "slug") else {"label": row.label}
    return console.post(page(row), {**more, "is_active": "on", **table(*limits_of, known=known)})


def spend(limit: Limit, nano: int) -> None:
    view = limit.view
    from proxx.kit import clock

    starts = view.starts(clock.unix())
    bill = Bill(nano=nano, charges=[(view.id, starts, nano)])
    ledger.charge([Owed(uuid.uuid4(), uuid.uuid4(), None, "x", bill)])


@pytest.mark.parametrize(
    ("kind", "quantity", "amount"),
    [("money_month", "12.5", 12_500_000_000), ("money_total", "0.000000001", 1), ("tokens_day", "5000", 5000)],
)
def test_a_limit_of_a_key_is_written_as_people_say_it(console, key, kind, quantity, amount):
    answer = save(console, key, {"kind": kind, "quantity": quantity, "model": "gpt-*", "enabled": "on"})
    assert answer.status_code == 302
    row = Limit.objects.get()
    assert (row.key, row.tenant, row.kind, row.amount, row.model) == (key, None, kind, amount, "gpt-*")
    shown = console.get(page(key)).content.decode()
    assert f'value="{quantity}"' in shown


def test_a_limit_of_a_tenant_is_changed_and_taken_away(console, tenant):
    save(console, tenant, {"kind": "in_flight", "quantity": "5", "model": "", "enabled": "on"})
    row = Limit.objects.get()
    line = {"id": str(row.pk), "tenant": str(tenant.pk), "kind": "money_day", "quantity": "2", "enabled": "on"}
    assert save(console, tenant, line, known=1).status_code == 302
    row.refresh_from_db()
    assert (row.tenant, row.kind, row.amount) == (tenant, "money_day", 2_000_000_000)
    save(console, tenant, {**line, "DELETE": "on"}, known=1)
    assert not Limit.objects.exists()


@pytest.mark.parametrize(
    ("kind", "quantity", "said"),
    [
        ("requests_minute", "1.5", "Only dollars have fractions."),
        ("money_total", "99999999999", "This is more than can be counted."),
        ("money_total", "-1", "greater than or equal to 0"),
    ],
)
def test_an_amount_that_makes_no_sense_is_refused_at_its_field(console, key, kind, quantity, said):
    answer = save(console, key, {"kind": kind, "quantity": quantity, "enabled": "on"})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Limit.objects.exists()


def test_bars_say_what_is_used_and_when_it_begins_anew(console, key):
    row = Limit.objects.create(key=key, kind=Limit.Kind.MONEY_MONTH, amount=10_000_000_000)
    Limit.objects.create(key=key, kind=Limit.Kind.REQUESTS_MINUTE, amount=60)
    Limit.objects.create(key=key, kind=Limit.Kind.TOKENS_TOTAL, amount=5, enabled=False)
    spend(row, 8_500_000_000)
    money, requests = bars(key)
    assert (money.used, money.level, money.said) == (85, "warn", "$8.50 of $10.00")
    assert money.ends.startswith("begins anew in")
    assert (requests.used, requests.level, requests.said) == (0, "ok", "0 of 60")
    spend(row, 5_000_000_000)
    assert bars(key)[0].level == "spent"
    shown = console.get(page(key)).content.decode()
    assert "$13.50 of $10.00" in shown
    assert 'value="100"' in shown


def test_rates_for_models_without_a_price_are_asked_for(console, tenant):
    said = {"slug": tenant.slug, "name": tenant.name, "is_active": "on", "unpriced": "fallback", **table()}
    answer = console.post(page(tenant), said)
    assert "Say what such models are charged." in answer.content.decode()
    assert console.post(page(tenant), {**said, "fallback_input": "1", "fallback_output": "2.5"}).status_code == 302
    tenant.refresh_from_db()
    assert (tenant.unpriced, tenant.fallback_output) == ("fallback", 2.5)
