"""Profiles of keys and tenants on a running proxx: what the provider gets, and what the client."""

import json
import time

import pytest

from tests.gateway.raw_upstream import RawUpstream
from tests.live import LiveProxx, running

ROWS = """
from accounts import keys
from accounts.models import Profile, Tenant
tenant = Tenant.objects.create(slug="acme", name="Acme", profile=Profile.objects.create(name="calm", temperature=0.25))
named = {
    "fast": dict(fast_mode="always"),
    "headers": dict(headers="X-Team: lab\\nUser-Agent: acme", blocked_headers="anthropic-beta"),
    "hidden": dict(reasoning_shown="hidden"),
    "slow": dict(chunk_delay_ms=30, chunk_delay_max_ms=40),
    "nothing": dict(models_include="*"),
}
result = {"calm": keys.issue(tenant, label="calm")[1]}
for name, options in named.items():
    profile = Profile.objects.create(name=name, **options)
    result[name] = keys.issue(tenant, label=name, profile=profile)[1]
"""
CHAT = {"model": "openai/sim-echo", "messages": [{"role": "user", "content": "hello"}]}
RESPONSE = {"model": "openai/sim-echo", "input": "hello"}
MESSAGE = {"model": "anthropic/claude-sonnet-4-6", "max_tokens": 3000, "messages": CHAT["messages"]}


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    """A server before an OpenAI and an Anthropic; `tokens` are keys by the name of their profile."""
    env = {"ANTHROPIC_BASE_URL": module_provider.origin, "ANTHROPIC_API_KEY": "sk-sim-2"}
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=env) as started:
        started.tokens = started.run(ROWS)
        started.stop()
        started.start()
        yield started


def ask(proxx: LiveProxx, profile, body, path="/v1/chat/completions", headers=None):
    """Ask with the key of that profile; return headers, answer and what the provider got."""
    sent = {"authorization": f"Bearer {proxx.tokens[profile]}", **(headers or {})}
    status, told, raw = proxx.request("POST", path, body, sent)
    assert status == 200, raw
    return told, raw, proxx.provider.journal.last


@pytest.mark.parametrize(("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/messages", MESSAGE)])
def test_a_tenants_temperature_replaces_the_requests(proxx: LiveProxx, path, body):
    """F-088."""
    _, _, asked = ask(proxx, "calm", {**body, "temperature": 1.0}, path)
    assert asked.json["temperature"] == 0.25
    assert asked.path == path


def test_a_keys_profile_stands_in_the_place_of_its_tenants(proxx: LiveProxx):
    assert "temperature" not in ask(proxx, "fast", CHAT)[2].json


def test_a_profile_that_touches_nothing_leaves_every_byte(proxx: LiveProxx):
    body = b'{ "model":"sim-echo" ,"messages":[{"role":"user","content":"h\\u00e4"}],"temperature":1.0e0}'
    assert ask(proxx, "nothing", body)[2].body == body


@pytest.mark.parametrize(
    ("said", "headers", "tier"),
    [
        ({}, {}, "priority"),
        ({"open_hax": {"fastMode": False}}, {}, None),
        ({}, {"x-open-hax-fast-mode": "false"}, None),
        ({}, {"x-open-hax-service-tier": "flex"}, "flex"),
        ({"service_tier": "default"}, {}, "default"),
    ],
)
def test_fast_mode_asks_for_priority_unless_a_request_says_otherwise(proxx: LiveProxx, said, headers, tier):
    """F-116."""
    told, _, asked = ask(proxx, "fast", {**RESPONSE, **said}, "/v1/responses", headers)
    assert asked.json.get("service_tier") == tier
    assert told.get("x-open-hax-fast-mode") == ("priority" if tier == "priority" else None)
    assert "open_hax" not in asked.json


def test_headers_are_added_and_blocked(proxx: LiveProxx):
    """F-131..F-139."""
    beta = {"anthropic-beta": "context-1m-2025-08-07"}
    _, _, asked = ask(proxx, "headers", MESSAGE, "/v1/messages", beta)
    assert (asked.header("x-team"), asked.header("user-agent")) == ("lab", "acme")
    assert asked.header("anthropic-beta") is None
    assert asked.header("x-api-key") == "sk-sim-2"
    _, _, asked = ask(proxx, "nothing", MESSAGE, "/v1/messages", beta)
    assert asked.header("anthropic-beta") == "context-1m-2025-08-07"


@pytest.mark.parametrize("stream", [False, True])
def test_hidden_reasoning_is_left_out_of_responses(proxx: LiveProxx, stream):
    """F-115."""
    body = {"model": "openai/sim-think", "input": "hello", "reasoning": {"summary": "auto"}, "stream": stream}
    _, shown, _ = ask(proxx, "nothing", body, "/v1/responses")
    _, hidden, _ = ask(proxx, "hidden", body, "/v1/responses")
    word = b'"type":"reasoning"'
    assert word in shown.replace(b": ", b":")
    assert word not in hidden.replace(b": ", b":")
    assert b"output_text" in hidden


WHOLE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "one two three four", "reasoning_content": "I look."},
            "finish_reason": "stop",
        }
    ],
}


def test_a_whole_answer_is_told_word_by_word_with_pauses(tmp_path, templates, provider):
    """F-120: reasoning first, and pauses only where a whole answer stands in for a stream."""
    with RawUpstream(200, json.dumps(WHOLE).encode()) as upstream:
        env = {"OPENAI_BASE_URL": upstream.base_url}
        with running(tmp_path, templates, provider, env=env) as proxx:
            tokens = proxx.run(ROWS)
            proxx.stop()
            proxx.start()
            took, said = {}, {}
            for name in ("slow", "nothing"):
                began = time.monotonic()
                headers = {"authorization": f"Bearer {tokens[name]}"}
                body = {**CHAT, "model": "openai/m", "stream": True}
                raw = proxx.request("POST", "/v1/chat/completions", body, headers)[2]
                took[name] = time.monotonic() - began
                events = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: {")]
                deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
                said[name] = [delta["content"] for delta in deltas if delta.get("content")]
                assert raw.rstrip().endswith(b"data: [DONE]")
    assert said["slow"] == ["one ", "two ", "three ", "four"]
    assert "".join(said["nothing"]) == "one two three four"
    assert took["slow"] > 5 * 0.03  # six words, so five pauses
