"""Tools, options and mistakes of a chat completion body."""

import json

import pytest

from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from proxx.protocols.hub.request import HostedConfig, ToolChoice, ToolRef, ToolSpec
from proxx.protocols.openai_chat.read_request import read_envelope, read_request
from tests.protocols.openai_chat.asking import read, user

PNG = "iVBORw0KGgoAAAANSUhEUg=="
PDF = "JVBERi0xLjQK"


def test_the_old_functions_are_tools():
    """D50."""
    request = read(
        user(),
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    assert request.old_functions
    assert request.tools == (ToolSpec("function", "f", "openai_chat", schema={"type": "object"}),)
    assert request.tool_choice == ToolChoice("named", (ToolRef("f"),))
    assert request.turns[1].parts == (ToolCall("", "f", "{}"),)
    assert request.turns[2].parts == (ToolResult("", (Text("1"),), name="f"),)


@pytest.mark.parametrize(
    ("tool", "spec"),
    [
        (
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"a": 1}, "strict": True}},
            ToolSpec("function", "f", "openai_chat", description="d", schema={"a": 1}, strict=True),
        ),
        ({"type": "function", "name": "f", "parameters": {}}, ToolSpec("function", "f", "openai_chat", schema={})),
        ({"name": "f", "input_schema": {"a": 1}}, ToolSpec("function", "f", "openai_chat", schema={"a": 1})),
        (
            {
                "type": "custom",
                "custom": {
                    "name": "f",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
                },
            },
            ToolSpec("custom", "f", "openai_chat", grammar={"syntax": "lark", "definition": "x"}),
        ),
    ],
)
def test_tools_are_taken_nested_flat_and_in_other_dialects_form(tool, spec):
    """E8."""
    assert read(user(), tools=[tool]).tools == (spec,)


def test_of_two_tools_with_one_name_the_first_counts():
    """D72."""
    tools = [{"type": "function", "function": {"name": "f", "description": text}} for text in "ab"]
    assert [tool.description for tool in read(user(), tools=tools, functions=[{"name": "f"}]).tools] == ["a"]


def test_web_search_options_are_a_hosted_tool():
    options = {"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "X"}}}
    (tool,) = read(user(), web_search_options=options).tools
    assert (tool.kind, tool.raw) == ("web_search", options)
    assert tool.hosted == HostedConfig(user_location={"type": "approximate", "city": "X"}, context_size="low")


F = ToolRef("f")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", ToolChoice("none")),
        ("any", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", (F,))),
        ({"type": "function", "name": "f"}, ToolChoice("named", (F,))),
        ({"type": "tool", "name": "f"}, ToolChoice("named", (F,))),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice("named", (F,))),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            ToolChoice("subset", (F,), must=True),
        ),
    ],
)
def test_tool_choice_is_read_in_each_form(choice, expected):
    assert read(user(), tools=[{"function": {"name": "f"}}], tool_choice=choice).tool_choice == expected


def test_a_tool_choice_without_tools_is_none():
    """D75."""
    assert read(user(), tool_choice="auto").tool_choice is None


@pytest.mark.parametrize(
    ("fields", "effort", "budget", "show"),
    [
        ({}, "", None, ""),
        ({"reasoning_effort": "none"}, "off", None, ""),
        ({"reasoning_effort": "xhigh"}, "xhigh", None, ""),
        ({"reasoning": {"effort": "high", "exclude": True}}, "high", None, "none"),
        ({"reasoning": {"max_tokens": 8000}}, "medium", 8000, ""),
        ({"thinking": {"type": "enabled"}}, "dynamic", None, ""),
        ({"thinking": {"type": "enabled", "budget_tokens": 30000}}, "xhigh", 30000, ""),
        ({"thinking": {"type": "disabled", "budget_tokens": 30000}}, "off", None, ""),
        ({"chat_template_kwargs": {"enable_thinking": False}}, "off", None, ""),
        ({"enable_thinking": True}, "dynamic", None, ""),
        ({"think": "low"}, "low", None, ""),
    ],
)
def test_the_wish_to_think_is_read_in_every_spelling(fields, effort, budget, show):
    """D96."""
    wish = read(user(), **fields).reasoning
    assert (wish.effort, wish.budget, wish.show) == (effort, budget, show)


def test_of_two_limits_the_smaller_counts():
    """D107."""
    assert read(user(), max_tokens=9, max_completion_tokens=7).max_output == 7


@pytest.mark.parametrize(
    "place",
    [
        {"open_hax": {"ollama": {"num_ctx": 7}}, "num_ctx": 9},
        {"provider_options": {"ollama": {"num_ctx": 7}}, "num_ctx": 9},
        {"num_ctx": 7, "ollama_num_ctx": 9},
        {"ollama_num_ctx": 7, "options": {"num_ctx": 9}},
        {"options": {"num_ctx": 7}},
    ],
)
def test_the_context_size_is_read_in_all_its_places(place):
    """F-098."""
    request = read(user(), **place)
    assert request.runtime == {"num_ctx": 7}
    assert request.extras == {}


@pytest.mark.parametrize("size", [0, -1, 1.5, "8k", True])
def test_a_context_size_that_is_none_is_refused(size):
    """F-098."""
    with pytest.raises(Unreadable) as refusal:
        read(user(), provider_options={"ollama": {"num_ctx": size}})
    assert (refusal.value.code, refusal.value.param) == ("invalid_provider_options", "provider_options.ollama.num_ctx")


def test_members_that_only_this_dialect_knows_are_kept_and_noted():
    """D116."""
    losses = Losses()
    assert read(user(), losses=losses, foo=1, prediction={}).extras == {"foo": 1, "prediction": {}}
    assert losses.notes == ["foo;unknown to other dialects"]
    with pytest.raises(Inexpressible):
        read(user(), losses=Losses(strict=True), foo=1)


def test_null_is_the_same_as_nothing():
    names = ("n", "stop", "seed", "tools", "tool_choice", "logprobs", "response_format", "user", "reasoning", "foo")
    assert read(user(), **dict.fromkeys(names)) == read(user())


def test_a_body_of_the_responses_kind_is_understood():
    """E8."""
    body = {
        "model": "m",
        "instructions": "be brief",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "1"},
            {"type": "function_call_output", "call_id": "b", "output": "2"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
    }
    request = read_request(read_envelope(json.dumps(body).encode()), Losses())
    assert request.instructions == (Turn("system", (Text("be brief"),)),)
    assert [len(turn.parts) for turn in request.turns] == [1, 2, 2]
    assert request.tools[0].name == "f"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [user(None)]}, "messages[0].content"),
        ({"messages": [user(7)]}, "messages[0].content"),
        ({"messages": [user([{"type": "hologram"}])]}, "messages[0].content[0].type"),
        ({"messages": [user([{"type": "text"}])]}, "messages[0].content[0].text"),
        ({"messages": [user([{"type": "image_url", "image_url": {}}])]}, "messages[0].content[0].image_url.url"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0].name"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]}, "tools[0].function.parameters"),
        ({"tools": [{"function": {"name": "f"}}], "tool_choice": "perhaps"}, "tool_choice"),
        ({"temperature": "hot"}, "temperature"),
        ({"n": 0}, "n"),
        ({"seed": 1e300}, "seed"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stop": ["a", 1]}, "stop[1]"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"reasoning": "much"}, "reasoning"),
        ({"thinking": {"type": "sometimes"}}, "thinking.type"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(fields, param):
    body = json.dumps({"model": "m", "messages": [user()], **fields}).encode()
    with pytest.raises(Unreadable) as refusal:
        read_request(read_envelope(body), Losses())
    assert refusal.value.param == param
