"""Usage, records and people by the control API."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts import rights
from accounts.models import DEFAULT_TENANT_ID, Operator
from accounts.rights import Role
from analytics import rollup, rows, usage_sums
from analytics.record import AttemptRecord, UsageRecord
from proxx.kit import clock as clocks
from proxx.kit import ids
from tests import factories

V1 = "/api/v1"


def record(tenant_id, *, ago: float = 0.0, **fields) -> UsageRecord:
    made = UsageRecord(
        id=ids.new(clocks.unix() - ago), tenant_id=tenant_id, endpoint="/v1/chat/completions", dialect="openai_chat",
        outcome="ok", status=200, provider_id="openai", model_requested="gpt-x", model_routed="gpt-x",
        input_tokens=10, output_tokens=5, cost_nano=7, usage_state="reported", price_state="priced",
        attempts=[AttemptRecord(number=1, provider_id="openai", status=200)],
    )  # fmt: skip
    for name, value in fields.items():
        setattr(made, name, value)
    rows.insert([made])
    return made


def used(admin, query: str = "") -> list[dict]:
    answer = admin.get(f"{V1}/usage{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_usage_holds_what_ended_a_moment_ago_and_counts_nothing_twice(admin, clock):
    for ago in (0, 30, 90, 4000, 90_000):
        record(DEFAULT_TENANT_ID, ago=ago)
    before = used(admin)
    assert [(one["requests"], one["cost_nano"], one["input_tokens"]) for one in before] == [(4, 28, 40)]
    rollup.run()
    assert used(admin) == before
    record(DEFAULT_TENANT_ID, ago=4000)  # late: its hour is summed already
    assert used(admin)[0]["requests"] == 5
    clock.advance(300)
    rollup.run()
    assert used(admin)[0]["requests"] == 5
    since = (clocks.now() - timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert used(admin, f"?since={since}")[0]["requests"] == 6


def test_usage_is_split_by_key_and_account_before_and_after_it_is_summed(admin, clock):
    key, account = uuid4(), uuid4()
    record(DEFAULT_TENANT_ID, ago=90, key_id=key, credential_id=account)
    record(DEFAULT_TENANT_ID, ago=90)
    for _ in range(2):
        groups = used(admin, "?by=key&by=account")
        assert {(one["key"], one["account"], one["requests"]) for one in groups} == {
            (str(key), str(account), 1),
            (None, None, 1),
        }
        rollup.run()


def test_an_id_that_is_none_is_not_found(admin):
    for path in ("tenants/acme", "keys/1", "requests/x"):
        answer = admin.get(f"{V1}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert admin.get(f"{V1}/nothing/x").json()["error"]["code"] == "unsupported_endpoint"


def test_usage_is_split_as_asked(admin, tenant):
    record(DEFAULT_TENANT_ID)
    record(tenant.pk, model_routed="gpt-y")
    record(tenant.pk, outcome="error", cost_nano=None)
    groups = used(admin, "?by=tenant&by=model")
    assert {(one["tenant"], one["model"]): one["requests"] for one in groups} == {
        (str(DEFAULT_TENANT_ID), "gpt-x"): 1,
        (str(tenant.pk), "gpt-y"): 1,
        (str(tenant.pk), "gpt-x"): 1,
    }
    assert sum(one["requests"] for one in used(admin, f"?by=hour&tenant_id={tenant.pk}")) == 2
    assert used(admin, f"?by=provider&tenant_id={tenant.pk}")[0]["errors"] == 1
    assert admin.get(f"{V1}/usage?by=colour").status_code == 422
    assert admin.get(f"{V1}/usage?since=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z").status_code == 422


def test_a_long_stretch_asks_few_questions(admin, django_assert_max_num_queries):
    record(DEFAULT_TENANT_ID)
    with django_assert_max_num_queries(12):
        usage_sums.sums(clocks.now() - timedelta(days=300), clocks.now(), by=("tenant", "day"))


def test_records_are_listed_newest_first_and_shown_with_their_attempts(admin, tenant):
    made = [record(tenant.pk, ago=ago) for ago in (30, 20, 10)]
    page = admin.get(f"{V1}/requests?limit=2&tenant_id={tenant.pk}").json()
    assert [row["id"] for row in page["data"]] == [str(made[2].id), str(made[1].id)]
    rest = admin.get(f"{V1}/requests?limit=2&tenant_id={tenant.pk}&after={page['next']}").json()
    assert [row["id"] for row in rest["data"]] == [str(made[0].id)]
    one = admin.get(f"{V1}/requests/{made[0].id}").json()
    assert [attempt["provider_id"] for attempt in one["attempts"]] == ["openai"]
    assert admin.get(f"{V1}/requests?outcome=error").json()["data"] == []
    assert admin.get(f"{V1}/requests/{ids.new()}").status_code == 404


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time_are_no_fault_of_ours(admin, until):
    assert admin.get(f"{V1}/usage?until={until}").status_code == 422
    assert admin.get(f"{V1}/requests?until={until}").status_code == 200


def test_a_tenant_sees_its_own_usage_and_records_alone(with_key):
    mine, other = factories.make_tenant(), factories.make_tenant()
    record(mine.pk)
    theirs = record(other.pk)
    caller = with_key(mine)
    assert [one["tenant"] for one in used(caller, "?by=tenant")] == [str(mine.pk)]
    assert caller.get(f"{V1}/usage?tenant_id={other.pk}").status_code == 404
    assert caller.get(f"{V1}/requests/{theirs.id}").status_code == 404
    assert len(caller.get(f"{V1}/requests").json()["data"]) == 1
    assert caller.get(f"{V1}/requests?tenant_id={other.pk}").json()["data"] == []


def test_everybody_learns_who_they_are(admin, as_operator, with_key):
    assert admin.get(f"{V1}/me").json()["kind"] == "token"
    caller = with_key(factories.make_tenant(slug="lab"), scopes=("control:read",))
    me = caller.get(f"{V1}/me").json()
    assert (me["kind"], me["rights"], [one["slug"] for one in me["tenants"]]) == ("key", [], ["lab"])
    assert as_operator().get(f"{V1}/me").json()["kind"] == "operator"


def test_operators_and_their_roles(admin, as_operator, tenant):
    path = f"{V1}/operators"
    assert admin.post(path, {"username": "ann", "password": "short"}).json()["error"]["param"] == "password"
    added = admin.post(path, {"username": "ann", "password": "correct horse battery staple"})
    assert added.status_code == 201, added.content
    assert "password" not in added.json()
    role = {"operator": "ann", "role": "tenant_admin", "tenant_id": str(tenant.pk)}
    member = admin.post(f"{V1}/members", role)
    assert member.status_code == 201, member.content
    assert [one["role"] for one in admin.get(f"{V1}/members?tenant_id={tenant.pk}").json()["data"]] == ["tenant_admin"]
    assert admin.post(f"{V1}/members", {**role, "role": "owner"}).status_code == 422
    ann = as_operator(Operator.objects.get(username="ann"))
    assert ann.post(f"{V1}/members", {"operator": "ann", "role": "owner"}).json()["error"]["code"] == "missing_right"
    assert ann.get(path).status_code == 403
    assert admin.delete(f"{V1}/members/{member.json()['id']}").status_code == 204
    assert admin.patch(f"{path}/{added.json()['id']}", {"is_active": False}).json()["is_active"] is False


def test_nobody_switches_themselves_off(as_operator):
    operator = factories.make_operator()
    caller = as_operator(operator)
    answer = caller.patch(f"{V1}/operators/{operator.pk}", {"is_active": False})
    assert answer.json()["error"]["code"] == "missing_right"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.BILLING])
def test_who_only_looks_changes_nothing(as_operator, role):
    operator = Operator.objects.create_user("looker", is_staff=True)
    rights.grant(operator, role, by=None)
    caller = as_operator(Operator.objects.get(pk=operator.pk))
    assert caller.get(f"{V1}/tenants").status_code == 200
    for path in ("tenants", "keys", "credentials", "rules", "profiles", "operators"):
        assert caller.post(f"{V1}/{path}", {}).status_code == 403, path
