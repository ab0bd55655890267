"""Traces and statistics below /admin, in MultiVibe's shapes."""

import io
import json
import zipfile

from accounts.models import DEFAULT_TENANT_ID, AuditEntry
from accounts.rights import Role
from accounts.signin import step_up
from analytics import rollup
from proxx.api.control.seeds import stats, traces
from proxx.kit import clock as clocks
from tests import factories
from tests.api.control.test_usage import record

TRACES = "/admin/traces"


def calls(count: int, **fields) -> list[str]:
    """Store calls, the newest first."""
    return [str(record(DEFAULT_TENANT_ID, ago=10.0 * number, **fields).id) for number in range(1, count + 1)]


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["traces"]]


def test_traces_are_listed_by_pages_and_by_place(admin, clock):
    made = calls(5)
    first = admin.get(f"{TRACES}?pageSize=2")
    assert ids(first) == made[:2]
    pagination = first.json()["pagination"]
    assert (pagination["total"], pagination["totalPages"], pagination["hasPrev"], pagination["hasNext"]) == (
        5,
        3,
        False,
        True,
    )
    assert ids(admin.get(f"{TRACES}?pageSize=2&page=3")) == made[4:]
    assert ids(admin.get(f"{TRACES}?pageSize=2&page=9")) == []
    assert ids(admin.get(f"{TRACES}?pageSize=2&before={pagination['before']}")) == made[2:4]
    assert ids(admin.get(f"{TRACES}?limit=3")) == made[:3]
    since = int((clocks.unix() - 25) * 1000)
    assert ids(admin.get(f"{TRACES}?sinceMs={since}")) == made[:2]


def test_a_trace_tells_what_is_known_and_nothing_of_what_is_not(admin, clock):
    account = factories.make_credential(label="a@example.com")
    (one,) = calls(1, credential_id=account.pk, outcome="error", status=502, error_code="upstream", cost_nano=None,
                   input_tokens=None, output_tokens=None, price_state="unpriced")  # fmt: skip
    told = admin.get(f"{TRACES}/{one}").json()["trace"]
    assert (told["accountEmail"], told["status"], told["isError"], told["error"]) == (
        "a@example.com",
        502,
        True,
        "upstream",
    )
    assert (told["costUsd"], told["tokensTotal"], told["tokensInput"]) == (None, None, None)
    masked = admin.get(f"{TRACES}/{one}?sanitized=1").json()["trace"]["accountEmail"]
    assert masked.startswith("****")
    assert admin.get(f"{TRACES}/00000000-0000-7000-8000-000000000000").status_code == 404


def test_an_export_holds_the_newest_calls_oldest_first_and_is_written_down(admin, clock, monkeypatch):
    made = calls(4)
    monkeypatch.setattr(traces, "EXPORTED", 3)
    answer = admin.get(f"{TRACES}/export.zip")
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        lines = [json.loads(line) for line in packed.read("traces.jsonl").splitlines()]
        about = json.loads(packed.read("metadata.json"))
    assert [one["id"] for one in lines] == made[2::-1]
    assert about["count"] == 3
    assert AuditEntry.objects.filter(action="exported", object_name="traces").exists()


def test_an_operators_export_asks_who_is_there(as_operator, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda _: False)
    refused = as_operator().get(f"{TRACES}/export.zip")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "step_up_required")


def test_statistics_of_traces_are_sums_by_model_and_hour(admin, clock):
    calls(3, cost_nano=2_000_000_000, duration_ms=100)
    calls(1, outcome="error", status=500, cost_nano=None, model_routed="gpt-y", duration_ms=500)
    before = admin.get("/admin/stats/traces").json()
    totals = before["stats"]["totals"]
    assert (totals["requests"], totals["errors"], totals["errorRate"], totals["costUsd"]) == (4, 1, 0.25, 6.0)
    assert (totals["tokensInput"], totals["tokensOutput"], totals["tokensTotal"]) == (40, 20, 60)
    assert [(one["model"], one["count"], one["okCount"]) for one in before["stats"]["models"]] == [
        ("gpt-x", 3, 3), ("gpt-y", 1, 0)]  # fmt: skip
    hours = before["stats"]["timeseries"]
    assert {one["latencyP95Ms"] for one in hours} <= {100, 500}
    assert (before["totalStored"], before["matched"]) == (4, 4)
    clock.advance(200)
    rollup.run()
    assert admin.get("/admin/stats/traces").json()["stats"]["totals"] == totals


def test_percentiles_are_not_told_where_not_every_call_was_looked_at(admin, clock, monkeypatch):
    calls(3)
    monkeypatch.setattr(stats, "SCANNED", 2)
    assert {one["latencyP50Ms"] for one in admin.get("/admin/stats/traces").json()["stats"]["timeseries"]} == {None}


def test_usage_is_told_by_account_and_route(admin, clock):
    account = factories.make_credential(label="a@example.com")
    calls(2, credential_id=account.pk, stream=True)
    calls(1, endpoint="/v1/messages", status=429, outcome="error")
    told = admin.get("/admin/stats/usage").json()
    assert [(one["route"], one["requests"], one["successRate"]) for one in told["byRoute"]] == [
        ("/v1/chat/completions", 2, 100.0), ("/v1/messages", 1, 0.0)]  # fmt: skip
    first = told["byAccount"][0]
    assert (first["account"]["email"], first["tokens"]) == (
        "a@example.com",
        {"prompt": 20, "completion": 10, "total": 30},
    )
    assert told["totals"]["statusCounts"] == {"200": 2, "429": 1}
    narrow = admin.get(f"/admin/stats/usage?accountId={account.pk}&route=all").json()
    assert (narrow["tracesEvaluated"], narrow["tracesMatched"]) == (3, 2)
    assert admin.get("/admin/stats/usage?route=/v1/messages").json()["totals"]["requests"] == 1
    assert admin.get("/admin/stats/traces?route=/v1/messages").json()["error"]["param"] == "route"


def test_traces_and_statistics_are_the_callers_own(as_operator, clock, db):
    mine, other = factories.make_tenant(), factories.make_tenant()
    own, theirs = record(mine.pk, ago=10), record(other.pk, ago=10)
    caller = as_operator(factories.make_operator(role=Role.TENANT_ADMIN, tenant=mine))
    assert ids(caller.get(TRACES)) == [str(own.id)]
    assert caller.get(f"{TRACES}/{theirs.id}").status_code == 404
    assert caller.get("/admin/stats/traces").json()["stats"]["totals"]["requests"] == 1
    assert caller.get("/admin/stats/usage").json()["tracesEvaluated"] == 1


def test_a_tenant_reads_accounts_by_stars_and_finds_none_by_name(as_operator, admin, clock, db):
    mine = factories.make_tenant()
    account = factories.make_credential(label="a@example.com", account_id="kim")
    own = record(mine.pk, ago=10, credential_id=account.pk)
    caller = as_operator(factories.make_operator(role=Role.TENANT_ADMIN, tenant=mine))
    reads = (f"{TRACES}/{own.id}", "/admin/stats/usage", "/api/v1/request-logs", "/api/v1/events")
    for place in reads:
        assert '"kim"' in (said := admin.get(place).content.decode()) or "a@example.com" in said, place
        told = caller.get(place).content.decode()
        assert "a@example.com" not in told, place
        assert '"kim"' not in told, place
        assert "****-" in told, place
    assert len(admin.get("/api/v1/request-logs?accountId=kim").json()["entries"]) == 1
    assert caller.get("/api/v1/request-logs?accountId=kim").json()["entries"] == []
    assert len(caller.get(f"/api/v1/request-logs?accountId={account.pk}").json()["entries"]) == 1


def test_a_stretch_that_is_none_is_refused(admin):
    for query in ("sinceMs=5&untilMs=4", "sinceMs=1", "untilMs=35184372088832", "sinceMs=-1"):
        assert admin.get(f"{TRACES}?{query}").status_code == 422, query
