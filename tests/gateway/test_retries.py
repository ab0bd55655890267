"""How often a call is tried, how long it waits, and when it is not even asked."""

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.raw_upstream import RawUpstream
from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import FOREVER, say, stall, think
from tests.upstreams.server import SimulatedProvider

BREAKER = {"PROXY_BREAKER_FAILURES": "3", "PROXY_BREAKER_SECONDS": "1", "UPSTREAM_TRANSIENT_RETRY_COUNT": "0"}


def keys(*names: str) -> dict[str, str]:
    return {"PROXY_KEYS_JSON": json.dumps({"providers": {"openai": list(names)}}), "OPENAI_API_KEY": ""}


def sent_keys(provider: SimulatedProvider) -> list[str]:
    return [str(entry.header("authorization")).removeprefix("Bearer ") for entry in provider.journal]


@pytest.mark.parametrize("fault", ["429", "503"])
def test_a_single_busy_account_is_asked_again_after_doubling_pauses_and_each_is_logged(start_proxx, provider, fault):
    proxx: LiveProxx = start_proxx(env={"PROXY_BREAKER_FAILURES": "0", "PROXY_SINGLE_RETRY_BASE_MS": "40"})
    provider.script(times=3, fault=fault, retry_after=0)
    status, headers, _ = proxx.chat("gpt-x")
    assert (status, headers["x-proxx-attempts"]) == (200, "4")
    waits = re.findall(r"retry (\d) at openai[^ ]* ?.*? in ([\d.]+) s, ([+-][\d.]+) s of it jitter", proxx.log)
    assert [number for number, _, _ in waits] == ["1", "2", "3"]
    for base, (_, pause, jitter) in zip((0.04, 0.08, 0.16), waits, strict=True):
        assert float(pause) - float(jitter) == pytest.approx(base, abs=0.002)
        assert base / 2 - 0.001 <= float(pause) <= base * 1.5 + 0.001


def test_without_a_count_a_single_busy_account_is_asked_once(start_proxx, provider):
    proxx: LiveProxx = start_proxx(env={"PROXY_SINGLE_RETRY_COUNT": "0"})
    provider.script(times=FOREVER, fault="429")
    assert proxx.chat("gpt-x")[0] == 429
    assert len(provider.journal) == 1


def test_a_broken_single_target_is_left_alone_and_probed_by_one_call_at_a_time(start_proxx, provider):
    proxx: LiveProxx = start_proxx(env=BREAKER)
    provider.script(times=3, fault="500")
    for _ in range(3):
        assert proxx.chat("gpt-x")[0] == 502
    status, headers, body = proxx.chat("gpt-x")
    assert (status, headers["retry-after"]) == (503, "1")
    assert json.loads(body)["error"]["code"] == "upstream_unavailable"
    assert len(provider.journal) == 3
    provider.script(stall(0.6), say("back"), times=1)
    until(lambda: _one_probes(proxx, provider), seconds=8)
    assert proxx.chat("gpt-x")[0] == 200


def _one_probes(proxx: LiveProxx, provider: SimulatedProvider) -> bool:
    provider.journal.clear()
    with ThreadPoolExecutor(12) as pool:
        found = Counter(answer[0] for answer in pool.map(lambda _: proxx.chat("gpt-x"), range(12)))
    if not len(provider.journal):
        assert found == {503: 12}
        return False
    assert (found, len(provider.journal)) == ({200: 1, 503: 11}, 1)
    return True


def test_one_slow_answer_opens_nothing(start_proxx, provider):
    proxx: LiveProxx = start_proxx(
        env={
            **BREAKER,
            "PROXY_BREAKER_FAILURES": "1",
            "UPSTREAM_REQUEST_TIMEOUT_MS": "400",
            "UPSTREAM_IDLE_TIMEOUT_MS": "400",
        }
    )
    provider.script(stall(FOREVER), times=1)
    assert proxx.chat("gpt-x")[0] == 504
    assert proxx.chat("gpt-x")[0] == 200


def two_protocols(provider: SimulatedProvider) -> dict[str, str]:
    accounts = {"anthropic": ["sk-sim-1", "sk-sim-2"], "openrouter": ["sk-sim-3", "sk-sim-4"]}
    return {
        "PROXY_KEYS_JSON": json.dumps({"providers": accounts}),
        "OPENAI_API_KEY": "",
        "ANTHROPIC_BASE_URL": provider.origin,
        "OPENROUTER_BASE_URL": provider.base_url,
    }


def test_a_request_that_is_refused_is_tried_once_in_another_protocol(start_proxx, provider):
    proxx: LiveProxx = start_proxx(env=two_protocols(provider))
    provider.script(times=1, fault="400")
    status, headers, _ = proxx.chat("claude-x")
    assert (status, headers["x-proxx-provider"], headers["x-proxx-attempts"]) == (200, "openrouter", "2")
    provider.reset()
    provider.script(times=FOREVER, fault="400")
    status, _, body = proxx.chat("claude-x")
    assert [entry.dialect for entry in provider.journal] == ["anthropic", "openai_chat"]
    told = json.loads(bytes(provider.journal[0].answer))["error"]["message"]
    assert (status, json.loads(body)["error"]["message"]) == (400, told)


def test_all_accounts_of_a_provider_in_a_storm_of_429_are_asked_within_the_budget(start_proxx, provider):
    waits = [f"sk-sim-fault-429-after-{seconds}" for seconds in range(30, 110, 10)]
    proxx: LiveProxx = start_proxx(env=keys(*waits))
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda number: proxx.chat("gpt-x", f"talk {number}"), range(240)))
    assert {status for status, _, _ in answers} == {429}
    # Before the first answer of an account is here every caller may ask it, none twice.
    assert len(provider.journal) <= 8 * 24
    assert max(Counter(sent_keys(provider)).values()) <= 24
    late = [int(headers["retry-after"]) for _, headers, _ in answers[-24:]]
    assert all(1 <= seconds <= 30 for seconds in late)
    before = len(provider.journal)
    assert proxx.chat("gpt-x")[0] == 429
    assert len(provider.journal) == before


@pytest.mark.parametrize("stream", [False, True])
def test_a_held_call_waits_for_the_first_account_that_is_back(start_proxx, provider, stream):
    held = {
        "PROXY_HOLD_SECONDS": "20",
        "UPSTREAM_TRANSIENT_RETRY_COUNT": "0",
        "PROXY_COMMIT_AFTER": "0.2",
        "PROXY_STREAM_HEARTBEAT": "0.3",
    }
    proxx: LiveProxx = start_proxx(env={**keys("sk-sim-1", "sk-sim-2"), **held})
    provider.script(key="sk-sim-1", times=1, fault="429", retry_after=60.0)
    provider.script(key="sk-sim-2", times=1, fault="429", retry_after=2.0)
    began = time.monotonic()
    status, _, body = proxx.chat("gpt-x", stream=stream)
    assert status == 200
    assert time.monotonic() - began >= 2
    assert sent_keys(provider)[-1] == "sk-sim-2"
    if stream:
        assert body.startswith(b": keepalive\n\n")
        assert b"error" not in body
    assert "is held for" in proxx.log


def test_a_call_is_not_held_for_an_account_that_is_back_too_late(start_proxx, provider):
    proxx: LiveProxx = start_proxx(env={**keys("sk-sim-1", "sk-sim-2"), "PROXY_HOLD_SECONDS": "5"})
    provider.script(times=FOREVER, fault="429", retry_after=60.0)
    for _ in range(2):
        status, headers, _ = proxx.chat("gpt-x")
        assert status == 429
        assert 50 <= int(headers["retry-after"]) <= 60
    assert len(provider.journal) == 2


def test_an_address_that_two_accounts_cannot_reach_is_left_for_the_next_provider(start_proxx, provider):
    gone = {
        "PROXY_KEYS_JSON": json.dumps(
            {"providers": {"openai": [f"sk-{n}" for n in range(8)], "openrouter": ["sk-sim-9"]}}
        ),
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": "http://127.0.0.1:9",
        "OPENROUTER_BASE_URL": provider.base_url,
    }
    proxx: LiveProxx = start_proxx(env=gone)
    first, second = proxx.chat("gpt-x"), proxx.chat("gpt-x")
    assert (first[0], first[1]["x-proxx-attempts"]) == (200, "3")
    assert (second[0], second[1].get("x-proxx-attempts")) == (200, None)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_without_the_reasoning_asked_for_goes_to_the_next_account(start_proxx, provider, stream):
    proxx: LiveProxx = start_proxx(env={**keys("sk-sim-1", "sk-sim-2"), "PROXY_REASONING_FAILOVER": "true"})
    asked = {"stream": stream, "reasoning_effort": "high"}
    provider.script(say("Hasty."), times=1)
    provider.script(think("Let me see."), say("Wise."), times=1)
    status, headers, body = proxx.chat("gpt-x", **asked)
    assert (status, headers["x-proxx-attempts"]) == (200, "2")
    assert b"Wise" in body
    assert b"Hasty" not in body
    # Not asked for, or nobody does better: then it is taken as it is.
    provider.script(say("Hasty."), times=FOREVER)
    status, headers, _ = proxx.chat("gpt-x", stream=stream)
    assert (status, headers.get("x-proxx-attempts")) == (200, None)
    status, headers, body = proxx.chat("gpt-x", **asked)
    assert (status, headers["x-proxx-attempts"]) == (200, "2")
    assert b"Hasty" in body


def test_who_may_not_use_a_model_is_told_so_each_time(start_proxx):
    body = json.dumps({"error": {"message": "No access.", "code": "model_access_denied"}}).encode()
    with RawUpstream(403, body) as upstream:
        proxx: LiveProxx = start_proxx(env={**keys("sk-sim-1", "sk-sim-2"), "OPENAI_BASE_URL": upstream.base_url})
        answers = [proxx.chat("gpt-x") for _ in range(2)]
    codes = [(status, json.loads(body)["error"]["code"]) for status, _, body in answers]
    assert codes == [(403, "model_not_supported_for_account")] * 2
