"""What each dashboard reads, against figures worked out by hand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from analytics import rollup
from analytics.readings import accounts, cache, cost, errors, filters, models, overview, traffic
from analytics.readings.filters import Filters
from analytics.readings.reader import Reader
from analytics.rows import insert
from oauth.plan_usage import Window
from proxx.kit import clock as clocks
from tests import factories
from tests.analytics.records import record

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


def test_the_overview_has_both_stretches_the_most_used_first_and_a_year_of_days():
    ago(10, 20, model_routed="large", cost_nano=7)
    ago(30, model_routed="small")
    ago(86_400 * 3, 86_400 * 60)
    rollup.run()
    said = Filters(period=filters.period("24h"))
    reader = Reader(said, since=overview.year_of_weeks().start)
    read = overview.read(said, reader)
    assert [(row.name, row.sums.requests) for row in read.models] == [("large", 2), ("small", 1)]
    assert (read.now.requests, read.now.cost_nano, read.before.requests) == (3, 14, 0)
    weeks = overview.calendar(reader)
    days = {day.date: day for week in weeks for day in week}
    assert len(weeks) == overview.WEEKS
    assert all(week[0].date.weekday() == 0 for week in weeks)
    assert max(days) == NOON.date()
    assert (days[NOON.date()].requests, days[NOON.date()].level) == (3, 4)
    assert sum(day.requests for day in days.values()) == 5


def test_the_footprint_is_the_sum_of_all_models_estimates():
    ago(10, model_routed="gpt-5.4", input_tokens=1000, output_tokens=100)
    said, reader = asked()
    # 1 J for a token in, 3 J for one out (docs/analytics.md); 1800 ml a kWh.
    taken = overview.read(said, reader).footprint
    assert (taken.joules, taken.water_ml) == (1300, pytest.approx(1300 / 3_600_000 * 1800))


def test_traffic_knows_who_called():
    ago(1, 2, key_id=A)
    ago(3)
    found = traffic.read(*asked()).callers
    assert [(one.key, one.sums.requests) for one in found] == [(A, 2), (None, 1)]


def test_costs_are_by_model_over_time_and_the_small_ones_together():
    for number in range(10):
        ago(5, model_routed=f"m{number}", cost_nano=1000 * (10 - number))
    ago(3605, model_routed="m0", cost_nano=500)
    read = cost.read(*asked())
    assert [name for name, _ in read.lines] == [f"m{number}" for number in range(8)] + [cost.OTHERS]
    assert dict(read.lines)["m0"][-2:] == [500, 10_000]
    assert dict(read.lines)[cost.OTHERS][-1] == 2000 + 1000
    assert read.now.cost_nano == sum(sum(line) for _, line in read.lines)


def test_models_are_ordered_as_asked_and_unknown_is_last():
    ago(1, model_routed="quick", first_event_ms=10)
    ago(2, 3, model_routed="slow", first_event_ms=900, provider_id="groq")
    ago(4, model_routed="mute", first_event_ms=None, outcome="error")
    _, reader = asked()
    assert [one.model for one in models.read(reader, order="ttft").models] == ["quick", "slow", "mute"]
    assert models.read(reader, order="requests").models[0].model == "slow"
    assert [one.name for one in models.read(reader).pairs if one.provider == "groq"] == ["groq / slow"]
    assert {one.provider: one.partners for one in models.read(reader).providers} == {"openai": 2, "groq": 1}


def test_reasons_are_counted_among_the_newest_failures_that_were_chosen():
    ago(1, 2, outcome="error", error_code="rate_limited", status=429, provider_id="groq")
    ago(3, outcome="error", error_code="overloaded", status=503)
    ago(4)
    read = errors.read(*asked())
    assert [(one.code, one.provider, one.count) for one in read.reasons] == [
        ("rate_limited", "groq", 2),
        ("overloaded", "openai", 1),
    ]
    assert read.reasons[0].at == NOON - timedelta(seconds=1)
    assert (read.now.errors, read.seen) == (3, 3)
    assert [one.code for one in errors.read(*asked(provider="openai")).reasons] == ["overloaded"]


def test_a_conversation_that_two_accounts_answered_is_lost_and_one_that_failed_elsewhere_is_not():
    talk = {"cache_read_tokens": 60, "input_tokens": 120}
    ago(10, 20, conversation="aa", credential_id=A, **talk)
    ago(30, conversation="aa", credential_id=B, input_tokens=120, cache_read_tokens=None)
    ago(40, conversation="bb", credential_id=A, **talk)
    ago(50, conversation="bb", credential_id=B, outcome="error", input_tokens=None, output_tokens=None)
    ago(60)
    audit = cache.audit(asked()[0])
    (lost,) = audit.lost
    assert (lost.digest, lost.requests, lost.hits, lost.cache_read_tokens, lost.input_tokens) == ("aa", 3, 2, 120, 360)
    assert (lost.first_at, lost.last_at) == (NOON - timedelta(seconds=30), NOON - timedelta(seconds=10))
    assert (audit.scanned, len(audit.conversations), audit.crossing) == (6, 2, 2)
    assert audit.conversations[1].failed_accounts == {B}


def test_cached_input_is_said_of_each_place():
    ago(1, credential_id=A, input_tokens=100, cache_read_tokens=25)
    ago(2, credential_id=B, input_tokens=300, cache_read_tokens=0)
    read = cache.read(*asked())
    assert [(account, sums.cache_share) for *_, account, sums in read.places] == [(B, 0), (A, 0.25)]
    assert read.now.cache_share == 25 / 400


# Accounts


@pytest.mark.parametrize(
    ("used", "left", "at_end", "full_after"),
    [
        (50, 9000, 100, None),  # half used at half time: just enough
        (60, 9000, 120, 6000),  # 60 % in 9000 s: 150 s a percent
        (20, 3600, 25, None),
    ],
)
def test_a_window_is_forecast_at_its_pace(used, left, at_end, full_after):
    found = accounts.forecast(Window("five_hour", used, clocks.unix() + left, 18_000))
    assert found.at_end == pytest.approx(at_end)
    assert found.full_at == (NOON + timedelta(seconds=full_after) if full_after else None)


@pytest.mark.parametrize(
    "window",
    [
        Window("five_hour", 0, NOON.timestamp() + 9000, 18_000),
        Window("five_hour", 3, NOON.timestamp() + 17_900, 18_000),  # it began just now
        Window("five_hour", 30, None, 18_000),
        Window("minute", 30, NOON.timestamp() + 30, None),
        Window("five_hour", 30, NOON.timestamp() - 1, 18_000),
    ],
)
def test_where_there_is_nothing_to_go_by_there_is_no_forecast(window):
    assert accounts.forecast(window) is None


def test_idle_accounts_are_there_and_say_nothing_of_quota_they_never_told():
    busy, idle = factories.make_credential(), factories.make_credential("groq")
    ago(5, 6, credential_id=busy.pk)
    found = accounts.read(*asked())
    assert [(one.credential.pk, one.sums.requests, one.rooms, one.heard_at) for one in found] == [
        (busy.pk, 2, [], None),
        (idle.pk, 0, [], None),
    ]
