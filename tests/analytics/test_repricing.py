"""A period priced again: custom prices first, sums corrected, nothing written on a dry run."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import AuditEntry
from analytics import repricing, repricing_page, rollup
from analytics.models import RequestLog, UsageRollup
from analytics.rows import insert
from proxx.kit import clock as clocks
from routing.buckets import Buckets
from routing.models import FactSetting, PriceVersion
from tests.analytics.records import record
from tests.factories import make_credential, make_operator

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGE = "/console/prices/again/"
PERIOD = {"since": f"{NOON:%Y-%m-%dT%H:%M}", "until": f"{NOON + HOUR:%Y-%m-%dT%H:%M}"}


@pytest.fixture
def clock():
    with clocks.stopped(NOON + HOUR) as stopped:
        yield stopped


@pytest.fixture
def calls(clock):
    make_credential()
    tokens = Buckets(fresh=40, cache_read=60, text=10)
    insert(
        [
            record(
                at=NOON.timestamp() + second,
                **{"model_routed": "nobodys-model", "price_state": "unpriced", "tokens": tokens},
                **{"input_tokens": 100, "cache_read_tokens": 60, "output_tokens": 10},
            )
            for second in range(5)
        ]
    )
    rollup.run()
    FactSetting.objects.create(
        model="nobodys-model", price_input=Decimal(2), price_cache_read=Decimal(1), price_output=Decimal(10)
    )


BY_HAND = 40 * 2_000 + 60 * 1_000 + 10 * 10_000


def test_calls_without_a_price_get_the_one_that_an_operator_gave(calls):
    done = repricing.run(NOON, NOON + HOUR)
    assert (done.looked_at, done.changed, done.before, done.after) == (5, 5, 0, 5 * BY_HAND)
    assert set(RequestLog.objects.values_list("cost_nano", "price_state")) == {(BY_HAND, "priced")}
    assert PriceVersion.objects.get().id == RequestLog.objects.first().price_version
    rollup.run()
    assert {row.cost_nano for row in UsageRollup.objects.all()} == {5 * BY_HAND}
    assert {row.unpriced for row in UsageRollup.objects.all()} == {0}


def test_pricing_again_twice_changes_nothing(calls, monkeypatch):
    monkeypatch.setattr(repricing, "STEP", 2)
    repricing.run(NOON, NOON + HOUR)
    assert repricing.run(NOON, NOON + HOUR).changed == 0


def test_a_period_older_than_the_sums_of_minutes_is_summed_from_its_rows(calls, clock):
    clock.advance(20 * 86400)
    repricing.run(NOON, NOON + HOUR)
    rollup.run()
    assert {row.cost_nano for row in UsageRollup.objects.exclude(period="minute")} == {5 * BY_HAND}


def test_a_dry_run_tells_and_writes_nothing(calls):
    out = StringIO()
    call_command("reprice_usage", "--since", "2026-05-01", "--until", "2026-05-02T00:00", "--dry-run", stdout=out)
    assert "5 calls looked at, 5 would change: $0.000000 before, $0.001200 after." in out.getvalue()
    assert not RequestLog.objects.filter(cost_nano__isnull=False).exists()


def test_only_the_period_is_priced_again(calls):
    assert repricing.run(NOON + timedelta(seconds=1), NOON + timedelta(seconds=3)).looked_at == 2


@pytest.mark.parametrize("period", [("2026-05-02", "2026-05-01"), ("yesterday", "2026-05-01")])
def test_a_period_that_is_none_is_refused(period):
    with pytest.raises(CommandError):
        call_command("reprice_usage", since=period[0], until=period[1])


def test_a_provider_that_is_gone_keeps_its_costs(calls):
    RequestLog.objects.update(provider_id="gone", cost_nano=7, price_state="priced")
    assert repricing.run(NOON, NOON + HOUR).changed == 0


# The page.


@pytest.fixture
def ask(client, clock):
    client.force_login(make_operator(password=None))

    def asked(**said):
        response = client.post(PAGE, said)
        return response.status_code, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))

    return asked


def test_the_page_shows_the_difference_before_it_writes_and_writes_it_down(calls, ask):
    shown = ask(**PERIOD)[1]
    assert "5 of 5 calls would cost something else" in shown
    assert "nobodys-model 5 $0.000000 $0.001200" in shown
    assert not RequestLog.objects.filter(cost_nano__isnull=False).exists()
    assert ask(**PERIOD, write="1")[0] == 302
    assert set(RequestLog.objects.values_list("cost_nano", flat=True)) == {BY_HAND}
    entry = AuditEntry.objects.get(action="priced again")
    assert f'"nano-dollars after": [null, {5 * BY_HAND}]' in entry.changes
    assert "Nothing would change" in ask(**PERIOD)[1]


def test_pricing_again_asks_first_who_is_there(calls, ask, client, clock):
    clock.advance(3600)
    for said in ({}, PERIOD, {**PERIOD, "write": "1"}):
        assert ask(**said)[0] == 302
    assert client.get(PAGE)["Location"].startswith("/console/confirm/")
    assert not RequestLog.objects.filter(cost_nano__isnull=False).exists()


def test_a_period_with_too_many_calls_is_the_commands_matter(calls, ask, monkeypatch):
    monkeypatch.setattr(repricing_page, "MOST_CALLS", 4)
    refused = ask(**PERIOD, write="1")[1]
    assert "reprice_usage --since 2026-05-01T12:00:00 --until 2026-05-01T13:00:00" in refused
    assert not RequestLog.objects.filter(cost_nano__isnull=False).exists()


@pytest.mark.parametrize("said", [{}, {"since": "soon"}, {"since": PERIOD["until"], "until": PERIOD["since"]}])
def test_the_page_refuses_a_period_that_is_none(ask, said):
    assert ask(**said, write="1")[0] == 200
    assert not AuditEntry.objects.filter(action="priced again").exists()


def test_without_an_end_the_pages_period_ends_now(calls, ask):
    assert "5 of 5 calls" in ask(since=PERIOD["since"])[1]
