"""The request log, overview, comparison, cache audit, events and metrics of old, in their shapes."""

import pytest

from accounts.models import DEFAULT_TENANT_ID, AuditEntry
from accounts.rights import Role
from tests import factories
from tests.api.control.test_usage import record

BASES = ("/api/ui", "/api/v1")


@pytest.fixture
def two(clock, db):
    """An account, and two calls: one streamed and answered, one that failed at a model without a price."""
    account = factories.make_credential(account_id="main", label="Main")
    good = record(DEFAULT_TENANT_ID, ago=20, credential_id=account.pk, cost_nano=10**9, stream=True, first_event_ms=500,
                  duration_ms=1500, cache_read_tokens=4, conversation="ab" * 8)  # fmt: skip
    bad = record(DEFAULT_TENANT_ID, ago=10, outcome="error", status=500, error_code="upstream", model_routed="gpt-y",
                 cost_nano=None, price_state="unpriced", provider_id="groq")  # fmt: skip
    return good, bad


def seen(admin, path: str) -> dict:
    """Ask below both prefixes, which answer alike."""
    answers = [admin.get(f"{base}{path}") for base in BASES]
    assert {answer.status_code for answer in answers} == {200}, answers[0].content
    first, second = (answer.json() for answer in answers)
    assert {**first, "generatedAt": ""} == {**second, "generatedAt": ""}
    return first


def test_the_request_log_of_old(admin, two):
    entries = seen(admin, "/request-logs")["entries"]
    assert [one["id"] for one in entries] == [str(two[1].id), str(two[0].id)]
    one = entries[1]
    assert (one["accountId"], one["tps"], one["endToEndTps"], one["cacheHit"]) == ("main", 5.0, 3.33, True)
    assert (one["costUsd"], one["promptCacheKeyHash"], one["tenantId"]) == (1.0, "sha256:" + "ab" * 8, "default")
    assert (entries[0]["error"], entries[0]["costUsd"]) == ("upstream", None)
    older = admin.get(f"/api/v1/request-logs?limit=1&before={two[1].id}").json()["entries"]
    assert [one["id"] for one in older] == [str(two[0].id)]
    assert admin.get("/api/v1/request-logs?accountId=main&providerId=openai").json()["entries"] == [one]
    assert admin.get("/api/v1/request-logs?accountId=nobody").json()["entries"] == []


def test_the_overview_of_old(admin, two):
    told = seen(admin, "/dashboard/overview?window=WEEK")
    summary = told["summary"]
    assert (summary["requests24h"], summary["tokens24h"], summary["costUsd24h"]) == (2, 30, 1.0)
    assert (summary["errorRate24h"], summary["cacheHitRate24h"], summary["unpricedRequests"]) == (50.0, 100.0, 1)
    assert sum(one["v"] for one in told["trends"]["requests"]) == 2
    (account,) = told["accounts"]
    assert (account["displayName"], account["requestCount"], account["avgDecodeTps"]) == ("Main", 1, 5.0)
    assert summary["activeAccounts"] == 1


def test_accounts_of_the_house_are_not_shown_to_a_tenant(as_operator, two):
    tenant = factories.make_tenant()
    caller = as_operator(factories.make_operator(role=Role.TENANT_ADMIN, tenant=tenant))
    told = caller.get("/api/v1/dashboard/overview").json()
    assert (told["accounts"], told["summary"]["requests"]) == ([], 0)
    assert caller.get("/api/v1/dashboard/overview?tenantId=default").status_code == 404
    assert caller.get("/api/v1/request-logs").json()["entries"] == []
    assert caller.get("/api/metrics").json()["data"]["summary"]["totalRequests"] == 0


def test_models_and_providers_side_by_side(admin, two):
    told = seen(admin, "/analytics/provider-model?sort=error-rate")
    assert [one["model"] for one in told["models"]] == ["gpt-x", "gpt-y"]
    assert [(one["providerId"], one["errorRate"], one["costUsd"]) for one in told["providers"]] == [
        ("openai", 0.0, 1.0), ("groq", 100.0, None)]  # fmt: skip
    assert told["models"][0]["providerCoverageCount"] == 1
    assert 0 < told["models"][0]["suitabilityScore"] < 1


def test_the_audit_of_prompt_caches_tells_which_accounts_served_a_key(admin, two):
    other = factories.make_credential(account_id="second")
    record(DEFAULT_TENANT_ID, ago=5, credential_id=other.pk, conversation="ab" * 8)
    told = seen(admin, "/credentials/openai/prompt-cache-audit")
    assert (told["scannedEntryCount"], told["distinctHashCount"], told["crossAccountHashCount"]) == (3, 1, 1)
    (row,) = told["watchRows"]
    assert (row["accountIds"], row["requestCount"], row["cachedPromptTokens"]) == (["main", "second"], 2, 4)
    assert told["rows"] == [row]


def test_events_are_calls_with_their_tags(admin, two):
    place = f"/api/v1/events/{two[1].id}"
    for _ in range(2):
        assert admin.post(f"{place}/tag", {"tag": "look at this"}).json() == {"ok": True}
    (event,) = admin.get("/api/v1/events?tag=look at this").json()["events"]
    assert (event["id"], event["kind"], event["status"], event["payload"]) == (str(two[1].id), "error", 500, None)
    assert {"look at this", "server_error", "provider:groq"} <= set(event["tags"])
    assert seen(admin, "/events/tags")["tags"] == {"look at this": 1}
    assert AuditEntry.objects.filter(action="tagged").count() == 1
    assert admin.post(f"{place}/tag", {"tag": "success"}).json()["error"]["param"] == "tag"
    assert admin.delete(f"{place}/tag", {"tag": "look at this"}).status_code == 200
    assert "look at this" not in admin.get(place).json()["event"]["tags"]


def test_events_are_filtered_and_counted(admin, two):
    def found(query: str) -> list[str]:
        return [one["kind"] for one in admin.get(f"/api/v1/events?{query}").json()["events"]]

    assert found("") == ["error", "response"]
    assert found("kind=response") == ["response"]
    assert found("kind=metric") == []
    assert found("status_gte=400&status_lt=600") == ["error"]
    assert found("status=200") == ["response"]
    assert found(f"entry_id={two[0].id}") == ["response"]
    assert found("offset=1") == ["response"]
    counted = admin.get("/api/v1/events?include_count=true&limit=1").json()
    assert (counted["count"], counted["totalCount"]) == (1, 2)


def test_metrics_of_old(admin, two):
    told = admin.get("/api/metrics?hours=1000&limit=nonsense").json()
    assert (told["success"], told["timeRange"]) == (True, "24 hours")
    summary = told["data"]["summary"]
    assert (summary["totalRequests"], summary["totalTokens"], summary["totalCost"]) == (2, 30, 1.0)
    assert (summary["uniqueModels"], summary["uniqueClients"]) == (2, 0)
    assert [one["response_status"] for one in told["data"]["recentRequests"]] == [500, 200]
    assert [one["model"] for one in told["data"]["modelBreakdown"]] == ["gpt-x", "gpt-y"]
    assert len(told["data"]["hourlyTrends"]) == 25
    assert len(admin.get("/api/metrics?limit=1").json()["data"]["recentRequests"]) == 1


@pytest.mark.parametrize("path", [
    "/admin/traces", "/admin/stats/traces", "/admin/stats/usage", "/api/metrics", "/api/v1/request-logs",
    "/api/v1/dashboard/overview", "/api/v1/analytics/provider-model", "/api/v1/events",
    "/api/v1/credentials/openai/prompt-cache-audit",
])  # fmt: skip
def test_no_answer_takes_more_than_twelve_questions(admin, two, django_assert_max_num_queries, path):
    with django_assert_max_num_queries(12):
        assert admin.get(path).status_code == 200
