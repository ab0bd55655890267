"""A client's Messages body, read into no dialect."""

import json
from typing import Any

import pytest

from proxx.protocols.anthropic.read_request import read_envelope, read_request
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import CacheMark, Text, Turn
from proxx.protocols.hub.request import HostedConfig, OutputWish, ReasoningWish, Request, ToolChoice, ToolRef


def read(losses: Losses | None = None, **body: Any) -> Request:
    body = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **body}
    return read_request(read_envelope(json.dumps(body).encode()), losses or Losses())


def test_the_head_says_model_and_stream():
    envelope = read_envelope(b'{"model":"claude-x","stream":true,"messages":[]}')
    assert (envelope.dialect, envelope.model, envelope.stream) == ("anthropic", "claude-x", True)
    assert read_envelope(b'{"model":"m","messages":[]}').stream is False


def test_settings_are_read_as_they_were_meant():
    """D105."""
    request = read(temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["END"], service_tier="standard_only")
    assert (request.sampling.temperature, request.sampling.top_p, request.sampling.top_k) == (0.5, 0.9, 40)
    assert (request.sampling.stop, request.max_output, request.service_tier) == (("END",), 100, "default")
    assert read(metadata={"user_id": "u1"}).user_id == "u1"
    assert read(cache_control={"type": "ephemeral", "ttl": "1h"}).cache.mark == CacheMark("1h")


def test_what_only_anthropic_knows_is_noted_and_telemetry_is_not():
    losses = Losses()
    request = read(losses, context_management={"edits": []}, diagnostics={"previous_message_id": "m"}, speed=None)
    assert losses.notes == ["context_management;unknown to other dialects"]
    assert request.extras["context_management"] == {"edits": []}


def test_a_system_text_and_system_blocks_lead():
    """D174."""
    assert read(system="Be brief.").instructions == (Turn("system", (Text("Be brief."),)),)
    blocks = [{"type": "text", "text": "A"}, {"type": "text", "text": "B", "cache_control": {"type": "ephemeral"}}]
    assert read(system=blocks).instructions == (Turn("system", (Text("A"), Text("B", cache=CacheMark()))),)


def test_the_billing_line_of_claude_code_goes_nowhere():
    blocks = [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cch=abc;"}]
    assert read(system=blocks).instructions == ()
    assert read(system=[*blocks, {"type": "text", "text": "A"}]).instructions == (Turn("system", (Text("A"),)),)


def test_system_messages_in_the_middle_stay_in_the_middle():
    """D30."""
    said = [{"role": role, "content": role} for role in ("user", "system", "assistant", "user")]
    request = read(messages=said)
    assert [turn.role for turn in request.turns] == ["user", "system", "assistant", "user"]
    assert request.instructions == ()


@pytest.mark.parametrize(
    ("thinking", "effort", "wish"),
    [
        (None, None, ReasoningWish()),
        ({"type": "disabled"}, "high", ReasoningWish("off")),
        ({"type": "between_tools"}, None, ReasoningWish("off")),
        ({"type": "adaptive"}, None, ReasoningWish("dynamic")),
        ({"type": "adaptive", "display": "omitted"}, "xhigh", ReasoningWish("xhigh", show="none")),
        ({"type": "adaptive", "display": "summarized"}, "max", ReasoningWish("max", show="summary")),
        ({"type": "enabled", "budget_tokens": 5000}, None, ReasoningWish("medium", 5000)),
        (None, "low", ReasoningWish("low")),
    ],
)
def test_thinking_is_read_as_an_effort(thinking: dict[str, Any] | None, effort: str | None, wish: ReasoningWish):
    assert read(thinking=thinking, output_config={"effort": effort}).reasoning == wish


def test_a_schema_for_the_answer_is_read_from_both_its_places():
    schema = {"type": "object", "properties": {}}
    wanted = {"type": "json_schema", "schema": schema}
    assert read(output_config={"format": wanted}).output == OutputWish("schema", schema, strict=True)
    assert read(output_format=wanted).output == OutputWish("schema", schema, strict=True)


def test_a_limit_of_nothing_becomes_one():
    """D110."""
    losses = Losses()
    assert read(losses, max_tokens=0).max_output == 1
    assert losses.notes == ["max_tokens;0 warms caches at Anthropic only and is sent as 1"]
    assert read(max_tokens=None).max_output is None


@pytest.mark.parametrize(
    ("choice", "read_as", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        ({"type": "none"}, ToolChoice("none"), None),
        ({"type": "tool", "name": "look"}, ToolChoice("named", (ToolRef("look"),)), None),
    ],
)
def test_tool_choices(choice: dict[str, Any], read_as: ToolChoice, parallel: bool | None):
    request = read(tool_choice=choice)
    assert (request.tool_choice, request.parallel) == (read_as, parallel)


def test_tools_of_the_client_keep_their_schema_and_marks():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"name": "look", "description": "Looks.", "input_schema": schema, "strict": True, "defer_loading": True}
    (spec,) = read(tools=[tool | {"cache_control": {"type": "ephemeral"}}]).tools
    assert (spec.kind, spec.name, spec.description, spec.schema) == ("function", "look", "Looks.", schema)
    assert (spec.strict, spec.deferred, spec.cache) == (True, True, CacheMark())


def test_tools_of_anthropics_making_become_functions_or_hosted_ones():
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.org"]}
    others = [{"type": "bash_20250124", "name": "bash"}, {"type": "code_execution_20250825", "name": "code_execution"}]
    hidden = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
    web, bash, code = read(tools=[search, *others, hidden]).tools
    assert (web.kind, web.hosted) == ("web_search", HostedConfig(("a.org",), max_uses=3))
    assert (bash.kind, bash.name) == ("function", "bash")
    assert "command" in (bash.schema or {})["properties"]
    assert (code.kind, code.name) == ("hosted", "code_execution_20250825")


def test_of_two_tools_with_one_name_the_first_counts():
    """D72."""
    tools = [{"name": "look", "description": text, "input_schema": {"type": "object"}} for text in ("one", "two")]
    assert [tool.description for tool in read(tools=tools).tools] == ["one"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"max_tokens": "many"}, "max_tokens"),
        ({"messages": {}}, "messages"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "messages[0].content[0].text"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str):
    with pytest.raises(Unreadable) as fault:
        read(**body)
    assert fault.value.param == param


def test_a_body_without_messages_or_json_is_refused():
    for body in (b'{"model":"m"}', b'{"model":"m","messages":[}'):
        envelope = read_envelope(b'{"model":"m","messages":[]}')
        with pytest.raises(Unreadable):
            read_request(type(envelope)("anthropic", "m", False, False, body), Losses())
