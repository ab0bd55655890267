"""However odd a request is, the simulated services answer or refuse it: reading one never fails in another way."""

import copy
import json
import random

import pytest

from tests.upstreams import anthropic, gemini, model_names, signatures
from tests.upstreams.answer import Refused
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Ask, Tool, World
from tests.upstreams.posting import PNG

ODD = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    " ",
    "x",
    "auto",
    [],
    {},
    [None],
    [{}],
    {"type": "x"},
    {"type": None},
    ["a"],
    "\ud800",
)
SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}, "required": ["a"]}
CLOSED = {**SCHEMA, "additionalProperties": False}
MESSAGES = {
    "model": "claude-x",
    "max_tokens": 4096,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": CLOSED}},
    "stop_sequences": ["x"],
    "metadata": {"user_id": "u"},
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "hi"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            {"type": "document", "source": {"type": "content", "content": "x"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": signatures.sign("anthropic", "Hm.")},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [
                {"type": "web_search_result", "encrypted_content": signatures.sign("anthropic", "x")}]},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "ok"}]}]},
    ],
}  # fmt: skip
CONTENTS = {
    "systemInstruction": {"parts": [{"text": "s"}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": {**SCHEMA, "type": "OBJECT"}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 1,
        "candidateCount": 1,
        "maxOutputTokens": 5,
        "stopSequences": ["x"],
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "anyOf": [{"type": "STRING", "enum": ["a"]}]},
        "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
    },
    "contents": [
        {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
        {"role": "model", "parts": [{
            "functionCall": {"id": "a", "name": "f", "args": {}},
            "thoughtSignature": signatures.sign("gemini", "x"),
        }]},
        {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "f", "response": {"output": "ok"}}}]},
    ],
}  # fmt: skip
COUNTED = {name: value for name, value in MESSAGES.items() if name in ("model", "system", "tools", "messages")}
HEADERS = [("anthropic-version", "2023-06-01"), ("x-api-key", "sk-sim-1")]
ASKED = {
    "anthropic": (anthropic.read, "/v1/messages", MESSAGES),
    "anthropic count": (anthropic.count, "/v1/messages/count_tokens", COUNTED),
    "gemini": (gemini.read, "/v1beta/models/gemini-3-pro:generateContent", CONTENTS),
    "gemini stream": (gemini.read, "/v1beta/models/gemini-2.5-pro:streamGenerateContent", CONTENTS),
    "gemini count": (gemini.count, "/v1beta/models/sim-say:countTokens", {"contents": CONTENTS["contents"]}),
}


def places(data):
    """Find every container and the key of every value in it."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(pairs):
        yield data, key
        if isinstance(value, dict | list):
            yield from places(value)


def changed(data, chance):
    """Return a copy with one to three values replaced, removed or doubled."""
    made = copy.deepcopy(data)
    for _ in range(chance.randint(1, 3)):
        where, key = chance.choice(list(places(made)))
        match chance.randrange(4):
            case 0:
                del where[key]
            case 1 if isinstance(where, list):
                where.append(copy.deepcopy(where[key]))
            case 2 if isinstance(where, dict):
                where[chance.choice(("type", "text", "extra", "cache_control"))] = copy.deepcopy(chance.choice(ODD))
            case _:
                where[key] = copy.deepcopy(chance.choice(ODD))
        if not made:
            return made
    return made


@pytest.mark.parametrize("case", ASKED.values(), ids=ASKED.keys())
def test_an_odd_request_is_answered_or_refused(case):
    read, path, body = case
    chance, refused = random.Random(7), []
    for _ in range(1500):
        data = json.dumps(changed(body, chance)).encode()
        try:
            read(Arrival("POST", path, HEADERS, data, "127.0.0.1"), World())
        except Refused as caught:
            refused.append(caught.refusal.status)
    assert set(refused) == {400}
    assert len(refused) < 1500


@pytest.mark.parametrize("case", ASKED.values(), ids=ASKED.keys())
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"null", b"\xff"])
def test_what_is_no_object_is_refused(case, body):
    read, path, _ = case
    with pytest.raises(Refused):
        read(Arrival("POST", path, HEADERS, body, "127.0.0.1"), World())


@pytest.mark.parametrize(("schema", "said"), [({"type": None}, {}), ({"properties": {}}, {}), ({}, "example")])
def test_a_function_is_called_with_an_object_whatever_its_schema(schema, said):
    ask = Ask("gpt-x", stream=False, text="", prompt_tokens=1, tools=(Tool("f", schema),), must_call="f")
    assert model_names.script_of_listed(ask).steps[0].arguments == said
