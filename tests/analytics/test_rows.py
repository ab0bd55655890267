import uuid
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection, transaction

from analytics import rows
from analytics.models import RecordLoss, RequestAttempt, RequestLog, RollupDue
from analytics.rows import insert
from proxx.kit import ids
from tests.analytics.records import TENANT, attempt, record

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)


def test_a_record_reads_back_as_rows():
    key, credential = uuid.uuid4(), uuid.uuid4()
    call = record(
        at=NOON.timestamp(),
        key_id=key,
        credential_id=credential,
        stream=True,
        cache_read_tokens=64,
        reasoning_tokens=None,
        warnings=["tools dropped", 'a "quote"'],
        attempts=[
            attempt(number=1, status=429, failure="rate_limited", message="slow down", retry_after=1.5),
            attempt(number=2, credential_id=credential),
        ],
    )
    assert insert([call]) == 0
    row = RequestLog.objects.get()
    assert (row.id, row.tenant_id, row.key_id, row.credential_id) == (call.id, TENANT, key, credential)
    assert (row.input_tokens, row.cache_read_tokens, row.reasoning_tokens) == (120, 64, None)
    assert (row.stream, row.attempt_count, row.warnings) == (True, 2, ["tools dropped", 'a "quote"'])
    assert row.started_at == NOON
    first, second = RequestAttempt.objects.filter(call=row).order_by("number")
    assert (first.failure, first.message, first.retry_after) == ("rate_limited", "slow down", 1.5)
    assert (second.credential_id, second.status) == (credential, 200)


def test_a_record_inserted_twice_is_one_row():
    call = record(attempts=[attempt(), attempt(number=2)])
    insert([call])
    insert([record(), call, call])
    assert RequestLog.objects.count() == 2
    assert RequestAttempt.objects.count() == 3


def test_a_batch_takes_five_statements(django_assert_num_queries):
    insert([record(at=NOON.timestamp())])
    with django_assert_num_queries(6 if connection.vendor == "postgresql" else 5):  # savepoint, two tables, minute
        insert([record(at=NOON.timestamp()) for _ in range(50)])


def test_the_minutes_of_a_batch_are_due_to_be_summed():
    insert([record(at=NOON.timestamp()), record(at=NOON.timestamp() + 1), record(at=NOON.timestamp() + 61)])
    insert([record(at=NOON.timestamp())])
    due = RollupDue.objects.order_by("bucket").values_list("period", "bucket")
    assert list(due) == [("minute", NOON.replace(second=0)), ("minute", NOON.replace(minute=1, second=0))]


@pytest.mark.parametrize(
    "odd",
    [
        {"input_tokens": -1},
        {"output_tokens": 2**70},
        {"duration_ms": -5},
        {"user_agent": "\ud800"},
        {"model_requested": "a\x00b"},
        {"model_requested": "m" * 5000, "endpoint": "/" * 500, "request_id": "r" * 500},
        {"error_code": "e" * 500, "client_address": "c" * 500},
    ],
)
def test_an_odd_record_is_stored_mended_and_stops_nobody(odd):
    strange, sound = record(**odd), record()
    assert insert([strange, sound]) == 0
    row = RequestLog.objects.get(pk=strange.id)
    assert RequestLog.objects.filter(pk=sound.id).exists()
    for name in odd:
        value = getattr(row, name)
        assert value is None or value == 0 or (isinstance(value, str) and len(value) <= 200)


def test_a_record_that_cannot_be_stored_at_all_is_given_up_alone():
    hopeless = record(id=uuid.UUID(int=2**128 - 1))  # its moment lies beyond the calendar
    sound = [record() for _ in range(3)]
    assert insert([sound[0], hopeless, *sound[1:]]) == 1
    assert set(RequestLog.objects.values_list("id", flat=True)) == {each.id for each in sound}


def test_a_database_that_is_away_is_not_the_records_fault(monkeypatch):
    def away(*_):
        raise OperationalError("gone")

    monkeypatch.setattr(rows, "_put_rows", away)
    monkeypatch.setattr(rows, "_put_document", away)
    with pytest.raises(OperationalError), transaction.atomic():
        insert([record()])


def test_the_database_itself_refuses_negative_counts():
    insert([record()])
    with pytest.raises(rows.IntegrityError), transaction.atomic():
        RequestLog.objects.update(cost_nano=-1)


def test_a_loss_is_kept_for_the_console():
    rows.note_loss(7, "journal full")
    assert str(RecordLoss.objects.get()) == "7 records, journal full"


def test_ids_of_a_moment_find_its_rows():
    insert([record(at=NOON.timestamp()), record(at=NOON.timestamp() - 1)])
    assert RequestLog.objects.filter(id__gte=ids.earliest(NOON.timestamp())).count() == 1
