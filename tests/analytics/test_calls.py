import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from analytics import calls, labels, tags, traits
from analytics.calls import CallFilters, find, oldest_first
from analytics.models import RequestLog
from analytics.rows import insert
from proxx.kit import clock
from tests import factories
from tests.analytics.records import TENANT, attempt, record

pytestmark = pytest.mark.django_db

OTHER, THIRD = uuid.uuid4(), uuid.uuid4()
KEY, ACCOUNT = uuid.uuid4(), uuid.uuid4()
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()

CALLS = {
    "plain": {},
    "other": {"tenant_id": OTHER},
    "key": {"key_id": KEY},
    "account": {"credential_id": ACCOUNT},
    "groq": {"provider_id": "groq"},
    "model": {"model_routed": "llama"},
    "asked": {"model_requested": "slow"},
    "route": {"endpoint": "/v1/messages", "dialect": "anthropic"},
    "limited": {"status": 429, "outcome": "error", "error_code": "no_available_key"},
    "broken": {"status": 502, "outcome": "error", "error_code": "upstream_server_error"},
    "stream": {"stream": True},
    "named": {"request_id": "mine"},
    "retried": {"attempts": [attempt(failure="overloaded"), attempt(number=2)]},
    "tools": {"traits": traits.BITS["has_tools"]},
}


@pytest.fixture
def stored():
    made = {name: record(at=NOW - place, **changes) for place, (name, changes) in enumerate(CALLS.items())}
    insert(list(made.values()))
    return made


def names(stored, page):
    back = {call.id: name for name, call in stored.items()}
    return [back[call.id] for call in page.calls]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tenant": OTHER}, ["other"]),
        ({"key": KEY}, ["key"]),
        ({"account": ACCOUNT}, ["account"]),
        ({"provider": "groq"}, ["groq"]),
        ({"model": "llama"}, ["model"]),
        ({"asked": "slow"}, ["asked"]),
        ({"route": "/v1/messages"}, ["route"]),
        ({"dialect": "anthropic"}, ["route"]),
        ({"outcome": "error"}, ["limited", "broken"]),
        ({"outcome": "error", "provider": "openai", "status": "5xx"}, ["broken"]),
        ({"status": "4xx"}, ["limited"]),
        ({"status": "502"}, ["broken"]),
        ({"status": "nonsense"}, []),
        ({"error": "no_available_key"}, ["limited"]),
        ({"stream": True}, ["stream"]),
        ({"retried": True}, ["retried"]),
        ({"request_id": "mine"}, ["named"]),
        ({"tag": "rate_limited"}, ["limited"]),
        ({"tag": "provider:openai"}, ["limited", "broken"]),
        ({"tag": "has_tools"}, ["tools"]),
        ({"tag": "nobody said so"}, []),
        ({"tenant": OTHER, "provider": "groq"}, []),
    ],
)
def test_a_filter_finds_what_it_names(stored, filters, expected):
    assert names(stored, find(CallFilters(**filters), None)) == expected


def test_without_a_filter_everything_is_there_newest_first(stored):
    assert names(stored, find(CallFilters(), None)) == list(CALLS)


@pytest.mark.parametrize("filters", [{}, {"provider": "openai"}, {"outcome": "ok"}, {"tag": "success"}])
def test_nobody_finds_a_call_of_a_tenant_that_is_not_theirs(stored, filters):
    assert names(stored, find(CallFilters(**filters), frozenset({OTHER}))) == ["other"]
    assert "other" not in names(stored, find(CallFilters(**filters), frozenset({TENANT})))
    assert find(CallFilters(tenant=OTHER, **filters), frozenset({TENANT})).calls == []
    assert find(CallFilters(**filters), frozenset()).calls == []


def test_of_several_tenants_the_newest_come_first(stored):
    insert([late := record(at=NOW + 1, tenant_id=THIRD)])
    both = find(CallFilters(), frozenset({OTHER, THIRD}))
    assert [call.id for call in both.calls] == [late.id, stored["other"].id]
    first = find(CallFilters(), frozenset({OTHER, THIRD}), limit=1)
    assert [call.id for call in first.calls] == [late.id]
    second = find(CallFilters(), frozenset({OTHER, THIRD}), before=first.older, limit=1)
    assert [call.id for call in second.calls] == [stored["other"].id]


def test_pages_follow_each_other_without_a_gap_or_a_double(stored):
    for scope in (None, frozenset({TENANT}), frozenset({TENANT, OTHER})):
        seen, before = [], None
        while True:
            page = find(CallFilters(), scope, before=before, limit=3)
            seen += names(stored, page)
            if (before := page.older) is None:
                break
        assert seen == [one for one in CALLS if scope != frozenset({TENANT}) or one != "other"]


def test_a_search_stops_after_so_many_rows_and_says_how_far_it_looked(stored):
    page = find(CallFilters(tag="has_tools"), None, look=5)
    assert page.calls == []
    assert page.looked_back_to == datetime.fromtimestamp(NOW - 4, UTC)
    assert names(stored, find(CallFilters(tag="has_tools"), None, before=page.older, look=20)) == ["tools"]


def test_oldest_first_looks_through_everything_that_fits(stored):
    found = [call for part in oldest_first(CallFilters(provider="openai"), None, most=100, step=3) for call in part]
    assert [call.id for call in found] == [one.id for name, one in reversed(stored.items()) if name != "groq"]


def test_of_too_many_calls_the_newest_are_kept(stored):
    found = [call for part in oldest_first(CallFilters(), None, most=4, step=3) for call in part]
    assert names(stored, calls.CallPage(found)) == list(CALLS)[3::-1]


def test_a_span_of_time_holds_the_calls_that_began_in_it(stored):
    since, until = (datetime.fromtimestamp(NOW - back, UTC) for back in (2, 0))
    assert names(stored, find(CallFilters(since=since, until=until), None)) == ["other", "key"]
    assert find(CallFilters(since=until + timedelta(days=1)), None).calls == []


def test_single_calls_are_found_by_id_inside_the_scope(stored):
    wanted = CallFilters(ids=(stored["other"].id, stored["key"].id))
    assert names(stored, find(wanted, None)) == ["other", "key"]
    assert names(stored, find(wanted, frozenset({TENANT}))) == ["key"]


def test_a_page_takes_three_queries_at_most_and_counts_nothing(stored, django_assert_max_num_queries):
    for filters in ({}, {"provider": "groq"}, {"tenant": TENANT, "stream": True}, {"tag": "mine"}):
        with django_assert_max_num_queries(3) as asked:
            find(CallFilters(**filters), frozenset({TENANT, OTHER}))
        assert not [one for one in asked.captured_queries if "COUNT(" in one["sql"]]


def test_a_tag_of_somebody_finds_its_calls(stored):
    for name in ("groq", "other"):
        tags.add(RequestLog.objects.get(pk=stored[name].id), "look here")
    assert names(stored, find(CallFilters(tag="look here"), None)) == ["other", "groq"]
    assert names(stored, find(CallFilters(tag="look here"), frozenset({OTHER}))) == ["other"]
    assert names(stored, find(CallFilters(tag="look here", provider="groq"), None)) == ["groq"]
    both = (stored["groq"].id, stored["plain"].id)  # as the live list asks for what has just come in
    assert names(stored, find(CallFilters(tag="look here", ids=both), None)) == ["groq"]
    newest = find(CallFilters(tag="look here"), None, limit=1)
    assert names(stored, find(CallFilters(tag="look here"), None, before=newest.older)) == ["groq"]


def test_attempts_come_in_their_order_for_many_calls_at_once(stored, django_assert_num_queries):
    page = find(CallFilters(), None).calls
    with django_assert_num_queries(1):
        found = calls.attempts_of(page)
    assert [one.number for one in found[stored["retried"].id]] == [1, 2]
    assert len(found) == len(CALLS)


def test_the_names_of_tenant_key_and_account_come_along(django_assert_num_queries):
    tenant, credential = factories.make_tenant(), factories.make_credential()
    key = factories.make_key(tenant).row
    insert([record(tenant_id=tenant.pk, key_id=key.pk, credential_id=credential.pk), record(tenant_id=OTHER)])
    with django_assert_num_queries(2):
        nameless, named = sorted(find(CallFilters(), None).calls, key=lambda call: call.tenant_id != OTHER)
        assert (named.tenant.name, named.key.label) == (tenant.name, key.label)
        assert (named.credential.label, named.credential.provider_id) == (credential.label, credential.provider_id)
        assert (nameless.tenant, nameless.key, nameless.credential) == (None, None, None)
    assert nameless.tenant_id == OTHER


def test_an_account_that_is_deleted_does_not_hide_its_calls(db):
    credential = factories.make_credential()
    insert([call := record(credential_id=credential.pk, at=clock.unix())])
    credential.delete()
    assert [one.id for one in find(CallFilters(account=call.credential_id), None).calls] == [call.id]


def test_every_label_is_the_same_in_the_database_and_in_memory(stored):
    insert([record(cost_nano=cost) for cost in (0, 10**7, 10**7 + 1, 10**8, 10**9, 10**9 + 1, None)])
    insert([record(bytes_in=size) for size in (50_000, 50_001, 300_000)])
    insert([record(status=status, outcome="error", error_code="timed_out") for status in labels.STATUSES])
    insert([record(cache_read_tokens=61), record(reasoning_tokens=16), record(cache_read_tokens=1, input_tokens=None)])
    insert([record(traits=bit) for bit in traits.BITS.values()])
    rows = list(RequestLog.objects.all())
    for word in labels.LABELS:
        found = set(RequestLog.objects.filter(labels.condition(word)).values_list("id", flat=True))
        assert found == {row.id for row in rows if word in labels.of(row)}, word
        assert found or word in {"billing_issue", "content_filter", "token_expired", "quota_exceeded"} | {
            "model_unavailable"
        }, word


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is told in SQLite's words")
@pytest.mark.parametrize(
    ("filters", "scope"),
    [
        ({}, None),
        ({}, frozenset({TENANT})),
        ({}, frozenset({TENANT, OTHER})),
        ({"provider": "groq"}, frozenset({TENANT, OTHER})),
        ({"provider": "groq"}, None),
        ({"key": KEY}, frozenset({TENANT})),
        ({"model": "llama", "tag": "has_tools"}, None),
        ({"status": "5xx"}, None),
        ({"request_id": "mine"}, None),
        ({"tag": "look here"}, None),
    ],
)
def test_every_way_to_look_follows_an_index(stored, filters, scope):
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        find(CallFilters(**filters), scope)
    with connection.cursor() as cursor:
        for sql, params in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            steps = [row[3] for row in cursor.fetchall()]
            assert [step for step in steps if re.match(r"SCAN analytics_\w+$", step)] == []
