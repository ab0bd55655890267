"""What holds for Anthropic and Gemini as for OpenAI: model names that say what to answer, faults, refusals."""

import contextlib
import http.client
import json

import pytest

from tests.upstreams import faults, refusals
from tests.upstreams.posting import send
from tests.upstreams.script import say, think

WORDS = "What is the weather in Oslo?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ENDLESS = {"stall-before-headers", "stall-before-first-event", "stall-mid-stream"}
MANNERS = ("anthropic", "gemini")
HOW = ("whole", "stream")


def anthropic(provider, model, *, stream=False, tools=False, key="sk-sim-1"):
    body = {
        "model": model,
        "max_tokens": 4096,
        "stream": stream,
        "thinking": {"type": "adaptive"},
        "messages": [{"role": "user", "content": WORDS}],
        **({"tools": [{"name": "get_weather", "input_schema": SCHEMA}]} if tools else {}),
    }
    return send(provider, "POST", "/v1/messages", body, x_api_key=key, anthropic_version="2023-06-01")


def gemini(provider, model, *, stream=False, tools=False, key="sk-sim-1"):
    body = {
        "contents": [{"role": "user", "parts": [{"text": WORDS}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
        **(
            {"tools": [{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": SCHEMA}]}]}
            if tools
            else {}
        ),
    }
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return send(provider, "POST", f"/v1beta/models/{model}:{verb}", body, x_goog_api_key=key)


ASK = {"anthropic": anthropic, "gemini": gemini}
SAYS = {
    "sim-echo": (WORDS, WORDS),
    "sim-say": ("simulated provider", "simulated provider"),
    "sim-tools": ('"name":"get_weather"', '"name":"get_weather"'),
    "sim-think": ("First I look at the question.", "First I look at the question."),
    "sim-length": ('"stop_reason":"max_tokens"', '"finishReason":"MAX_TOKENS"'),
    "sim-filter": ('"stop_reason":"refusal"', '"finishReason":"SAFETY"'),
    "sim-usage-10-5-4-2": ('"cache_read_input_tokens":4', '"cachedContentTokenCount":4'),
    "sim-long-3": ("word word word", "word word word"),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("model", SAYS)
def test_a_models_name_says_what_it_answers(provider, model, manner, how):
    reply = ASK[manner](provider, model, stream=how == "stream", tools=model == "sim-tools")
    assert reply.status == 200
    data = reply.events() if how == "stream" else reply.json
    text = json.dumps(data, separators=(",", ":"))
    said = "".join(_texts(data))
    wanted = SAYS[model][MANNERS.index(manner)]
    assert wanted in (text if wanted.startswith('"') else said)


def _texts(data):
    """Find all texts in the order in which they stand."""
    if isinstance(data, list):
        for one in data:
            yield from _texts(one)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in ("text", "thinking") and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)


@pytest.mark.parametrize("manner", MANNERS)
def test_one_name_makes_several_calls(provider, manner):
    text = ASK[manner](provider, "sim-tools-3", tools=True).body.decode()
    assert text.count('"get_weather"') == 3


@pytest.mark.parametrize("manner", MANNERS)
def test_a_key_carries_its_fault_in_the_manner_of_the_dialect(provider, manner):
    model = {"anthropic": "claude-opus-4-8", "gemini": "sim-say"}[manner]
    reply = ASK[manner](provider, model, key="sk-sim-fault-429-after-3.second")
    assert reply.status == 429
    error = reply.json["error"]
    assert error.get("type") == "rate_limit_error" or error["details"][1]["retryDelay"] == "3s"


@pytest.mark.parametrize("manner", MANNERS)
def test_every_kind_of_refusal_exists_in_every_manner(manner):
    kinds = {name.removesuffix("-openai") for name in refusals.names() if name.endswith("-openai")}
    for kind in kinds:
        made = refusals.refusal(kind, manner=manner)
        assert made.status == int(kind[:3])
        if manner == "anthropic":
            assert set(made.body) == {"type", "error", "request_id"}, kind
        else:
            assert made.body["error"]["code"] == made.status, kind


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("name", [name for name in faults.TABLE if name not in ENDLESS and name != "slow-start"])
def test_every_fault_on_the_wire_is_played_to_its_end(provider, name, manner, how):
    with contextlib.suppress(http.client.HTTPException, OSError):
        ASK[manner](provider, f"sim-fault-{name}", stream=how == "stream")
    entry = provider.journal.last
    assert entry.wait() in ("complete", "cut")
    assert entry.dialect == manner


@pytest.mark.parametrize("manner", MANNERS)
def test_thoughts_are_kept_from_the_answer(provider, manner):
    provider.script(think("secret"), say("open"))
    reply = ASK[manner](provider, "sim-say")
    if manner == "anthropic":
        assert [block["type"] for block in reply.json["content"]] == ["thinking", "text"]
    else:
        assert [part.get("thought", False) for part in reply.json["candidates"][0]["content"]["parts"]] == [True, False]
