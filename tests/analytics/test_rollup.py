import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError

from analytics import retention, rollup, tasks
from analytics.models import NOBODY, RecordLoss, RequestAttempt, RequestLog, RollupDue, UsageRollup
from analytics.rows import insert, note_loss
from proxx.kit import clock as clocks
from tests import factories
from tests.analytics.records import record

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with clocks.stopped(NOON) as stopped:
        yield stopped


def offer(*seconds, **changes):
    insert([record(at=NOON.timestamp() + second, **changes) for second in seconds])


def sums(period):
    rows = UsageRollup.objects.filter(period=period).order_by("bucket", "provider_id", "model")
    return [(row.bucket, row.provider_id, row.model, row.requests) for row in rows]


def test_closed_minutes_become_hours_and_days(clock):
    offer(0, 1, 59, 60)
    offer(5, provider_id="groq", model_routed="llama")
    clock.advance(200)
    rollup.run()
    one, two = NOON, NOON + timedelta(minutes=1)
    assert sums("minute") == [
        (one, "groq", "llama", 1),
        (one, "openai", "gpt-5-mini", 3),
        (two, "openai", "gpt-5-mini", 1),
    ]
    assert sums("hour") == [(NOON, "groq", "llama", 1), (NOON, "openai", "gpt-5-mini", 4)]
    assert sums("day") == [(NOON.replace(hour=0), *rest) for _, *rest in sums("hour")]
    assert not RollupDue.objects.exists()


def test_sums_of_money_that_no_column_holds_stop_at_its_largest_number_and_break_no_page(clock, client):
    most = 2**63 - 1
    offer(0, 1, cost_nano=most)
    offer(2, cost_nano=most, model_routed="other")
    offer(3, cost_nano=5, model_routed="cheap")
    offer(4, cost_nano=2**40 + 3, model_routed="dear")
    offer(5, cost_nano=2**32 - 1, model_routed="dear")
    clock.advance(200)
    client.force_login(factories.make_operator(password=None))

    def looked_at():
        for name in ("overview", "cost", "models", "traffic"):
            assert client.get(f"/console/dashboards/{name}/?period=24h").status_code == 200, name
        assert client.get("/console/").status_code == 200
        usage = [client.get(f"/api/v1/usage{query}") for query in ("", "?by=model")]
        assert {one.status_code for one in usage} == {200}
        return [one.json()["data"] for one in usage]

    before = looked_at()
    rollup.run()
    for period in rollup.LENGTH:
        found = dict(UsageRollup.objects.filter(period=period).values_list("model", "cost_nano"))
        assert found == {"gpt-5-mini": most, "other": most, "cheap": 5, "dear": 2**40 + 2**32 + 2}, period
    assert looked_at() == before


def test_a_sum_holds_outcomes_tokens_and_times(clock):
    offer(0, input_tokens=10, output_tokens=5, cost_nano=7)
    offer(1, outcome="error", input_tokens=None, output_tokens=None, first_event_ms=None, attempts=[])
    offer(2, outcome="cancelled")
    offer(3, outcome="refused")
    clock.advance(120)
    rollup.run()
    row = UsageRollup.objects.get(period="day")
    assert (row.requests, row.ok, row.errors, row.cancelled, row.refused) == (4, 1, 1, 1, 1)
    assert (row.input_tokens, row.output_tokens, row.cost_nano) == (10 + 240, 5 + 60, 7)
    assert (row.attempts, row.first_event_ms, row.first_event_count, row.duration_ms) == (3, 243, 3, 1204)


def test_tokens_a_second_are_those_of_streams_by_the_time_of_streams(clock):
    offer(0, stream=True, first_event_ms=100, duration_ms=1100, output_tokens=50)
    offer(1, stream=False, first_event_ms=100, duration_ms=9100, output_tokens=900)
    offer(2, stream=True, first_event_ms=None, output_tokens=None, outcome="error")
    clock.advance(120)
    rollup.run()
    row = UsageRollup.objects.get(period="hour")
    assert (row.streamed_tokens, row.output_ms, row.output_tokens) == (50, 1000, 950)


def test_a_minute_that_runs_is_left_alone(clock):
    offer(0)
    clock.advance(65)  # the minute has ended, its records may still be on their way
    assert rollup.run() == 0
    clock.advance(10)
    assert rollup.run() == 3


def test_running_twice_changes_nothing(clock):
    offer(0, 1, 2)
    clock.advance(120)
    rollup.run()
    before = list(UsageRollup.objects.order_by("id").values())
    RollupDue.objects.create(period="minute", bucket=NOON)
    RollupDue.objects.create(period="day", bucket=NOON.replace(hour=0))
    rollup.run()
    assert [{**row, "id": 0} for row in UsageRollup.objects.order_by("id").values()] == [
        {**row, "id": 0} for row in before
    ]


def test_a_record_that_comes_late_is_summed_when_it_comes(clock):
    offer(0)
    clock.advance(7200)
    tasks.rollup()
    offer(30)
    tasks.rollup()
    assert [count for *_, count in sums("minute") + sums("hour") + sums("day")] == [2, 2, 2]


def test_a_record_that_comes_after_its_minutes_are_gone_is_in_its_hours_sum(clock):
    offer(0)
    clock.advance(120)
    rollup.run()
    clock.advance(9 * 86400)
    retention.prune()
    assert sums("minute") == []
    offer(30)
    rollup.run()
    assert sums("minute") == []
    assert [count for *_, count in sums("hour") + sums("day")] == [2, 2]
    assert not RollupDue.objects.exists()


def test_a_sum_is_not_made_from_rows_that_are_gone(clock):
    offer(0)
    clock.advance(120)
    rollup.run()
    clock.advance(retention.KEEP["log"].total_seconds())
    retention.prune()
    offer(30)
    rollup.run()
    assert [count for *_, count in sums("hour") + sums("day")] == [1, 1]
    assert not RollupDue.objects.exists()


def test_each_key_and_account_has_sums_of_its_own(clock):
    key, account = uuid.uuid4(), uuid.uuid4()
    offer(0, key_id=key, credential_id=account)
    offer(1, 2, key_id=key)
    offer(3)
    clock.advance(120)
    rollup.run()
    rows = UsageRollup.objects.filter(period="hour").values_list("key_id", "credential_id", "requests")
    assert set(rows) == {(key, account, 1), (key, NOBODY, 2), (NOBODY, NOBODY, 1)}


def test_old_rows_go_in_steps_and_sums_stay(clock, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    offer(0, 1, 2, 3, 4)
    note_loss(1, "disk full")
    clock.advance(120)
    rollup.run()
    clock.advance(retention.KEEP["log"].total_seconds() - 118)
    assert tasks.retention() == 2  # 119 s ago is young enough: the cut is exact
    clock.advance(60)
    assert tasks.retention() == 3
    assert not RequestLog.objects.exists()
    assert not RequestAttempt.objects.exists()
    assert not RecordLoss.objects.exists()
    assert [count for *_, count in sums("day")] == [5]


def test_a_sum_is_made_in_the_database_however_many_groups_it_has(clock, django_assert_num_queries):
    for number in range(50):
        offer(number, model_routed=f"m{number}")
    clock.advance(120)
    with django_assert_num_queries(17):  # 3 look-ups, 2 touched; a sum: savepoint, its end, struck off, put
        rollup.run()
    assert UsageRollup.objects.filter(period="minute").count() == 50


def test_a_minute_that_cannot_be_summed_holds_up_no_other(clock, monkeypatch, caplog):
    offer(0, 60)
    clock.advance(200)
    put = rollup._put

    def picky(period, bucket, sums):
        if (period, bucket) == ("minute", NOON):
            raise DataError("bigint out of range")
        put(period, bucket, sums)

    monkeypatch.setattr(rollup, "_put", picky)
    rollup.run()
    assert [row[0] for row in sums("minute")] == [NOON + timedelta(minutes=1)]
    assert list(RollupDue.objects.values_list("period", "bucket")) == [("minute", NOON)]
    assert "cannot be summed" in caplog.text
