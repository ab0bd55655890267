"""What dashboards read, against figures worked out by hand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from analytics import rollup
from analytics.readings import filters
from analytics.readings.filters import Filters
from analytics.readings.reader import TIME, Reader
from analytics.readings.scores import account_health, confidence, suitability
from analytics.readings.sums import Sums, change
from analytics.rows import insert
from proxx.kit import clock as clocks
from tests import factories
from tests.analytics.records import TENANT, record

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 6, 12, 0, 30, tzinfo=UTC)  # a Wednesday
A, B = UUID(int=0xA), UUID(int=0xB)


@pytest.fixture(autouse=True)
def clock():
    with clocks.stopped(NOON) as stopped:
        yield stopped


def ago(*seconds, **changes):
    insert([record(at=clocks.unix() - second, **changes) for second in seconds])


def asked(period="24h", **narrowed):
    said = Filters(period=filters.period(period), **narrowed)
    return said, Reader(said)


# Time


def test_a_period_ends_with_the_running_hour_and_the_one_before_is_as_long():
    day = filters.period("24h")
    assert (day.start, day.end) == (datetime(2026, 5, 5, 13, tzinfo=UTC), datetime(2026, 5, 6, 13, tzinfo=UTC))
    assert (day.before().start, day.before().end) == (day.start - timedelta(days=1), day.start)
    assert len(day.steps()) == 24


@pytest.mark.parametrize(
    ("said", "meant"), [("weekly", "7d"), ("Month", "30d"), ("daily", "24h"), ("nonsense", "24h"), ("1h", "1h")]
)
def test_older_words_for_periods_are_understood_and_others_mean_a_day(said, meant):
    assert filters.period(said).name == meant


@pytest.mark.parametrize(("name", "steps"), [("1h", 60), ("6h", 72), ("7d", 7), ("30d", 30), ("365d", 365)])
def test_each_period_has_its_points(name, steps):
    assert len(filters.period(name).steps()) == steps


# Sums


@pytest.mark.parametrize("period", ["1h", "6h", "24h", "7d", "30d"])
@pytest.mark.parametrize("is_summed", [True, False])
def test_every_period_counts_the_same_calls_summed_or_not(period, is_summed):
    ago(5, 65, 600)
    if is_summed:
        rollup.run()
        ago(601, 3)  # late: its minute is on the work list again; and one of the running minute
    else:
        ago(601, 3)
    _, reader = asked(period)
    assert reader.total().requests == 5
    assert sum(sums.requests for _, sums in reader.line()) == 5


def test_a_line_puts_each_call_where_it_began():
    ago(5, 3700, 3701)
    rollup.run()
    _, reader = asked("24h")
    assert [sums.requests for _, sums in reader.line()][-3:] == [2, 0, 1]


def test_a_week_is_the_same_by_days_and_in_one():
    ago(*(hours * 3600 + 40 for hours in range(0, 160, 7)), cost_nano=10)
    rollup.run()
    _, reader = asked("7d")
    days = reader.groups(TIME)
    assert len(days) == 7
    assert sum(sums.cost_nano for sums in days.values()) == reader.total().cost_nano
    assert reader.total().requests == sum(1 for hours in range(0, 160, 7) if hours * 3600 + 40 < 6 * 86400 + 12 * 3600)


def test_the_stretch_before_is_what_was_before():
    ago(10, 20)
    ago(86_400 + 10, 86_400 + 20, 86_400 + 30)
    rollup.run()
    said, reader = asked("24h")
    assert (reader.total().requests, reader.total(of=said.period.before()).requests) == (2, 3)


def test_what_is_chosen_narrows_and_other_tenants_are_not_there():
    other = factories.make_tenant()
    ago(5, 600, provider_id="groq", model_routed="llama", key_id=A)
    ago(6, 601, tenant_id=other.pk)
    rollup.run()
    ago(4, 7, 602)
    counts = {
        "all": asked()[1].total().requests,
        "groq": asked(provider="groq")[1].total().requests,
        "llama": asked(model="llama")[1].total().requests,
        "key": asked(key=A)[1].total().requests,
        "tenant": asked(tenant=other.pk)[1].total().requests,
        "scope": asked(tenants=frozenset({TENANT}))[1].total().requests,
        "nobody": asked(tenants=frozenset())[1].total().requests,
    }
    assert counts == {"all": 7, "groq": 2, "llama": 2, "key": 2, "tenant": 2, "scope": 5, "nobody": 0}


def test_rates_are_shares_of_what_they_say_and_unknown_without_it():
    sums = Sums(requests=10, ok=6, errors=2, cancelled=1, refused=1, cache_hits=4, input_tokens=200)
    sums.add({"cache_read_tokens": 50, "first_event_ms": 900, "first_event_count": 9, "output_ms": 2000})
    sums.add({"streamed_tokens": 100, "duration_ms": 5000, "output_tokens": 150, "retried": 3, "cost_nano": None})
    assert (sums.error_rate, sums.success_rate) == (0.25, 0.75)
    assert (sums.cache_hit_rate, sums.cache_share) == (4 / 7, 0.25)
    assert (sums.ttft_ms, sums.tps, sums.whole_tps, sums.mean_ms) == (100, 50, 30, 500)
    assert sums.retried_rate == 0.3
    nothing = Sums()
    assert {nothing.error_rate, nothing.cache_share, nothing.ttft_ms, nothing.tps, nothing.mean_ms} == {None}


def test_what_has_no_price_costs_nobody_knows_what():
    assert Sums(requests=2, unpriced=2).cost is None
    assert Sums(requests=2, unpriced=1, cost_nano=5 * 10**8).cost == 0.5
    assert Sums(requests=2).cost == 0


def test_a_change_needs_something_to_compare_with():
    assert change(150, 100) == 0.5
    assert change(50, 100) == -0.5
    assert change(1, 0) is None
    assert change(None, 1) is None


# Scores


def test_suitability_is_worked_out_as_it_is_written():
    sums = Sums(requests=999, ok=90, errors=10, first_event_ms=1000, first_event_count=1, output_ms=1000)
    sums.add({"streamed_tokens": 40, "cache_hits": 45})
    # 0.40 · 1/2 + 0.25 · 40/80 + 0.20 · 0.9 + 0.15 · 0.5
    assert suitability(sums) == pytest.approx(0.2 + 0.125 + 0.18 + 0.075)
    assert (confidence(sums), confidence(Sums())) == (1, 0)
    # Nothing known: 0.40 · 0.5 + 0.25 · 0.5 + 0.20, and halved.
    assert suitability(Sums()) == pytest.approx(0.525 / 2)


def test_an_account_that_got_slow_lately_loses_and_a_resting_one_has_nothing():
    usual = Sums(first_event_ms=800, first_event_count=1, output_ms=1000, streamed_tokens=50, output_tokens=999_999)
    whole = 0.65 * 0.5 + 0.25 + 0.10
    assert account_health(usual) == pytest.approx(whole)
    # Twice the wait: (2 - 1) · 0.6, of which 35 % count.
    late = Sums(first_event_ms=1600, first_event_count=1)
    assert account_health(usual, late) == pytest.approx(whole - 0.35 * 0.6)
    assert account_health(usual, rests=True) == 0


def test_where_more_than_an_hour_waits_to_be_summed_the_figures_may_be_short():
    ago(*(60 * minute for minute in range(1, 30)))
    assert not asked("24h")[1].is_short
    ago(*(60 * minute for minute in range(30, 90)))
    assert asked("24h")[1].is_short
