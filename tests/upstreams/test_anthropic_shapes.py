"""The simulated Anthropic refuses values of the wrong type and members in the wrong place, as the real one does."""

import pytest

from tests.upstreams.posting import send

KEY = {"x_api_key": "sk-sim-1", "anthropic_version": "2023-06-01"}
U = {"role": "user", "content": "hi"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
CLOSED = {"type": "object", "additionalProperties": False}
MARK = {"type": "ephemeral"}


def said(*blocks, role="user"):
    """Return the messages up to these blocks."""
    before = [] if role == "user" else [U]
    after = [] if role == "user" else [U]
    return {"messages": [*before, {"role": role, "content": list(blocks)}, *after]}


def marked(mark):
    return said({"type": "text", "text": "x", "cache_control": mark})


def pictured(**source):
    return said({"type": "image", "source": source})


def shaped(**schema):
    return {"output_config": {"format": {"type": "json_schema", "schema": {**CLOSED, **schema}}}}


def result(**members):
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": "t", **members}
    return {"messages": [U, {"role": "assistant", "content": [call]}, {"role": "user", "content": [answer]}]}


SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
REFUSED = {
    "model": ({"model": 7}, "model: Input should be a valid string"),
    "max_tokens": ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    "negative max_tokens": ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    "stop sequence": ({"stop_sequences": [7]}, "stop_sequences.0: Input should be a valid string"),
    "stream": ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    "member of thinking": ({"thinking": {"type": "adaptive", "budget_tokens": 9}}, "thinking.adaptive.budget_tokens"),
    "display": ({"thinking": {"type": "adaptive", "display": "all"}}, "Input should be 'summarized' or 'omitted'"),
    "no budget": ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    "budget": (
        {"thinking": {"type": "enabled", "budget_tokens": "2000"}},
        "thinking.enabled.budget_tokens: Input should be a valid integer",
    ),
    "output_config": ({"output_config": "json"}, "output_config: Input should be a valid dictionary"),
    "member of output_config": ({"output_config": {"verbosity": "low"}}, "output_config.verbosity: Extra inputs"),
    "format": ({"output_config": {"format": {"type": "json_object"}}}, "Input should be 'json_schema'"),
    "format without schema": (
        {"output_config": {"format": {"type": "json_schema"}}},
        "output_config.format.schema: Input should be a valid dictionary",
    ),
    "oneOf": (shaped(properties={"a": {"oneOf": []}}), "oneOf and not are not supported"),
    "two items at least": (
        shaped(properties={"a": {"type": "array", "minItems": 2}}),
        "'minItems' values other than 0 or 1 are not supported",
    ),
    "tools": ({"tools": TOOL}, "tools: Input should be a valid list"),
    "tool": ({"tools": ["f"]}, "tools.0: Input should be a valid dictionary"),
    "both lists of domains": (
        {"tools": [{"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a"],
                    "blocked_domains": ["b"]}]},
        "only one of allowed_domains and blocked_domains",
    ),
    "member of a tool": ({"tools": [{**TOOL, "parameters": {}}]}, "tools.0.custom.parameters: Extra inputs"),
    "description": ({"tools": [{**TOOL, "description": None}]}, "description: Input should be a valid string"),
    "input_schema": ({"tools": [{**TOOL, "input_schema": "{}"}]}, "input_schema: Input should be a valid dictionary"),
    "properties": (
        {"tools": [{**TOOL, "input_schema": {"type": "object", "properties": []}}]},
        "It must match JSON Schema draft 2020-12",
    ),
    "member of tool_choice": (
        {"tools": [TOOL], "tool_choice": {"type": "auto", "name": "f"}},
        "tool_choice.auto.name: Extra inputs",
    ),
    "mark": (marked({"type": "forever"}), "cache_control.type: Input should be 'ephemeral'"),
    "member of a mark": (marked({**MARK, "scope": "x"}), "cache_control.ephemeral.scope: Extra inputs"),
    "ttl": (marked({**MARK, "ttl": "2h"}), "cache_control.ephemeral.ttl: Input should be '5m' or '1h'"),
    "text": (said({"type": "text", "text": 7}), "text.text: Input should be a valid string"),
    "source": (pictured(type="data"), "image.source: Input tag 'data'"),
    "source without data": (pictured(type="base64", media_type="image/png"), "source.base64.data: Field required"),
    "member of a source": (pictured(type="url", url="https://a.example", detail="low"), "source.url.detail: Extra"),
    "plain http": (pictured(type="url", url="http://a.example/x.png"), "Only HTTPS URLs are supported."),
    "no data": (pictured(type="base64", media_type="image/png", data=""), "image cannot be empty"),
    "text document": (
        said({"type": "document", "source": {"type": "text", "media_type": "text/html", "data": "x"}}),
        "media_type: Input should be 'text/plain'",
    ),
    "call without name": (
        said({"type": "tool_use", "id": "t", "name": "", "input": {}}, role="assistant"),
        "tool_use.name: String should have at least 1 character",
    ),
    "id of a result": (said({"type": "tool_result", "tool_use_id": "a b"}), "tool_use_id: String should match pattern"),
    "is_error": (result(is_error="no"), "is_error: Input should be a valid boolean"),
    "content of a result": (result(content={"a": 1}), "tool_result.content: Input should be a valid string"),
    "signature": (
        said({"type": "thinking", "thinking": "Hm.", "signature": 7}, role="assistant"),
        "thinking.signature: Input should be a valid string",
    ),
    "search without its result": (
        said(SEARCH, {"type": "text", "text": "x"}, role="assistant"),
        "was found without a corresponding `web_search_tool_result` block",
    ),
    "result of another vendor's search": (
        said(
            SEARCH,
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"encrypted_content": "eHg="}]},
            role="assistant",
        ),
        "Invalid `encrypted_content` in `search_result` block",
    ),
    "messages": ({"messages": "hi"}, "messages: Input should be a valid list"),
    "message": ({"messages": ["hi"]}, "messages.0: Input should be a valid dictionary"),
    "message without role": ({"messages": [{"content": "hi"}]}, "messages.0.role: Field required"),
    "content": ({"messages": [{"role": "user", "content": None}]}, "content: Input should be a valid list"),
    "system": ({"system": {"text": "x"}}, "system: Input should be a valid string"),
    "system before a user": (
        {"model": "claude-opus-4-8", "messages": [U, {"role": "system", "content": "x"}, U]},
        "a message with role 'system' must follow a user turn",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_value_is_refused_with_its_path(provider, case):
    members, words = case
    body = {"model": "claude-x", "max_tokens": 4096, "messages": [U], **members}
    reply = send(provider, "POST", "/v1/messages", body, **KEY)
    assert reply.status == 400, reply.body
    assert words in reply.json["error"]["message"]
