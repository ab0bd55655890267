"""Limits on the pages of tenants and keys: written in dollars, kept in nano-dollars, shown with what is used."""

import uuid
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse

from accounts import keys, ledger, limits
from accounts.admin.limits import bars
from accounts.bill import Bill
from accounts.ledger import Owed
from accounts.limit import THERE_ALREADY, Limit
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
    more = (
        {"slug": row.slug, "name": row.name, "unpriced": "block"}
        if hasattr(row, "slug")
        else {"label": row.label, "calls": "all"}
    )
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
        ("requests_minute", "", "This field is required."),  # as the form offers it, with nothing filled in
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
    (money, requests), _ = bars(key)
    assert (money.used, money.level, money.said) == (85, "warn", "$8.50 of $10.00")
    assert money.ends.startswith("begins anew in")
    assert (requests.used, requests.level, requests.said) == (0, "ok", "0 of 60")
    spend(row, 5_000_000_000)
    assert bars(key)[0][0].level == "spent"
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


def test_a_second_limit_of_a_kind_for_the_same_models_is_refused(console, key):
    line = {"kind": "money_day", "quantity": "2", "model": "GPT-*", "enabled": "on"}
    answer = save(console, key, line, line | {"model": "gpt-* "})
    assert THERE_ALREADY in answer.content.decode()
    assert not Limit.objects.exists()
    assert save(console, key, line, line | {"model": "o3"}).status_code == 302


def test_a_limit_may_take_the_place_of_one_that_goes(console, key):
    old = Limit.objects.create(key=key, kind=Limit.Kind.MONEY_DAY, amount=1)
    going = {"id": str(old.pk), "key": str(key.pk), "kind": "money_day", "quantity": "1", "DELETE": "on"}
    assert save(console, key, going, {"kind": "money_day", "quantity": "2"}, known=1).status_code == 302
    assert Limit.objects.get().amount == 2_000_000_000


def test_a_limit_may_become_what_another_was_that_goes(console, key):
    going, staying = (
        Limit.objects.create(key=key, kind=kind, amount=amount)
        for kind, amount in (("tokens_day", 5), ("money_day", 6))
    )
    going_row = {"id": str(going.pk), "kind": "tokens_day", "quantity": "5", "DELETE": "on"}
    staying_row = {"id": str(staying.pk), "kind": "tokens_day", "quantity": "7"}
    assert save(console, key, staying_row, going_row, known=2).status_code == 302
    assert list(Limit.objects.values_list("pk", "kind", "amount")) == [(staying.pk, "tokens_day", 7)]


@pytest.fixture
def meanwhile(monkeypatch):
    """Add a limit in the moment between the look at what is there and the saving."""

    def adding(**fields):
        look, added = Limit.full_clean, []

        def and_then(limit, *args, **options):
            look(limit, *args, **options)
            if not added:
                added.append(True)
                Limit.objects.create(**fields)

        monkeypatch.setattr(Limit, "full_clean", and_then)

    return adding


def test_of_two_limits_added_at_the_same_moment_the_page_keeps_one_and_says_so(console, key, meanwhile):
    meanwhile(key=key, kind="tokens_day", amount=5, model="GPT-5")
    answer = save(console, key, {"kind": "tokens_day", "quantity": "7", "model": "gpt-5"})
    assert answer.status_code == 302
    assert THERE_ALREADY in console.get(answer["Location"]).content.decode()
    assert not Limit.objects.filter(amount=7).exists()


def test_an_upgrade_keeps_of_limits_that_are_there_twice_the_one_that_held(key):
    with connection.cursor() as cursor:
        cursor.execute('DROP INDEX "limit_once_of_key"')
    made = [
        Limit.objects.create(key=key, kind="tokens_day", amount=amount, model=model, enabled=enabled)
        for amount, model, enabled in ((9, "a", True), (7, "A ", True), (5, "a", False), (3, "b", False))
    ]
    import_module("accounts.migrations.0018_limits_once").keep_the_tightest(apps, None)
    assert set(Limit.objects.values_list("pk", flat=True)) == {made[1].pk, made[3].pk}


def test_a_rotated_keys_page_shows_the_limits_it_shares(console, key):
    Limit.objects.create(key=key, kind=Limit.Kind.MONEY_MONTH, amount=10_000_000_000)
    successor, _ = keys.rotate(key, overlap=timedelta(days=1))
    assert [bar.shared for bar in bars(key)[0]] == [True]
    assert [bar.shared for bar in bars(successor)[0]] == [False]
    assert "shared with the key that" in console.get(page(key)).content.decode()
