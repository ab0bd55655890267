from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import ApiKey, Operator
from analytics import dashboard, queries, rollup
from analytics.models import RollupDue
from analytics.rows import insert, note_loss
from proxx.kit import clock as clocks
from routing import reload
from tests.analytics.records import record
from tests.factories import make_key
from tests.routing.pictures import credential, picture

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock():
    dashboard.forget()
    with clocks.stopped(NOON) as stopped:
        yield stopped
    dashboard.forget()


@pytest.fixture
def account():
    before = reload.current()
    reload.install(picture(credential("openai")))
    yield
    reload.install(before)


def ago(*seconds, **changes):
    insert([record(at=clocks.unix() - second, **changes) for second in seconds])


def test_an_empty_hour_has_sixty_minutes_of_nothing(clock):
    reading = dashboard.reading()
    assert len(reading["minutes"]) == 60
    assert reading["minutes"][-1] == [int(NOON.replace(second=0).timestamp()) * 1000, 0, 0, 0]
    assert reading["counts"]["requests"] == 0
    assert (reading["first_event"], reading["calls"], reading["alarms"]) == (None, [], [])


def test_the_running_minute_and_summed_ones_are_both_counted(clock):
    ago(5)
    ago(600, 601, outcome="error")
    ago(1200, outcome="cancelled")
    ago(7200)
    rollup.run()
    ago(602)  # late: its minute is on the work list again, and read from rows
    reading = dashboard.reading()
    assert reading["counts"]["requests"] == 5
    assert (reading["counts"]["ok"], reading["counts"]["errors"], reading["counts"]["cancelled"]) == (2, 2, 1)
    assert reading["counts"]["input_tokens"] == 5 * 120
    assert [minute[1:] for minute in reading["minutes"] if any(minute[1:])] == [[0, 0, 1], [1, 2, 0], [1, 0, 0]]


def test_without_sums_the_newest_minutes_are_still_right_and_the_page_says_what_is_missing(clock):
    ago(*(60 * minute for minute in range(30)))
    minutes = queries.traffic()
    assert sum(minute.requests for minute in minutes) == queries.NEWEST_MINUTES
    (alarm,) = dashboard.reading()["alarms"]
    assert "28 minutes behind" in alarm


def test_a_reading_takes_few_queries_and_is_shared_for_a_second(clock, django_assert_max_num_queries):
    ago(*range(200))
    with django_assert_max_num_queries(8):
        dashboard.reading()
    with django_assert_max_num_queries(0):
        dashboard.reading()
    clock.advance(1)
    with django_assert_max_num_queries(8):
        assert len(dashboard.reading()["calls"]) == dashboard.SHOWN


def test_the_first_byte_is_judged_by_good_calls(clock):
    ago(*range(20), first_event_ms=100)
    ago(20, first_event_ms=5000)
    ago(21, first_event_ms=9000, outcome="error")
    assert dashboard.reading()["first_event"] == {"p50": 100, "p95": 100}
    assert queries.first_event_percentiles() == (100, 100)


def test_lost_records_and_a_database_that_takes_none_are_said(clock, monkeypatch):
    note_loss(12, "journal full")
    monkeypatch.setattr(dashboard.queue, "state", lambda: dashboard.queue.State(3, 12, "OperationalError"))
    fault, loss = dashboard.reading()["alarms"]
    assert "OperationalError" in fault
    assert "3 wait" in fault
    assert "12 records were lost" in loss


def test_every_operator_reads_that_all_that_is_said_goes_into_a_file(clock, settings):
    settings.PROXY_TRAFFIC_LOG = "/somewhere/traffic.jsonl"
    (alarm,) = dashboard.reading()["alarms"]
    assert "Prompts and answers of all calls are written to a file" in alarm


def test_a_bucket_from_a_clock_that_is_ahead_breaks_nothing(clock):
    clock.advance(600)
    ago(0)
    clock.advance(120)
    rollup.run()
    clock.advance(-720)
    RollupDue.objects.create(period="minute", bucket=clocks.now().replace(second=0).replace(minute=40))
    assert dashboard.reading()["counts"]["requests"] == 0


def test_the_page_and_its_source_say_the_same(clock, client, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    ago(1)
    client.force_login(Operator.objects.create_superuser("boss", password="irrelevant here"))
    page = client.get(reverse("admin:index"))
    answer = client.get(reverse("admin:analytics_requestlog_live"))
    assert answer.json() == page.context["traffic"]
    assert "no-store" in answer["Cache-Control"]
    assert "curl http://testserver/v1/chat/completions" in page.content.decode()


def test_the_first_steps_stay_until_a_call_succeeded(clock, account):
    assert dashboard.reading()["is_new"]
    ago(5, outcome="error")
    dashboard.forget()
    assert dashboard.reading()["is_new"]
    ago(6)
    dashboard.forget()
    assert not dashboard.reading()["is_new"]


def test_each_of_the_first_steps_is_told_when_it_is_done(clock, account):
    ApiKey.objects.all().delete()
    assert dashboard.reading()["steps"] == [True, False, False]
    make_key()
    dashboard.forget()
    assert dashboard.reading()["steps"] == [True, True, False]
    reload.install(picture())
    ago(5)
    dashboard.forget()
    assert dashboard.reading()["steps"] == [False, True, True]


def test_a_success_of_long_ago_counts(clock, account):
    ago(50 * 3600)
    rollup.run()
    ago(*range(5, 5 + dashboard.SHOWN), outcome="error")
    assert not dashboard.reading()["is_new"]


def test_the_first_steps_are_shown_while_there_is_no_account(clock, account):
    ago(5)
    reload.install(picture())
    assert dashboard.reading()["is_new"]


def test_sanitized_numbers_name_no_tenant_and_leave_the_shared_reading_alone(clock, client):
    ago(1)
    client.force_login(Operator.objects.create_superuser("boss", password="irrelevant here"))
    plain = client.get(reverse("admin:analytics_requestlog_live")).json()["calls"][0]["tenant"]
    hidden = client.get(reverse("admin:analytics_requestlog_live") + "?sanitized=1").json()["calls"][0]["tenant"]
    assert plain == "Default"
    assert hidden.startswith("****-")
    assert dashboard.reading()["calls"][0]["tenant"] == "Default"
