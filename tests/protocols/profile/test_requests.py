"""Wishes on neutral requests, and what they become in the upstream's words."""

import json

import msgspec
import pytest

from proxx.protocols import registry
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Request, Texts
from proxx.protocols.hub.target import Target
from proxx.protocols.profile.options import Wishes
from proxx.protocols.profile.requests import edited

DEFAULTS = Wishes(effort="medium", summary="detailed")


def chat(**fields):
    body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], **fields}
    return read("openai_chat", body)


def read(dialect, body):
    protocol = registry.get(dialect)
    return protocol.read_request(protocol.read_envelope(json.dumps(body).encode()), Losses())


def written(request, wishes, dialect, model):
    target = Target("p", model, dialect, facts=facts_of(model), default_max_output=8000)
    losses = Losses()
    body = registry.get(dialect).write_request(edited(request, wishes, target), target, losses).body
    assert losses.notes == []
    return json.loads(body)


def test_chat_is_asked_as_responses_with_all_defaults():
    """F-113, F-307, F-331."""
    wishes = msgspec.structs.replace(DEFAULTS, web_search=True, tier="priority")
    told = written(chat(), wishes, "openai_responses", "gpt-5")
    assert told["reasoning"] == {"effort": "medium", "summary": "detailed"}
    assert told["tools"][0]["type"] == "web_search"
    assert told["service_tier"] == "priority"


def test_claude_and_gemini_are_told_in_their_own_words():
    """F-113."""
    claude = written(chat(), DEFAULTS, "anthropic", "claude-sonnet-4-5")
    assert claude["thinking"]["type"] == "enabled"
    gemini = written(chat(), DEFAULTS, "gemini", "gemini-2.5-flash")
    assert gemini["generationConfig"]["thinkingConfig"]["thinkingBudget"] > 0
    ollama = written(chat(), DEFAULTS, "ollama", "qwen3:8b")
    assert ollama["think"] is True or ollama["think"] == "medium"


def test_what_a_request_says_itself_stays():
    request = chat(
        reasoning_effort="high", tools=[{"type": "function", "function": {"name": "shell"}}], service_tier="flex"
    )
    wishes = msgspec.structs.replace(DEFAULTS, web_search=True, tier="priority")
    target = Target("p", "gpt-5", "openai_responses", facts=facts_of("gpt-5"))
    assert edited(request, wishes, target) is request


def test_gaps_are_filled_only_if_wished():
    """F-113."""
    target = Target("p", "gpt-5", "openai_responses", facts=facts_of("gpt-5"))
    request = chat(reasoning_effort="high")
    filled = edited(request, msgspec.structs.replace(DEFAULTS, fill_gaps=True), target)
    assert (filled.reasoning.effort, filled.reasoning.show, filled.reasoning.summary) == ("high", "summary", "detailed")


def test_a_suffix_outweighs_the_body():
    """F-074."""
    request = read("openai_responses", {"model": "m", "input": "x", "reasoning": {"effort": "high", "summary": "auto"}})
    told = written(request, Wishes(effort="low", summary="concise", forced=True), "openai_responses", "gpt-5")
    assert told["reasoning"] == {"effort": "low", "summary": "concise"}
    told = written(request, Wishes(effort="none", summary="never", forced=True), "openai_responses", "gpt-5.1")
    assert told["reasoning"] == {"effort": "none"}


@pytest.mark.parametrize("dialect", ["openai_chat", "ollama"])
def test_no_search_is_put_where_the_upstream_has_none(dialect):
    """F-307."""
    assert "tools" not in written(chat(), Wishes(web_search=True), dialect, "some-model")


def test_a_temperature_replaces_every_other_but_not_where_none_is_taken():
    """F-088."""
    assert written(chat(temperature=1), Wishes(temperature=0.25), "ollama", "llama3")["options"]["temperature"] == 0.25
    assert "temperature" not in written(chat(), Wishes(temperature=0.25), "openai_responses", "gpt-5")


def test_texts_to_embed_stay_as_they_are():
    request = Request("openai_embed", "m", (), texts=Texts(("x",)))
    assert edited(request, Wishes(temperature=1.0), Target("p", "m", "ollama_embed")) is request
