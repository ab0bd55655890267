"""The two ways of the old dual-port proxy as two rows: one that lets everything pass, one bridge to Responses."""

import json
import time

import pytest

from tests.live import LiveProxx, running
from tests.ports import free_port
from tests.upstreams.server import simulated_provider

PLAIN, BRIDGE = "plain.example.com", "bridge.example.com"
ROWS = """
from accounts.models import Profile
from routing.models import Listener
plain = Profile.objects.create(name="Transparent", models_exclude="*codex*")
bridge = Profile.objects.create(
    name="Responses bridge", models_include="*codex*", reasoning_variants=True, preferred_dialect="openai_responses",
    reasoning_effort="medium", reasoning_summary="auto", complete_reasoning=True, web_search=True,
    reasoning_shown="text",
)
for name, profile, place in (("plain", plain, PLAIN), ("bridge", bridge, BRIDGE)):
    Listener.objects.create(name=name, profile=profile, **place)
"""
CHAT = {"model": "gpt-5-codex", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates):
    """A server before an OpenAI that serves two models, with two rows for host names and two for ports."""
    with simulated_provider(models=("gpt-5-codex", "gpt-x")) as provider:
        env = {"PROXY_MODELS": "gpt-5-codex,gpt-x"}
        with running(tmp_path_factory.mktemp("proxx"), templates, provider, env=env) as started:
            started.run(f"PLAIN, BRIDGE = dict(host={PLAIN!r}), dict(host={BRIDGE!r}){ROWS}")
            deadline = time.monotonic() + 10
            while "gpt-5-codex" in names(started, PLAIN):
                assert time.monotonic() < deadline, started.log
                time.sleep(0.05)
            yield started


def names(proxx: LiveProxx, host: str) -> list[str]:
    _, _, raw = proxx.request("GET", "/v1/models", headers={"host": host})
    return [model["id"] for model in json.loads(raw)["data"]]


def ask(proxx: LiveProxx, host, path="/v1/chat/completions", body=CHAT, headers=None):
    """Ask once; return the answer and what the provider was asked."""
    status, _, raw = proxx.request("POST", path, body, {"host": host, **(headers or {})})
    assert status == 200, raw
    return raw, proxx.provider.journal.last


def test_each_host_lists_its_own_models(proxx: LiveProxx):
    """F-074, F-075, F-329, F-330."""
    assert "gpt-5-codex" not in names(proxx, PLAIN)
    bridged = names(proxx, f"{BRIDGE}:443")
    assert all("codex" in name for name in bridged)
    assert "gpt-5-codex:res-high:sum-auto" in bridged
    assert len(bridged) == 17
    assert {"gpt-5-codex", "gpt-x"} <= set(names(proxx, "elsewhere.example.com"))


def test_the_transparent_host_passes_the_clients_bytes(proxx: LiveProxx):
    body = b'{ "model":"gpt-x" ,"messages":[{"role":"user","content":"hello"}],"temperature":1.0e0}'
    raw, asked = ask(proxx, PLAIN, body=body)
    assert (asked.path, asked.body) == ("/v1/chat/completions", body)
    assert raw == bytes(asked.answer)


def test_the_bridge_asks_in_responses_with_its_defaults_and_answers_in_chat(proxx: LiveProxx):
    """F-113, F-307, F-331."""
    raw, asked = ask(proxx, BRIDGE)
    assert asked.path == "/v1/responses"
    assert asked.json["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert [tool["type"] for tool in asked.json["tools"]] == ["web_search"]
    assert json.loads(raw)["object"] == "chat.completion"


def test_a_suffix_sets_the_reasoning_of_one_request(proxx: LiveProxx):
    """F-074."""
    _, asked = ask(proxx, BRIDGE, body={**CHAT, "model": "gpt-5-codex:res-high:sum-detailed"})
    assert asked.json["model"] == "gpt-5-codex"
    assert asked.json["reasoning"] == {"effort": "high", "summary": "detailed"}


def test_a_response_request_is_completed_in_place(proxx: LiveProxx):
    """F-113."""
    said = {"model": "gpt-5-codex", "input": "hello", "reasoning": {"effort": "low"}}
    _, asked = ask(proxx, BRIDGE, "/v1/responses", said)
    assert asked.json["reasoning"] == {"effort": "low", "summary": "auto"}


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_told_as_text_in_whole_and_streamed_answers(proxx: LiveProxx, stream):
    """F-114."""
    from tests.upstreams.script import say, think

    proxx.provider.script(think("First I look."), say("Here it is."))
    raw, _ = ask(proxx, BRIDGE, body={**CHAT, "stream": stream})
    if not stream:
        told = json.loads(raw)["choices"][0]["message"]["content"]
    else:
        events = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: {")]
        told = "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])
    assert told == "Reasoning:\n\nFirst I look.\n\nHere it is."


def test_two_ports_of_one_proxx_are_the_same_two_rows(tmp_path, templates, provider):
    """F-329..F-331: real sockets; the ports are opened at the start, and who may call is the same everywhere."""
    env = {"PROXY_MODELS": "gpt-x,sim-echo-codex"}
    with running(tmp_path, templates, provider, env=env) as proxx:
        first, plain, bridge = proxx.port, free_port(), free_port()
        proxx.run(f"PLAIN, BRIDGE = dict(port={plain}), dict(port={bridge}){ROWS}")
        proxx.stop()
        proxx.start()
        assert f"http://127.0.0.1:{bridge}" in proxx.log
        asked = {}
        for port in (plain, bridge, first):
            proxx.port = port
            status, _, raw = proxx.chat("gpt-x")
            assert status == 200, raw
            listed = [model["id"] for model in json.loads(proxx.request("GET", "/v1/models")[2])["data"]]
            asked[port] = (_last_post(provider).path, "gpt-x" in listed)
            assert proxx.request("GET", "/v1/models", headers={"authorization": "Bearer wrong"})[0] == 401
        assert asked == {
            plain: ("/v1/chat/completions", True),
            bridge: ("/v1/responses", False),
            first: ("/v1/chat/completions", True),
        }
        proxx.port = first


def test_a_port_that_is_taken_is_told_and_left_out(tmp_path, templates, provider):
    with running(tmp_path, templates, provider) as proxx:
        proxx.run(f"PLAIN, BRIDGE = dict(port={provider_port(provider)}), dict(port={free_port()}){ROWS}")
        proxx.stop()
        proxx.start()
        assert "warning: Cannot listen on 127.0.0.1" in proxx.log
        assert "'plain' is left out" in proxx.log


def provider_port(provider) -> int:
    return int(provider.origin.rpartition(":")[2])


def _last_post(provider):
    return [entry for entry in provider.journal if entry.method == "POST"][-1]
