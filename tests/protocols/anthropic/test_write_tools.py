"""Tools and tool choices as Messages upstreams take them."""

from typing import Any

import pytest

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.events import Ended, Finished, PartClosed, PartOpened, Started
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import CacheMark, Text, ToolCall, ToolResult
from proxx.protocols.hub.reply import fold
from proxx.protocols.hub.request import HostedConfig, OutputWish, ReasoningWish, ToolChoice, ToolRef, ToolSpec
from tests.protocols.anthropic.writing import assistant, body, user, write

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
LOOK = ToolSpec("function", "look", "openai_chat", description="Looks.", schema=SCHEMA)
NOW = ToolSpec("function", "now", "openai_chat")
SEARCH = ToolSpec(
    "web_search", "web_search", "openai_responses", hosted=HostedConfig(("a.org",), ("b.org",), max_uses=2)
)
NAMED = ToolChoice("named", (ToolRef("look"),))
THINKING = ReasoningWish("high")


def noted(losses: Losses) -> list[str]:
    return [note.partition(";")[0] for note in losses.notes]


def test_functions_have_a_schema_even_if_nobody_gave_one():
    """D68."""
    look, now = body(tools=(LOOK, NOW))["tools"]
    assert look == {"name": "look", "description": "Looks.", "input_schema": SCHEMA}
    assert now == {"name": "now", "input_schema": {"type": "object", "properties": {}}}


def test_a_root_of_alternatives_becomes_an_object():
    """D69."""
    schema = {"anyOf": [SCHEMA, {"type": "object", "properties": {"zip": {"type": "string"}}}]}
    (tool,) = body(tools=(ToolSpec("function", "look", "openai_chat", schema=schema),))["tools"]
    assert tool["input_schema"]["type"] == "object"
    assert set(tool["input_schema"]["properties"]) == {"city", "zip"}


def test_strictness_stays_where_the_schema_and_the_model_allow_it():
    """D66."""
    strict = ToolSpec("function", "look", "openai_chat", schema=SCHEMA, strict=True)
    assert body(tools=(strict,))["tools"][0]["strict"] is True
    losses = Losses()
    assert "strict" not in body("claude-opus-4-20250514", losses, tools=(strict,))["tools"][0]
    loose = ToolSpec("function", "look", "openai_chat", schema={"type": "object"}, strict=True)
    assert "strict" not in body(losses=losses, tools=(loose,))["tools"][0]
    assert noted(losses) == ["tools[].strict"]


def test_names_are_made_to_fit_everywhere_and_restored():
    """D70, D167."""
    odd = ToolSpec("function", "my.look/up", "openai_chat", namespace="mcp")
    call = ToolCall("t", "my.look/up", "{}", namespace="mcp")
    choice = ToolChoice("named", (ToolRef("my.look/up", "mcp"),))
    turns = (user("Go"), assistant(call), user(ToolResult("t", (Text("ok"),))))
    written = write(tools=(odd,), turns=turns, tool_choice=choice)
    told = body(tools=(odd,), turns=turns, tool_choice=choice)
    name = told["tools"][0]["name"]
    assert name == told["messages"][1]["content"][0]["name"] == told["tool_choice"]["name"]
    events = [Started(), PartOpened(0, "call", 0, "t", name), PartClosed(0), Finished("tool_calls"), Ended()]
    (restored,) = fold(written.mends[-1](events)).choices[0].parts
    assert isinstance(restored, ToolCall)
    assert (restored.namespace, restored.name) == ("mcp", "my.look/up")


@pytest.mark.parametrize(
    ("choice", "parallel", "said"),
    [
        (None, None, None),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("required"), True, {"type": "any"}),
        (NAMED, False, {"type": "tool", "name": "look", "disable_parallel_tool_use": True}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
    ],
)
def test_choices(choice: ToolChoice | None, parallel: bool | None, said: dict[str, Any] | None):
    """D76."""
    assert body(tools=(LOOK, NOW), tool_choice=choice, parallel=parallel).get("tool_choice") == said


def test_without_tools_there_is_no_choice():
    """D75."""
    assert "tool_choice" not in body(tool_choice=ToolChoice("auto"), parallel=False)


def test_of_allowed_tools_only_those_are_sent():
    """D73."""
    losses = Losses()
    told = body(losses=losses, tools=(LOOK, NOW), tool_choice=ToolChoice("subset", (ToolRef("now"),), must=True))
    assert ([tool["name"] for tool in told["tools"]], told["tool_choice"]) == (["now"], {"type": "any"})
    assert noted(losses) == ["tool_choice.allowed_tools"]


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-5-5"])
def test_thinking_wins_over_a_forced_call(model: str):
    """D74."""
    losses = Losses()
    named = body(model, losses, tools=(LOOK, NOW), tool_choice=NAMED, reasoning=THINKING)
    assert ([tool["name"] for tool in named["tools"]], named["tool_choice"]) == (["look"], {"type": "auto"})
    assert noted(losses) == ["tool_choice"]


def test_models_that_think_as_they_like_may_be_forced():
    """D74."""
    told = body("claude-opus-4-8", tools=(LOOK, NOW), tool_choice=ToolChoice("required"), reasoning=THINKING)
    assert (told["thinking"]["type"], told["tool_choice"]) == ("adaptive", {"type": "any"})


def test_a_choice_of_a_tool_that_is_not_there_is_refused():
    with pytest.raises(Inexpressible):
        body(tools=(NOW,), tool_choice=NAMED)


@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-3-5-haiku-latest"])
def test_a_declaration_without_a_name_stays_its_vendors_business(model: str):
    toolset = ToolSpec("mcp_toolset", "", "anthropic", raw={"type": "mcp_toolset", "mcp_server_name": "s"})
    form = OutputWish("schema", name="answer", schema={"type": "object"})
    told = body(model, tools=(toolset, NOW), tool_choice=ToolChoice("named", (ToolRef(NOW.name),)), output=form)
    assert told["tools"][0] == {"type": "mcp_toolset", "mcp_server_name": "s"}
    with pytest.raises(Inexpressible):
        body(model, tools=(toolset,), tool_choice=NAMED)


def test_freeform_tools_are_wrapped_in_declaration_and_history():
    """D166, D172."""
    patch = ToolSpec("custom", "apply_patch", "openai_responses", grammar={"syntax": "lark", "definition": "start: x"})
    shell = ToolSpec("local_shell", "local_shell", "openai_responses")
    call = ToolCall("t", "apply_patch", "*** Begin", kind="custom")
    turns = (user("Go"), assistant(call), user(ToolResult("t", (Text("ok"),), kind="custom")))
    told = body(tools=(patch, shell), turns=turns)
    assert [tool["name"] for tool in told["tools"]] == ["apply_patch", "local_shell"]
    assert told["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    events = [Started(), PartOpened(0, "call", 0, "t", "apply_patch"), PartClosed(0), Finished("tool_calls"), Ended()]
    (part,) = fold(write(tools=(patch, shell)).mends[0](events)).choices[0].parts
    assert isinstance(part, ToolCall)
    assert part.kind == "custom"


def test_deferred_tools_are_all_given_and_the_search_for_them_is_not():
    deferred = ToolSpec("function", "rare", "openai_responses", deferred=True)
    finder = ToolSpec("tool_search", "tool_search", "openai_responses")
    assert [tool["name"] for tool in body(tools=(finder, LOOK, deferred))["tools"]] == ["look", "rare"]


def test_a_search_is_anthropics_own_with_what_it_can_be_told():
    """D169."""
    losses = Losses()
    (tool,) = body(losses=losses, tools=(SEARCH,), tool_choice=ToolChoice("named", (ToolRef("web_search"),)))["tools"]
    assert (tool["type"], tool["max_uses"], tool["allowed_domains"]) == ("web_search_20250305", 2, ["a.org"])
    assert "blocked_domains" not in tool
    assert noted(losses) == ["tools[web_search].blocked_domains"]


def test_a_tool_that_nobody_here_can_run_is_dropped_or_refused():
    """D169."""
    interpreter = ToolSpec("hosted", "code_interpreter", "openai_responses", raw={"type": "code_interpreter"})
    losses = Losses()
    assert [tool["name"] for tool in body(losses=losses, tools=(interpreter, LOOK))["tools"]] == ["look"]
    assert noted(losses) == ["tools[code_interpreter]"]
    with pytest.raises(Inexpressible):
        body(tools=(interpreter,))
    with pytest.raises(Inexpressible):
        body("glm-4.6", tools=(SEARCH,))


def test_anthropics_own_declarations_go_as_they_came():
    raw = {"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral"}}
    bash = ToolSpec("function", "bash", "anthropic", schema={"type": "object"}, cache=CacheMark("1h"), raw=raw)
    (tool,) = body(tools=(bash,))["tools"]
    assert tool == {"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral", "ttl": "1h"}}


def test_calls_of_tools_that_are_gone_keep_their_declaration():
    """D29."""
    turns = (user("Go"), assistant(ToolCall("t", "gone", "{}")), user(ToolResult("t", (Text("ok"),))))
    told = body(turns=turns)
    assert ([tool["name"] for tool in told["tools"]], told["tool_choice"]) == (["gone"], {"type": "none"})
    assert [tool["name"] for tool in body(turns=turns, tools=(LOOK,))["tools"]] == ["look"]


def test_of_tools_with_one_name_the_first_counts():
    """D72."""
    other = ToolSpec("function", "look", "openai_chat", description="Other.")
    assert [tool["description"] for tool in body(tools=(LOOK, other))["tools"]] == ["Looks."]
