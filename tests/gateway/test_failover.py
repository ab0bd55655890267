"""When one candidate fails another speaks, within one budget, and the client never notices."""

import json
import time

import pytest

from tests.gateway.raw_upstream import RawUpstream
from tests.live import LiveProxx
from tests.upstreams.server import SimulatedProvider

ATTEMPTS = "SELECT number, failure, status FROM analytics_requestattempt ORDER BY call_id, number"


def keys(*names: str) -> dict[str, str]:
    return {"PROXY_KEYS_JSON": json.dumps({"providers": {"openai": list(names)}}), "OPENAI_API_KEY": ""}


def sent_keys(provider: SimulatedProvider) -> list[str]:
    return [str(entry.header("authorization")).removeprefix("Bearer ") for entry in provider.journal]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault",
    ["429", "401", "403-retry", "500", "502", "503", "529", "close", "reset", "empty-200", "error-200", "garbage"],
)
def test_another_account_answers_when_the_first_fails(start_proxx, provider: SimulatedProvider, fault, stream):
    proxx: LiveProxx = start_proxx(env=keys(f"sk-sim-fault-{fault}", "sk-sim-good"))
    # Each a conversation of its own: one of them belongs to the account that fails.
    for number in range(40):
        assert proxx.chat("gpt-x", f"conversation {number}", stream=stream)[0] == 200
        if f"sk-sim-fault-{fault}" in sent_keys(provider):
            break
    assert sent_keys(provider)[-2:] == [f"sk-sim-fault-{fault}", "sk-sim-good"]


def test_an_account_that_asked_for_rest_is_left_alone_until_then(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env=keys("sk-sim-fault-429-after-60", "sk-sim-good"))
    for number in range(20):
        assert proxx.chat("gpt-x", f"conversation {number}")[0] == 200
    assert sent_keys(provider).count("sk-sim-fault-429-after-60") == 1


def test_when_all_accounts_rest_the_client_is_told_how_long(start_proxx):
    impatient = {"UPSTREAM_TRANSIENT_RETRY_COUNT": "0"}
    proxx: LiveProxx = start_proxx(env={**keys("sk-sim-fault-429-after-7", "sk-sim-fault-429-after-40.b"), **impatient})
    first, second = proxx.chat("gpt-x"), proxx.chat("gpt-x")
    for status, headers, body in (first, second):
        assert status == 429
        assert 1 <= int(headers["retry-after"]) <= 7
        assert json.loads(body)["error"]["type"] == "rate_limit_error"
    assert json.loads(second[2])["error"]["code"] == "all_keys_rate_limited"


def test_a_request_that_is_itself_at_fault_is_not_tried_elsewhere(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env=keys("sk-sim-1", "sk-sim-2"))
    status, headers, body = proxx.request("POST", "/v1/chat/completions", {"model": "gpt-x", "messages": "none"})
    assert status == 400
    assert headers["x-should-retry"] == "false"
    assert body == bytes(provider.journal.last.answer)
    assert len(provider.journal) == 1


def test_attempts_are_limited_by_one_budget(start_proxx, provider: SimulatedProvider):
    many = keys(*(f"sk-sim-fault-500.{number}" for number in range(20)))
    proxx: LiveProxx = start_proxx(env={**many, "PROXY_MAX_ATTEMPTS": "3"})
    status, headers, _ = proxx.chat("gpt-x")
    assert status == 502
    assert len(provider.journal) == 3
    identifier = headers["x-request-id"].replace("-", "")
    query = f"SELECT number, failure FROM analytics_requestattempt WHERE call_id = '{identifier}' ORDER BY number"
    assert proxx.wait_for_rows(query, 3) == [(number, "upstream_error") for number in (1, 2, 3)]


def test_a_single_account_gets_more_chances_in_place(start_proxx, provider: SimulatedProvider):
    quick = {"UPSTREAM_TRANSIENT_RETRY_COUNT": "2", "UPSTREAM_TRANSIENT_RETRY_BACKOFF_MS": "10"}
    proxx: LiveProxx = start_proxx(env={**keys("sk-sim-fault-502"), **quick})
    assert proxx.chat("gpt-x")[0] == 502
    assert len(provider.journal) == 3


def test_the_account_that_is_back_first_gets_the_chance_in_place(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env=keys("sk-sim-fault-429-after-1", "sk-sim-fault-429-after-40.b"))
    assert proxx.chat("gpt-x")[0] == 429
    assert sent_keys(provider)[2:] == ["sk-sim-fault-429-after-1"] * 2


def test_nothing_is_tried_again_after_the_first_byte(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env=keys("sk-sim-1", "sk-sim-2"))
    status, _, body = proxx.chat("sim-fault-cut-mid-frame", stream=True)
    if status == 200:
        assert b"upstream_truncated" in body.rpartition(b"data: ")[2]
        assert len(provider.journal) == 1


def test_a_second_provider_answers_when_the_first_is_gone(start_proxx, provider: SimulatedProvider):
    gone = {"OPENAI_BASE_URL": "http://127.0.0.1:9", "OPENROUTER_API_KEY": "sk-sim-2"}
    proxx: LiveProxx = start_proxx(env={**gone, "OPENROUTER_BASE_URL": provider.base_url})
    status, headers, _ = proxx.chat("gpt-x")
    assert (status, headers["x-proxx-provider"], headers["x-proxx-attempts"]) == (200, "openrouter", "2")


def test_an_alias_is_answered_under_the_upstreams_name_or_the_clients(start_proxx, tmp_path):
    models = tmp_path / "models.json"
    models.write_text(json.dumps({"models": ["gpt-x"], "aliases": {"fast": "gpt-x"}}))
    proxx: LiveProxx = start_proxx(env={"PROXY_MODELS_FILE": str(models)})
    assert json.loads(proxx.chat("fast")[2])["model"] != "fast"
    proxx.run(
        "from accounts.models import Tenant\n"
        "tenant = Tenant.objects.get(slug='default'); tenant.answer_with_alias = True; tenant.save()"
    )
    from tests.until import until

    until(lambda: json.loads(proxx.chat("fast")[2])["model"] == "fast", seconds=5)
    frames = proxx.chat("fast", stream=True)[2].split(b"\n\n")
    models_said = {json.loads(frame[6:])["model"] for frame in frames if frame.startswith(b"data: {")}
    assert models_said == {"fast"}


def test_a_silent_upstream_is_bridged_by_comments(start_proxx):
    proxx: LiveProxx = start_proxx(env={"PROXY_STREAM_HEARTBEAT": "0.2", "UPSTREAM_IDLE_TIMEOUT_MS": "1000"})
    _, _, body = proxx.chat("sim-fault-stall-mid-stream", stream=True)
    assert body.count(b": keepalive\n\n") >= 2


def test_a_stream_is_committed_early_where_a_router_would_give_up(start_proxx):
    quick = {"PROXY_COMMIT_AFTER": "0.2", "UPSTREAM_STREAM_BOOTSTRAP_TIMEOUT_MS": "1500"}
    proxx: LiveProxx = start_proxx(env=quick)
    status, _, body = proxx.chat("sim-fault-slow-start", stream=True)
    assert status == 200
    assert body.startswith(b": keepalive\n\n")
    assert body.rstrip().endswith(b"data: [DONE]")
    status, _, body = proxx.chat("sim-fault-stall-before-headers", stream=True)
    assert status == 200
    assert json.loads(body.rpartition(b"data: ")[2])["error"]["code"] == "timeout"


def test_a_total_limit_ends_a_flowing_stream_with_an_error(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env={"PROXY_TOTAL_TIMEOUT_MS": "1000"})
    began = time.monotonic()
    _, _, body = proxx.chat("sim-pace-500x20", stream=True)
    assert time.monotonic() - began < 3
    assert json.loads(body.rpartition(b"data: ")[2])["error"]["code"] == "timeout"
    assert provider.journal.last.wait(2) == "client_gone"


@pytest.mark.parametrize(
    ("named", "said"), [("mistral", "There is no account for Mistral"), ("nosuch", "No provider is named 'nosuch'")]
)
def test_a_provider_that_is_named_in_vain_is_told_to_the_client(start_proxx, named, said):
    status, _, body = start_proxx().chat(f"{named}/sim-fault-404")
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (404, "model_not_found")
    assert said in error["message"]


SECRET = "sk-sim-fault-400.canary-0123456789"


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_repeats_our_key_does_not_make_us_repeat_it(start_proxx, provider: SimulatedProvider, stream):
    echo = {"error": {"message": f"bad key {SECRET}", "type": "x", "code": SECRET, "param": SECRET[:-4]}}
    with RawUpstream(400, json.dumps(echo).encode()) as upstream:
        keyed = {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": upstream.base_url}
        proxx: LiveProxx = start_proxx(env=keyed)
        status, headers, body = proxx.chat("gpt-x", stream=stream)
    assert status == 400
    said = f"{headers}{body.decode()}{proxx.log}"
    rows = str(proxx.wait_for_rows("SELECT * FROM analytics_requestlog", 1))
    rows += str(proxx.rows("SELECT * FROM analytics_requestattempt"))
    assert "canary" not in said
    assert "canary" not in rows


@pytest.mark.parametrize("size", [100, 70_000])
def test_an_error_with_a_long_or_cut_body_keeps_its_status(start_proxx, size):
    body = json.dumps({"error": {"message": "slow down " + "x" * size}}).encode()
    with RawUpstream(429, body, declared=len(body) + 50, extra="retry-after: 30\r\n") as upstream:
        proxx: LiveProxx = start_proxx(env={"OPENAI_BASE_URL": upstream.base_url})
        status, headers, _ = proxx.chat("gpt-x")
    assert status == 429
    assert 1 <= int(headers["retry-after"]) <= 30


def test_an_inactive_tenant_is_refused_whoever_asks(start_proxx):
    from tests.until import until

    proxx: LiveProxx = start_proxx()
    proxx.run(
        "from accounts.models import Tenant\n"
        "tenant = Tenant.objects.get(slug='default'); tenant.is_active = False; tenant.save()"
    )
    until(lambda: proxx.chat("gpt-x")[0] in (401, 403), seconds=5)
