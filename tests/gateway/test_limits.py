"""Limits seen from outside: what is refused and how it is said, and budgets that hold under many calls at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live import LiveProxx, running
from tests.until import until
from tests.upstreams.script import ReportUsage, Say
from tests.upstreams.server import SimulatedProvider

# 1,000 tokens of answer at $3.000001 a million: three million and one nano-dollars.
PRICE, WORST, TEN = "3.000001", 3_000_001, 30_000_010
ROWS = """
from accounts import keys
from accounts.limit import Limit
from accounts.models import Tenant
from routing.models import FactSetting
FactSetting.objects.create(model="gpt-x", price_input=0, price_output="{price}")
paying = Tenant.objects.create(slug="paying", name="Paying")
result = {{}}
def add(name, **limits):
    row, result[name] = keys.issue(paying, label=name)
    for kind, amount in limits.items():
        Limit.objects.create(key=row, kind=kind, amount=amount)
add("money", money_month={ten})
add("half", money_total={ten})
add("rate", requests_minute=3, tokens_minute=100000)
add("tokens", tokens_day=1000)
add("one", in_flight=0)
add("free")
row, result["mini"] = keys.issue(paying, label="mini")
Limit.objects.create(key=row, kind="requests_minute", amount=0, model="*-mini")
closed = Tenant.objects.create(slug="closed", name="Closed")
Limit.objects.create(tenant=closed, kind="requests_minute", amount=1)
result["tenant"] = keys.issue(closed, label="tenant")[1]
for word in ("flag", "fallback"):
    lax = Tenant.objects.create(slug=word, name=word, unpriced=word, fallback_input=0, fallback_output="{price}")
    Limit.objects.create(tenant=lax, kind="money_total", amount=10**9)
    result[word] = keys.issue(lax, label=word)[1]
"""
ASK = [{"role": "user", "content": "hello"}]
ALONE = {"PROXY_LIMITS": "local"}


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=ALONE, real=False) as started:
        prepare(started)
        yield started


def prepare(proxx: LiveProxx) -> None:
    proxx.tokens = proxx.run(ROWS.format(price=PRICE, ten=TEN))
    proxx.stop()
    proxx.start()


def ask(proxx: LiveProxx, key: str, path: str = "/v1/chat/completions", model: str = "gpt-x", **more: Any) -> Any:
    body = {"model": model, "max_tokens": 1000, "messages": ASK, **more}
    status, headers, raw = proxx.request("POST", path, body, {"authorization": f"Bearer {proxx.tokens[key]}"})
    return status, headers, json.loads(raw) if raw.startswith(b"{") else raw


def at_once(proxies: list[LiveProxx], key: str, count: int) -> list[int]:
    """Ask that often at the same time; return the statuses."""
    with ThreadPoolExecutor(40) as pool:
        answers = pool.map(lambda number: ask(proxies[number % len(proxies)], key), range(count))
        return [status for status, *_ in answers]


def spent(proxx: LiveProxx, key: str) -> tuple[int, int, int, int]:
    """Return what the ledger (calls, sum) and the key's window (spent, held) say, both at the same moment."""
    entries = "FROM accounts_ledgerentry e JOIN accounts_apikey k ON k.id = e.key_id WHERE k.label = %s"
    windows = (
        "FROM accounts_limitwindow w JOIN accounts_limit l ON l.id = w.limit_id "
        "JOIN accounts_apikey k ON k.id = l.key_id WHERE k.label = %s"
    )
    query = (
        f"SELECT (SELECT count(*) {entries}), (SELECT sum(e.nano) {entries}), "
        f"(SELECT sum(w.spent) {windows}), (SELECT sum(w.held) {windows})"
    )
    count, total, now, held = (int(number or 0) for number in proxx.rows(query, [key] * 4)[0])
    return count, total, now, held


def test_a_budget_for_ten_calls_lets_ten_of_two_hundred_in(proxx: LiveProxx, module_provider: SimulatedProvider):
    module_provider.reset()
    module_provider.always(Say("x"), ReportUsage(7, 1000))
    statuses = at_once([proxx], "money", 200)
    assert (statuses.count(200), statuses.count(429)) == (10, 190)
    until(lambda: spent(proxx, "money") == (10, TEN, TEN, 0), seconds=10)
    status, headers, body = ask(proxx, "money")
    assert (status, body["error"]["code"], body["error"]["type"]) == (429, "insufficient_quota", "insufficient_quota")
    assert "$0.03000001 per month" in body["error"]["message"]
    assert headers["x-should-retry"] == "false"
    assert int(headers["retry-after"]) <= 31 * 86_400


def test_calls_that_cost_half_leave_room_and_never_spend_more(proxx: LiveProxx, module_provider: SimulatedProvider):
    module_provider.reset()
    module_provider.always(Say("x"), ReportUsage(7, 500))
    statuses = at_once([proxx], "half", 200)
    assert statuses.count(200) >= 10
    cost = (WORST + 1) // 2
    until(lambda: spent(proxx, "half")[0] == statuses.count(200), seconds=10)
    _, total, window, held = spent(proxx, "half")
    assert total == window == statuses.count(200) * cost <= TEN
    assert held == 0


def test_a_budget_outlives_a_restart_and_a_kill(start_proxx, provider: SimulatedProvider):
    proxx = start_proxx(env=ALONE, real=False)
    prepare(proxx)
    provider.always(Say("x"), ReportUsage(7, 1000))
    assert at_once([proxx], "money", 9) == [200] * 9
    assert at_once([proxx], "free", 9) == [200] * 9  # by now the nine before are in the journal
    proxx.kill()
    proxx.start()
    until(lambda: spent(proxx, "money")[0] == 9, seconds=10)
    assert sorted(at_once([proxx], "money", 5)) == [200, 429, 429, 429, 429]


def test_limits_per_minute_are_told_and_kept(proxx: LiveProxx, module_provider: SimulatedProvider):
    module_provider.reset()
    left = []
    for _ in range(3):
        status, headers, _ = ask(proxx, "rate")
        assert (status, headers["x-ratelimit-limit-requests"]) == (200, "3")
        assert headers["x-ratelimit-limit-tokens"] == "100000"
        assert int(headers["x-ratelimit-remaining-tokens"]) < 100_000
        left.append(headers["x-ratelimit-remaining-requests"])
    assert left == ["2", "1", "0"]
    status, headers, body = ask(proxx, "rate")
    assert (status, body["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 50 <= int(headers["retry-after"]) <= 60
    assert "x-should-retry" not in headers
    assert headers["x-ratelimit-remaining-requests"] == "0"
    status, headers, body = ask(proxx, "rate", "/v1/messages")
    assert (status, body["error"]["type"]) == (429, "rate_limit_error")
    assert headers["anthropic-ratelimit-requests-limit"] == "3"
    assert headers["anthropic-ratelimit-requests-reset"].endswith("Z")


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/openai/v1/chat/completions",
     "/api/chat", "/v1/images/generations", "/v1/completions"],
)  # fmt: skip
def test_no_door_leads_around_a_limit(proxx: LiveProxx, path: str):
    more = {"input": "x", "prompt": "x", "stream": False}
    assert ask(proxx, "one", path, **more)[0] == 429


def test_what_we_refuse_is_no_failure_of_the_house(proxx: LiveProxx, module_provider: SimulatedProvider):
    module_provider.reset()
    refused = [("one", "gpt-x"), ("tokens", "gpt-x"), ("half", "sim-echo"), ("free", "nobody-has-this-one")]
    ids = {ask(proxx, key, model=model, max_tokens=2000)[1]["x-request-id"].replace("-", "") for key, model in refused}
    names = ", ".join(f"'{id}'" for id in ids)
    query = f"SELECT error_code, outcome FROM analytics_requestlog WHERE replace(id, '-', '') IN ({names})"
    assert set(proxx.wait_for_rows(query, 4)) == {
        ("rate_limit_exceeded", "refused"),
        ("insufficient_quota", "refused"),
        ("model_unpriced", "refused"),
        ("model_not_found", "refused"),
    }


def test_a_tenants_limit_holds_for_all_its_keys(proxx: LiveProxx):
    assert ask(proxx, "tenant")[0] == 200
    assert ask(proxx, "tenant")[2]["error"]["code"] == "tenant_quota_exceeded"


def test_a_limit_of_a_model_leaves_others_alone(proxx: LiveProxx):
    assert ask(proxx, "mini", model="sim-mini")[0] == 429
    assert ask(proxx, "mini", model="gpt-x")[0] == 200


def test_a_call_that_may_need_more_than_the_budget_says_so(proxx: LiveProxx):
    status, _, body = ask(proxx, "tokens", "/v1/messages")
    assert (status, body["error"]["type"]) == (402, "billing_error")
    assert "This request alone may need more" in body["error"]["message"]
    assert ask(proxx, "tokens", "/v1/messages", max_tokens=100)[0] == 200


def test_a_model_without_a_price_is_refused_under_a_budget_in_dollars(proxx: LiveProxx):
    status, _, body = ask(proxx, "half", model="sim-echo")
    assert (status, body["error"]["code"]) == (403, "model_unpriced")
    assert "this key has a budget in dollars" in body["error"]["message"]
    assert ask(proxx, "free", model="sim-echo")[0] == 200


@pytest.mark.parametrize(("policy", "nano"), [("flag", 0), ("fallback", WORST)])
def test_a_tenant_may_let_models_without_a_price_pass(proxx: LiveProxx, module_provider, policy: str, nano: int):
    module_provider.reset()
    module_provider.always(Say("x"), ReportUsage(7, 1000))
    assert ask(proxx, policy, model="sim-echo")[0] == 200
    until(lambda: spent(proxx, policy)[:2] == (1, nano), seconds=10)
