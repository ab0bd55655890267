import re
import uuid

import pytest
from django.urls import reverse

from accounts.models import Operator
from accounts.rights import Role
from accounts.sanitized import masked
from analytics import call_search, dashboard, rollup
from analytics.calls import find
from analytics.models import RequestLog
from analytics.rows import insert
from proxx.kit import clock as clocks
from tests import factories
from tests.analytics.records import attempt, record

pytestmark = pytest.mark.django_db

LIST = "admin:analytics_requestlog_changelist"
BREAK_OUT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def fresh_reading():
    dashboard.forget()
    call_search.forget()
    yield
    dashboard.forget()
    call_search.forget()


@pytest.fixture
def console(client, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    client.force_login(Operator.objects.create_superuser("boss", password="irrelevant here"))
    return client


def shown(response):
    return [row.id for row in response.context["rows"]]


def detail(call):
    return reverse("admin:analytics_requestlog_change", args=[call.id])


def test_the_list_takes_the_same_queries_for_any_number_of_rows(console, tenant, key, django_assert_max_num_queries):
    insert([record(tenant_id=tenant.id, key_id=key.row.id) for _ in range(5)])
    console.get(reverse(LIST))
    call_search.forget()
    with django_assert_max_num_queries(12) as few:
        assert len(shown(console.get(reverse(LIST)))) == 5
    insert([record(tenant_id=tenant.id, key_id=key.row.id) for _ in range(45)])
    call_search.forget()
    with django_assert_max_num_queries(len(few)) as many:
        assert len(shown(console.get(reverse(LIST)))) == 50
    assert len(many) == len(few)
    assert not [query for query in many.captured_queries if "COUNT(" in query["sql"] and "requestlog" in query["sql"]]


def test_older_requests_begin_below_the_last_one_shown(console):
    calls = sorted((record() for _ in range(120)), key=lambda each: each.id, reverse=True)
    insert(calls)
    seen, address = [], reverse(LIST)
    for _ in range(3):
        page = console.get(address)
        seen += shown(page)
        address = f"{reverse(LIST)}?{page.context['older']}"
    assert seen == [each.id for each in calls]
    assert page.context["older"] == ""
    assert page.context["newest"] == ""


def test_a_row_whose_tenant_is_gone_is_still_shown(console):
    insert([lone := record(tenant_id=uuid.uuid4(), key_id=uuid.uuid4(), credential_id=uuid.uuid4())])
    assert shown(console.get(reverse(LIST))) == [lone.id]
    assert console.get(detail(lone)).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=error", {"error"}),
        ("retried=1", {"retried"}),
        ("provider=groq", {"groq"}),
        ("model=llama", {"groq"}),
        ("stream=1", {"stream"}),
        ("within=hour", {"plain", "error", "retried", "groq", "stream", "named"}),
        ("within=hour&stream=0&retried=0&provider=openai&outcome=ok", {"plain", "named"}),
        ("q=my-own-id", {"named"}),
        ("q=LLAMA", {"groq"}),
        ("q=upstream_server_error", {"error"}),
        ("q=nothing", set()),
        ("tag=server_error", {"error"}),
        ("tenant=00000000-0000-4000-8000-00000000dead", set()),
    ],
)
def test_filters_and_search_find_what_they_name(console, query, expected):
    calls = {
        "plain": record(),
        "error": record(outcome="error", status=502, error_code="upstream_server_error"),
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
        found = shown(console.get(f"{reverse(LIST)}?{query}", follow=True))
    assert {name for name, call in calls.items() if call.id in found} == expected


def test_a_request_is_found_by_its_id(console):
    insert([wanted := record(), record()])
    assert shown(console.get(f"{reverse(LIST)}?q={wanted.id}", follow=True)) == [wanted.id]


def test_provider_and_model_filters_come_from_sums(console):
    with clocks.stopped() as clock:
        insert([record(at=clock.unix())])
        clock.advance(3700)
        rollup.run()
    page = console.get(reverse(LIST)).content.decode()
    assert '<option value="openai">' in page
    assert '<option value="gpt-5-mini">' in page


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
    with django_assert_max_num_queries(12):
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


def test_a_request_that_is_not_there_is_not_found(console):
    assert console.get(detail(record())).status_code == 404


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


def member_of(client, tenant):
    client.force_login(factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant, password=None))
    return client


def ids_of(page):
    return re.findall(r'<tr data-id="([0-9a-f-]{36})"', page.content.decode())


def test_what_comes_in_live_is_what_the_filters_find(console):
    insert([wanted := record(stream=True), other := record(), record(stream=True)])
    address = f"{reverse('admin:analytics_requestlog_tail')}?stream=1&id={wanted.id}&id={other.id}"
    assert ids_of(console.get(address)) == [str(wanted.id)]
    assert len(ids_of(console.get(reverse("admin:analytics_requestlog_tail")))) == 3


def test_a_member_sees_finds_and_follows_the_calls_of_their_own_tenant_only(client, tenant):
    other = factories.make_tenant()
    insert([own := record(tenant_id=tenant.id), foreign := record(tenant_id=other.id, request_id="theirs")])
    member = member_of(client, tenant)
    page = member.get(reverse(LIST))
    assert shown(page) == [own.id]
    assert other.name not in page.content.decode()
    for query in (f"q={foreign.id}", "q=theirs", f"tenant={other.id}", f"id={foreign.id}"):
        assert shown(member.get(f"{reverse(LIST)}?{query}", follow=True)) == []
    assert ids_of(member.get(f"{reverse('admin:analytics_requestlog_tail')}?id={foreign.id}")) == []
    assert member.get(detail(foreign)).status_code == 404


def test_who_may_not_see_accounts_reads_on_no_page_what_they_are_called_and_finds_none_by_name(client, tenant):
    account = factories.make_credential(label="Kims own plan")
    made = [attempt(account="Kims own plan", credential_id=account.id), attempt(number=2, account="Kims own plan")]
    call = record(tenant_id=tenant.id, credential_id=account.id, attempts=made)
    insert([call])
    places = (reverse(LIST), detail(call), reverse("admin:analytics_requestlog_tail"))
    member = member_of(client, tenant)
    for address in (*places, f"{reverse(LIST)}?account={account.id}"):
        page = member.get(address).content.decode()
        assert "Kims own plan" not in page, address
        assert masked("Kims own plan") in page, address
        assert tenant.name in page, address
    searched = member.get(f"{reverse(LIST)}?q=kims+own+plan")
    assert "account" not in searched["Location"]
    client.force_login(factories.make_operator(role=Role.AUDITOR, password=None))
    for address in places:
        assert "Kims own plan" in client.get(address).content.decode(), address
    assert f"account={account.id}" in client.get(f"{reverse(LIST)}?q=kims+own+plan")["Location"]


def test_in_sanitized_mode_no_page_names_anybody(console, tenant, key, credential):
    call = record(
        tenant_id=tenant.id,
        key_id=key.row.id,
        credential_id=credential.id,
        client_address="192.0.2.7",
        attempts=[attempt(account="kim@example.com", failure="auth", message="kim@example.com is unknown")],
    )
    insert([call])
    for address in (reverse(LIST), detail(call), reverse("admin:analytics_requestlog_tail")):
        page = console.get(f"{address}?sanitized=1").content.decode().split("</aside>")[-1]
        for word in (key.row.label, credential.label, "kim@example.com", "192.0.2.7"):
            assert word not in page, (address, word)


def test_a_search_that_stopped_says_how_far_it_looked_and_goes_on(console, monkeypatch):
    monkeypatch.setattr(find, "__kwdefaults__", {**find.__kwdefaults__, "look": 3})
    now = clocks.unix()
    insert([record(at=now - back) for back in range(5)] + [wanted := record(at=now - 9, dialect="ollama")])
    first = console.get(f"{reverse(LIST)}?dialect=ollama")
    assert shown(first) == []
    assert "Search further back" in first.content.decode()
    assert shown(console.get(f"{reverse(LIST)}?{first.context['older']}")) == [wanted.id]
