"""Tools, and the choice among them, written for Ollama."""

import json

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import ArgsDelta, Ended, Finished, PartClosed, PartOpened, Started
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.reply import fold
from proxx.protocols.hub.request import ToolChoice, ToolRef, ToolSpec
from tests.protocols.ollama.test_write_request import body, written

SCHEMA = {"type": "object", "properties": {"z": {"type": "string"}, "a": {}}}
F = ToolSpec("function", "f", "openai_chat", description="d", schema=SCHEMA, strict=True)
G = ToolSpec("function", "g", "openai_chat")
SEARCH = ToolSpec("web_search", "web_search", "openai_responses")


def names(**more):
    return [tool["function"]["name"] for tool in body(**more).get("tools", ())]


def test_functions_are_declared_with_a_schema_of_an_object():
    """D68."""
    first, second = body(tools=(F, G))["tools"]
    assert first == {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
    assert list(first["function"]["parameters"]["properties"]) == ["z", "a"]
    assert second["function"]["parameters"] == {"type": "object", "properties": {}}


def test_the_first_of_two_declarations_counts():
    """D72."""
    other = ToolSpec("function", "f", "openai_chat", description="other")
    assert [tool["function"]["description"] for tool in body(tools=(F, other))["tools"]] == ["d"]


def test_a_tool_that_is_neither_wanted_nor_there_is_left_out():
    """D75."""
    assert names(tools=(F, G), tool_choice=ToolChoice("none")) == []
    assert "tools" not in body(tool_choice=ToolChoice("required"))


@pytest.mark.parametrize(
    ("choice", "offered", "ordered"),
    [
        (None, ["f", "g"], False),
        (ToolChoice("auto"), ["f", "g"], False),
        (ToolChoice("required"), ["f", "g"], True),
        (ToolChoice("named", (ToolRef("g"),)), ["g"], True),
        (ToolChoice("subset", (ToolRef("g"),)), ["g"], False),
        (ToolChoice("subset", (ToolRef("g"), ToolRef("f")), must=True), ["f", "g"], True),
    ],
)
def test_a_choice_is_made_by_what_is_offered_and_by_an_instruction(choice, offered, ordered):
    """D73."""
    losses = Losses()
    told = body(tools=(F, G), tool_choice=choice, losses=losses)
    assert [tool["function"]["name"] for tool in told["tools"]] == offered
    assert (told["messages"][0]["role"] == "system") == ordered
    assert bool(losses.notes) == ordered


def test_a_choice_of_a_tool_that_is_not_declared_is_refused():
    with pytest.raises(Inexpressible):
        body(tools=(F,), tool_choice=ToolChoice("named", (ToolRef("x"),)))


def test_a_search_of_the_vendors_is_dropped_beside_other_tools():
    """D169."""
    losses = Losses()
    assert names(tools=(F, SEARCH), losses=losses) == ["f"]
    assert losses.notes[0].startswith("tools[web_search]")


@pytest.mark.parametrize(
    "said",
    [{"tools": (SEARCH,)}, {"tools": (F, SEARCH), "tool_choice": ToolChoice("named", (ToolRef("web_search"),))}],
)
def test_a_search_that_matters_is_refused(said):
    """D169."""
    with pytest.raises(Inexpressible) as caught:
        body(**said)
    assert caught.value.param == "tools[web_search]"


def test_deferred_tools_are_given_at_once_and_the_search_for_them_is_hidden():
    deferred = ToolSpec("function", "f", "openai_responses", namespace="mcp", deferred=True)
    search = ToolSpec("tool_search", "tool_search", "openai_responses")
    assert names(tools=(deferred, search)) == ["mcp__f"]


def test_names_are_made_to_fit_and_given_back():
    """D70, D167."""
    tools = (ToolSpec("function", "a.b/c", "gemini"), ToolSpec("function", "f", "openai_responses", namespace="mcp"))
    done = written(tools=tools)
    first, second = (tool["function"]["name"] for tool in json.loads(done.body)["tools"])
    assert (first.replace("_", "").isalnum(), second) == (True, "mcp__f")
    events = [PartOpened(0, "call", name=first), PartOpened(1, "call", name=second)]
    for mend in done.mends:
        events = mend(events)
    assert [(one.namespace, one.name) for one in events] == [("", "a.b/c"), ("mcp", "f")]


def test_the_history_calls_tools_by_the_same_names():
    """D70."""
    tool = ToolSpec("function", "a.b", "gemini")
    turns = (Turn("assistant", (ToolCall("c", "a.b", "{}"),)), Turn("user", (ToolResult("c", (Text("x"),)),)))
    told = body(*turns, tools=(tool,))
    name = told["tools"][0]["function"]["name"]
    assert told["messages"][0]["tool_calls"][0]["function"]["name"] == told["messages"][1]["tool_name"] == name


def test_freeform_tools_are_wrapped_both_ways():
    """D166."""
    patch = ToolSpec("custom", "apply_patch", "openai_responses", description="d")
    history = (Turn("assistant", (ToolCall("c", "apply_patch", "*** Begin", kind="custom"),)),)
    history += (Turn("user", (ToolResult("c", (Text("ok"),), kind="custom"),)),)
    done = written(*history, tools=(patch,))
    told = json.loads(done.body)
    assert list(told["tools"][0]["function"]["parameters"]["properties"]) == ["input"]
    assert told["messages"][0]["tool_calls"][0]["function"]["arguments"] == {"input": "*** Begin"}
    events = [Started(), PartOpened(0, "call", id="c", name="apply_patch"), ArgsDelta(0, '{"input":"*** End"}')]
    events += [PartClosed(0), Finished("tool_calls"), Ended()]
    for mend in done.mends:
        events = mend(events)
    assert fold(events).choices[0].parts == (ToolCall("c", "apply_patch", "*** End", kind="custom"),)


def test_a_shell_is_a_function_with_its_actions_schema():
    """D172."""
    (tool,) = body(tools=(ToolSpec("local_shell", "local_shell", "openai_responses"),))["tools"]
    assert "command" in tool["function"]["parameters"]["properties"]
