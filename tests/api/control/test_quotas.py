"""Quota, probes and reset credits by program: what the simulated backend counts is what is told, in both shapes."""

from uuid import uuid4

import pytest

from accounts.models import Credential
from proxx.kit import clock
from routing import quota, quota_refresh, reload
from tests.factories import make_credential
from tests.upstreams.plan import FIVE_HOURS, WEEK, Plan, PlanWindow
from tests.upstreams.responses_plan import plans_of
from tests.upstreams.script import say


@pytest.fixture
def account(db, provider):
    plan = Plan([PlanWindow(FIVE_HOURS, 10), PlanWindow(WEEK, 100)], credits=1, review=PlanWindow(WEEK, 4, used=1))
    plans_of(provider.world)["sk-sim-quota"] = plan
    row = make_credential(
        secret="sk-sim-quota",
        account_id="acc",
        kind=Credential.Kind.OAUTH_BEARER,
        base_url=f"{provider.origin}/backend-api",
    )
    reload.install(None)
    yield row, plan
    quota.forget()
    reload.install(None)


@pytest.mark.parametrize("prefix", ["/api/ui", "/api/v1"])
def test_the_quota_of_chatgpt_accounts_in_the_shape_of_old(admin, account, prefix):
    row, plan = account
    plan.windows[0].used, plan.windows[0].ends = 10, clock.unix() + 600
    quota_refresh.refresh([row.pk], forced=True)
    [told] = admin.get(f"{prefix}/credentials/openai/quota?accountId=acc").json()["accounts"]
    assert (told["accountId"], told["status"], told["planType"]) == ("acc", "ok", "plus")
    assert told["rateLimit"] == {"allowed": False, "limitReached": True}
    assert (told["fiveHour"]["usedPercent"], told["fiveHour"]["limitWindowSeconds"]) == (100, 18000)
    assert 590 <= told["fiveHour"]["resetAfterSeconds"] <= 601
    assert (told["weekly"]["remainingPercent"], told["codeReviewRateLimit"]["usedPercent"]) == (100, 25)
    assert admin.get(f"{prefix}/credentials/openai/quota?accountId=other").json()["accounts"] == []


def test_a_probe_tells_what_came(admin, account, provider):
    row, plan = account
    provider.script(say("hello"), key="sk-sim-quota")
    told = admin.post(f"/api/v1/credentials/{row.pk}/probe", {"model": "gpt-x"}).json()
    assert (told["ok"], told["said"], told["is_word"], told["status"]) == (True, "hello", True, 200)
    plan.windows[0].used, plan.windows[0].ends = 10, clock.unix() + 600
    old = admin.post("/api/ui/credentials/openai/probe", {"accountId": "acc", "model": "gpt-x"}).json()
    assert (old["ok"], old["status"]) == (False, 429)
    assert old["message"].startswith("quota spent")


def test_a_reset_credit_counts_once_under_its_name(admin, account):
    row, plan = account
    place = f"/api/v1/credentials/{row.pk}/reset-credits"
    assert admin.get(place).json() == {"available": 1}
    plan.windows[0].used, plan.windows[0].ends = 10, clock.unix() + 600
    name = {"redemption": str(uuid4())}
    for _ in range(2):
        told = admin.post(f"{place}/use", name)
        assert {one["name"]: one["used"] for one in told.json()["windows"]}["five_hour"] == 0
    assert admin.get(f"/admin/accounts/{row.pk}/rate-limit-reset-credit").json() == {"ok": True, "availableCount": 0}
    refused = admin.post(f"/admin/accounts/{row.pk}/rate-limit-reset-credit/consume", {})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_used")
