"""Tools, written for chat upstreams of every habit."""

import json

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import ArgsDelta, PartClosed, PartOpened
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import ToolCall, ToolResult
from proxx.protocols.hub.request import (
    HostedConfig,
    ToolChoice,
    ToolRef,
    ToolSpec,
)
from tests.protocols.openai_chat.asking import asked, sent, turn, written

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"], "additionalProperties": False}
F = ToolSpec("function", "f", "anthropic", description="d", schema=SCHEMA)
G = ToolSpec("function", "g", "anthropic", schema=SCHEMA)
SEARCH = ToolSpec("web_search", "web_search", "anthropic", hosted=HostedConfig(allowed_domains=("e.org",)))
CUSTOM = ToolSpec("custom", "patch", "openai_responses", grammar={"syntax": "lark", "definition": "x"})


def functions(request, *quirks, **more):
    return [tool["function"] for tool in sent(request, *quirks, **more).get("tools", ())]


def test_functions_keep_their_schema_and_get_one_if_they_have_none():
    """D68."""
    none = ToolSpec("function", "n", "ollama")
    assert functions(asked(tools=(F, none))) == [
        {"name": "f", "description": "d", "parameters": SCHEMA},
        {"name": "n", "parameters": {"type": "object", "properties": {}}},
    ]


def test_strict_is_only_said_of_schemas_that_qualify():
    """D66."""
    losses = Losses()
    open_schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    specs = [ToolSpec("function", n, "a", schema=s, strict=True) for n, s in (("f", SCHEMA), ("g", open_schema))]
    assert [one["strict"] for one in functions(asked(tools=tuple(specs)), losses=losses)] == [True, False]
    assert len(losses.notes) == 1


def test_names_that_do_not_fit_are_the_same_everywhere_and_come_back():
    """D70."""
    name = "fs.read"
    request = asked(
        turn("user", "hi"),
        turn("assistant", ToolCall("a", name, "{}")),
        turn("user", ToolResult("a")),
        tools=(ToolSpec("function", name, "anthropic"),),
        tool_choice=ToolChoice("named", (ToolRef(name),)),
    )
    out = written(request)
    body = json.loads(out.body)
    upstream = body["tools"][0]["function"]["name"]
    assert upstream != name
    assert body["tool_choice"]["function"]["name"] == upstream
    assert body["messages"][1]["tool_calls"][0]["function"]["name"] == upstream
    assert out.mends[0]([PartOpened(0, "call", name=upstream)]) == [PartOpened(0, "call", name=name)]


def test_free_form_tools_are_functions_whose_calls_come_back_free():
    """D166."""
    out = written(asked(tools=(CUSTOM,)))
    function = json.loads(out.body)["tools"][0]["function"]
    assert list(function["parameters"]["properties"]) == ["input"]
    events = [PartOpened(0, "call", name="patch"), ArgsDelta(0, '{"input":"a\\n"}'), PartClosed(0)]
    assert out.mends[0](events)[:2] == [PartOpened(0, "call", name="patch", tool_kind="custom"), ArgsDelta(0, "a\n")]
    assert sent(asked(tools=(CUSTOM,)), "openai_platform")["tools"][0]["custom"]["name"] == "patch"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "required"),
        (ToolChoice("named", (ToolRef("g"),)), {"type": "function", "function": {"name": "g"}}),
    ],
)
def test_tool_choice_is_said(choice, expected):
    assert sent(asked(tools=(F, G), tool_choice=choice)).get("tool_choice") == expected


def test_a_subset_is_said_or_sent_alone():
    """D73."""
    request = asked(tools=(F, G), tool_choice=ToolChoice("subset", (ToolRef("g"),), must=True))
    body = sent(request)
    assert ([tool["function"]["name"] for tool in body["tools"]], body["tool_choice"]) == (["g"], "required")
    body = sent(request, "openai_platform")
    assert (len(body["tools"]), body["tool_choice"]["allowed_tools"]["mode"]) == (2, "required")


def test_without_tools_nothing_is_said_of_them():
    """D75."""
    body = sent(asked(tool_choice=ToolChoice("auto"), parallel=False))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)


def test_one_call_at_a_time_is_said_or_seen_to():
    """D76."""
    request = asked(tools=(F,), parallel=False)
    assert sent(request)["parallel_tool_calls"] is False
    out = written(request, "no_parallel_tool_calls")
    assert "parallel_tool_calls" not in json.loads(out.body)
    assert len(out.mends) == 1


def test_hosted_search_is_translated_noted_or_refused():
    """D169."""
    losses = Losses()
    body = sent(asked(tools=(F, SEARCH)), losses=losses)
    assert len(body["tools"]) == len(losses.notes) == 1
    assert sent(asked(tools=(SEARCH,)), "web_plugin")["plugins"] == [{"id": "web"}]
    assert sent(asked(tools=(SEARCH,)), "openai_platform", model="gpt-x-search")["web_search_options"] == {}
    forced = ToolChoice("named", (ToolRef("web_search"),))
    assert "tool_choice" not in sent(asked(tools=(F, SEARCH), tool_choice=forced), "web_plugin")
    for request in (asked(tools=(SEARCH,)), asked(tools=(F, SEARCH), tool_choice=forced)):
        with pytest.raises(Inexpressible):
            sent(request)


def test_a_choice_of_a_tool_that_nobody_declared_is_refused():
    with pytest.raises(Inexpressible):
        sent(asked(tools=(F,), tool_choice=ToolChoice("named", (ToolRef("gone"),))))
