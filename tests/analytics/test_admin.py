import uuid

import pytest
from django.urls import reverse

from accounts.models import Operator
from analytics import dashboard, rollup
from analytics.models import RequestLog
from analytics.rows import insert
from proxx.kit import clock as clocks
from tests.analytics.records import attempt, record

pytestmark = pytest.mark.django_db

LIST = "admin:analytics_requestlog_changelist"
BREAK_OUT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def fresh_reading():
    dashboard.forget()
    yield
    dashboard.forget()


@pytest.fixture
def console(client, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    client.force_login(Operator.objects.create_superuser("boss", password="irrelevant here"))
    return client


def shown(response):
    return [call.id for call in response.context["cl"].result_list]


def detail(call):
    return reverse("admin:analytics_requestlog_change", args=[call.id])


def test_the_list_takes_the_same_queries_for_any_number_of_rows(console, tenant, key, django_assert_max_num_queries):
    insert([record(tenant_id=tenant.id, key_id=key.row.id) for _ in range(5)])
    console.get(reverse(LIST))
    with django_assert_max_num_queries(10) as few:
        assert len(shown(console.get(reverse(LIST)))) == 5
    insert([record(tenant_id=tenant.id, key_id=key.row.id) for _ in range(45)])
    with django_assert_max_num_queries(len(few)) as many:
        assert len(shown(console.get(reverse(LIST)))) == 50
    assert len(many) == len(few)
    assert not [query for query in many.captured_queries if "COUNT(" in query["sql"]]


def test_older_requests_begin_below_the_last_one_shown(console):
    calls = sorted((record() for _ in range(120)), key=lambda each: each.id, reverse=True)
    insert(calls)
    seen, address = [], reverse(LIST)
    for _ in range(3):
        page = console.get(address)
        seen += shown(page)
        address = reverse(LIST) + (page.context["cl"].older or "")
    assert seen == [each.id for each in calls]
    assert page.context["cl"].older is None
    assert page.context["cl"].newest == "?"


def test_a_row_whose_tenant_is_gone_is_still_shown(console):
    insert([lone := record(tenant_id=uuid.uuid4(), key_id=uuid.uuid4(), credential_id=uuid.uuid4())])
    assert shown(console.get(reverse(LIST))) == [lone.id]
    assert console.get(detail(lone)).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=error", {"error"}),
        ("outcome=retried", {"retried"}),
        ("provider_id=groq", {"groq"}),
        ("model_routed=llama", {"groq"}),
        ("stream__exact=1", {"stream"}),
        ("within=hour", {"plain", "error", "retried", "groq", "stream", "named"}),
        ("q=my-own-id", {"named"}),
        ("q=nothing", set()),
        ("tenant_id=nonsense", set()),
    ],
)
def test_filters_and_search_find_what_they_name(console, query, expected):
    calls = {
        "plain": record(),
        "error": record(outcome="error", status=502),
        "retried": record(attempts=[attempt(failure="overloaded"), attempt(number=2)]),
        "groq": record(provider_id="groq", model_routed="llama"),
        "stream": record(stream=True),
        "named": record(request_id="my-own-id"),
        "old": record(at=clocks.unix() - 7200),
    }
    insert(list(calls.values()))
    with clocks.stopped() as clock:
        clock.advance(120)
        rollup.run()  # the filters offer what the sums know
        found = shown(console.get(f"{reverse(LIST)}?{query}"))
    assert {name for name, call in calls.items() if call.id in found} == expected


def test_a_request_is_found_by_its_id(console):
    insert([wanted := record(), record()])
    assert shown(console.get(f"{reverse(LIST)}?q={wanted.id}")) == [wanted.id]


def test_provider_and_model_filters_come_from_sums(console):
    with clocks.stopped() as clock:
        insert([record(at=clock.unix())])
        clock.advance(3700)
        rollup.run()
    page = console.get(reverse(LIST)).content.decode()
    assert "provider_id=openai" in page
    assert "model_routed=gpt-5-mini" in page


def test_a_request_is_shown_in_full(console, tenant, key, credential, django_assert_max_num_queries):
    call = record(
        tenant_id=tenant.id,
        key_id=key.row.id,
        credential_id=credential.id,
        cache_read_tokens=64,
        warnings=["seed dropped"],
        attempts=[attempt(status=429, failure="rate_limited", message="slow down", retry_after=2), attempt(number=2)],
    )
    insert([call])
    console.get(detail(call))
    with django_assert_max_num_queries(8):
        page = console.get(detail(call)).content.decode()
    for word in (str(call.id), "rate_limited", "slow down", "seed dropped", "unpriced", tenant.name, "64 read"):
        assert word in page


def test_what_callers_and_upstreams_say_is_text_never_markup(console):
    call = record(
        model_requested=BREAK_OUT,
        user_agent=BREAK_OUT,
        request_id=BREAK_OUT,
        error_code=BREAK_OUT,
        warnings=[BREAK_OUT],
        attempts=[attempt(account=BREAK_OUT, message=BREAK_OUT, failure="malformed")],
    )
    insert([call])
    for address in (reverse(LIST), detail(call), reverse("admin:index")):
        assert BREAK_OUT not in console.get(address).content.decode()


def test_a_call_without_any_attempt_has_a_page(console):
    insert([call := record(attempts=[], outcome="refused", provider_id="", model_routed="", first_event_ms=None)])
    assert "No attempt was made" in console.get(detail(call)).content.decode()


def test_a_request_that_is_not_there_leads_back(console):
    assert console.get(detail(record())).status_code == 302


def test_nothing_can_be_added_changed_or_deleted(console):
    insert([call := record()])
    assert console.get(reverse("admin:analytics_requestlog_add")).status_code == 403
    assert console.get(reverse("admin:analytics_requestlog_delete", args=[call.id])).status_code == 403
    console.post(detail(call), {"status": "500"})
    console.post(reverse(LIST), {"action": "delete_selected", "_selected_action": str(call.id)})
    assert RequestLog.objects.get().status == 200


def test_an_operator_without_the_right_sees_no_traffic(client, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    insert([call := record(model_requested="secret-model")])
    client.force_login(Operator.objects.create_user("guest", password="irrelevant here", is_staff=True))
    assert "secret-model" not in client.get(reverse("admin:index")).content.decode()
    for address in (reverse(LIST), detail(call), reverse("admin:analytics_requestlog_live")):
        assert client.get(address).status_code == 403


def test_strangers_are_sent_to_sign_in(client):
    for address in (reverse(LIST), reverse("admin:analytics_requestlog_live"), reverse("admin:index")):
        assert "/login/" in client.get(address)["Location"]
