"""The members of a Responses body, read into a request."""

import json
from typing import Any

import pytest

from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import OutputWish, ReasoningWish, ToolChoice, ToolRef
from proxx.protocols.openai_responses.read_request import read_envelope
from tests.protocols.openai_responses.bodies import request

FUNCTION: dict[str, Any] = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def test_the_envelope_does_not_stream_unless_told_to() -> None:
    """D115."""
    assert not read_envelope(b'{"model":"m","input":"x"}').stream
    assert read_envelope(b'{"model":"m","stream":true}').stream


def test_wishes_are_read_into_the_hubs_words() -> None:
    read = request(
        max_output_tokens=9, temperature=1, top_p=0.5, parallel_tool_calls=False, prompt_cache_key="k", user="u",
        include=["message.output_text.logprobs"], store=False, service_tier="flex",
    )  # fmt: skip
    assert (read.max_output, read.parallel, read.cache.key, read.user_id) == (9, False, "k", "u")
    assert (read.sampling.temperature, read.sampling.top_p, read.sampling.logprobs) == (1.0, 0.5, True)
    assert (read.state.store, read.service_tier) == (False, "flex")


@pytest.mark.parametrize(
    ("told", "wish", "notes"),
    [
        ({"effort": "none"}, ReasoningWish("off"), []),
        ({"effort": "xhigh", "summary": "auto"}, ReasoningWish("xhigh", show="summary"), []),
        ({"effort": "odd"}, ReasoningWish("medium"), ["reasoning.effort;an unknown effort counts as medium"]),
        (None, ReasoningWish(), []),
        ({"effort": None, "summary": None}, ReasoningWish(), []),
    ],
)
def test_efforts_are_the_hubs_and_unknown_ones_are_medium(told: Any, wish: ReasoningWish, notes: list[str]) -> None:
    """D96."""
    losses = Losses()
    assert request(reasoning=told, losses=losses).reasoning == wish
    assert losses.notes == notes


def test_formats_of_answers_are_flat() -> None:
    schema = {"type": "object"}
    form = {"type": "json_schema", "name": "n", "schema": schema, "strict": True}
    assert request(text={"format": form, "verbosity": "low"}).output == OutputWish(
        "schema", schema, "n", "", True, "low"
    )
    assert request(text={"format": {"type": "json_object"}}).output == OutputWish("json")
    with pytest.raises(Unreadable):
        request(text={"format": {"type": "xml"}})


def test_tools_of_a_namespace_stand_for_it_and_the_first_of_a_name_counts() -> None:
    """D167, D72."""
    group = {"type": "namespace", "name": "mcp__x", "description": "D", "tools": [FUNCTION, {**FUNCTION, "name": "g"}]}
    read = request(
        {"type": "additional_tools", "tools": [{**FUNCTION, "description": "later"}]},
        tools=[group, FUNCTION],
    )
    assert [(tool.namespace, tool.name) for tool in read.tools] == [("mcp__x", "f"), ("mcp__x", "g"), ("", "f")]
    assert read.tools[0].raw == {**group, "tools": [FUNCTION]}
    assert read.tools[2].description == ""


def test_each_type_of_tool_has_its_kind() -> None:
    tools: list[dict[str, Any]] = [
        {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "d"}},
        {"type": "local_shell"},
        {"type": "shell"},
        {"type": "shell", "environment": {"type": "container_auto"}},
        {"type": "apply_patch"},
        {"type": "tool_search", "execution": "client", "parameters": {}},
        {"type": "web_search_preview", "filters": {"allowed_domains": ["a"]}},
        {"type": "computer_use_preview"},
        {"type": "image_generation"},
    ]
    read = [request(tools=[tool]).tools[0] for tool in tools]
    assert [tool.kind for tool in read] == [
        "custom", "local_shell", "shell", "hosted", "apply_patch", "tool_search", "web_search", "computer", "hosted",
    ]  # fmt: skip
    assert read[0].grammar == {"syntax": "lark", "definition": "d"}
    assert read[6].hosted is not None
    assert read[6].hosted.allowed_domains == ("a",)


@pytest.mark.parametrize(
    ("told", "choice"),
    [
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", (ToolRef("f"),))),
        ({"type": "web_search_preview"}, ToolChoice("named", (ToolRef("web_search"),))),
        ({"type": "shell"}, ToolChoice("named", (ToolRef("shell"),))),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("subset", (ToolRef("f"),), must=True),
        ),
        (None, None),
    ],
)
def test_the_choice_among_tools_is_read_in_all_its_forms(told: Any, choice: ToolChoice | None) -> None:
    assert request(tool_choice=told).tool_choice == choice


def test_what_nobody_else_knows_is_kept_and_noted_unless_it_has_no_effect() -> None:
    losses = Losses()
    read = request(losses=losses, client_metadata={"a": "b"}, moderation={"model": "x"}, odd=1, nothing=None)
    assert read.extras == {"client_metadata": {"a": "b"}, "moderation": {"model": "x"}, "odd": 1}
    assert losses.notes == ["moderation;unknown to other dialects", "odd;unknown to other dialects"]


def test_an_unresolved_earlier_response_is_not_found_so_that_clients_send_everything_again() -> None:
    """D162."""
    with pytest.raises(Unreadable) as caught:
        request(previous_response_id="resp_1")
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


@pytest.mark.parametrize("member", [{"conversation": "c"}, {"prompt": {"id": "p"}}, {"background": True}])
def test_what_only_its_vendor_keeps_is_refused(member: dict[str, Any]) -> None:
    """D163."""
    with pytest.raises(Inexpressible):
        request(**member)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": 5}, "input"),
        ({}, "input"),
        ({"input": "x", "max_output_tokens": 1.5}, "max_output_tokens"),
        ({"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
        ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "x", "tools": [{"type": "function", "name": "f", "parameters": 5}]}, "tools[0].parameters"),
        ({"input": "x", "tool_choice": "some"}, "tool_choice"),
        ({"input": "x", "reasoning": "high"}, "reasoning"),
    ],
)
def test_a_member_of_another_type_is_named(body: dict[str, Any], param: str) -> None:
    from proxx.protocols.openai_responses.read_request import read_request

    with pytest.raises(Unreadable) as caught:
        read_request(read_envelope(json.dumps({"model": "m"} | body).encode()), Losses())
    assert caught.value.param == param
