from datetime import UTC, datetime, timedelta

import pytest

from analytics import retention, rollup, tasks
from analytics.models import RecordLoss, RequestAttempt, RequestLog, RollupDue, UsageRollup
from analytics.rows import insert, note_loss
from proxx.kit import clock as clocks
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


def test_a_sum_is_not_made_from_parts_that_are_gone(clock):
    offer(0)
    clock.advance(120)
    rollup.run()
    clock.advance(9 * 86400)
    retention.prune()
    assert sums("minute") == []
    offer(30)
    rollup.run()
    assert [count for *_, count in sums("hour")] == [1]
    assert not RollupDue.objects.exists()


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
