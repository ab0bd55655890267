"""Custom tools and other tools without a schema, on upstreams that know functions only."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import ArgsDelta, Event, PartClosed, PartOpened, TextDelta
from proxx.protocols.hub.freeform import WRAPPED, UnwrapFreeform, sent_args, wrapped_args, wrapper
from proxx.protocols.hub.parts import ToolCall
from proxx.protocols.hub.request import ToolSpec


def call(pieces: Sequence[str], name: str = "apply_patch") -> list[Event]:
    return [PartOpened(0, "call", id="c1", name=name), *(ArgsDelta(0, piece) for piece in pieces), PartClosed(0)]


def said(pieces: Sequence[str]) -> str:
    mend = UnwrapFreeform({"apply_patch"})
    told = [event for one in call(pieces) for event in mend([one])]
    return "".join(event.text for event in told if isinstance(event, ArgsDelta))


def test_a_custom_tool_becomes_a_function_with_one_text_and_its_grammar_is_told() -> None:
    """D166."""
    grammar = {"syntax": "lark", "definition": "start: patch"}
    description, schema = wrapper(ToolSpec("custom", "apply_patch", "openai_responses", "", "Edit", grammar=grammar))
    assert schema == {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
        "additionalProperties": False,
    }
    assert description == (
        "Edit\n\nPut the raw text in `input`.\n\nThe text must follow this lark grammar:\n\nstart: patch"
    )


@pytest.mark.parametrize("kind", sorted(WRAPPED - {"custom"}))
def test_every_other_kind_has_a_schema_of_its_action(kind: str) -> None:
    """D172."""
    description, schema = wrapper(ToolSpec(kind, kind, "openai_responses"))
    assert description
    assert schema["type"] == "object"
    assert set(schema["required"]) <= set(schema["properties"])


def test_a_schema_of_the_clients_own_goes_before_the_usual_one() -> None:
    own = {"type": "object", "properties": {"q": {"type": "string"}}}
    assert wrapper(ToolSpec("tool_search", "tool_search", "x", schema=own, description="Find"))[1] == own


def test_earlier_calls_are_wrapped_like_new_ones_and_functions_are_left_alone() -> None:
    assert sent_args(ToolCall("c", "apply_patch", 'a "b"\né', kind="custom")) == '{"input":"a \\"b\\"\\né"}'
    assert sent_args(ToolCall("c", "f", '{"b":1.0,  "a":2}')) == '{"b":1.0,  "a":2}'


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ('{"input":"x"}', "x"),
        (' { "input" : "x" } ', "x"),
        ('{"input":"x","more":1}', "x"),
        ('{"more":1,"input":"x"}', "x"),
        ('{"patch":"x"}', "x"),
        ('{"a":"x","b":"y"}', '{"a":"x","b":"y"}'),
        ('{"a":1}', '{"a":1}'),
        ('"x\\n"', "x\n"),
        ("*** Begin Patch", "*** Begin Patch"),
        ('{"in put":"x"}', "x"),
        ('{"input":5}', '{"input":5}'),
        ("[1]", "[1]"),
        ("", ""),
        ('{"inp', '{"inp'),
        ('{"input":"cut sho', "cut sho"),
        ('{"input":"cut \\u00', "cut "),
        ('{"input":"line\nbreak"}', "line\nbreak"),
        ('{"input":"a\\xb \\u12G4"}', "a\\xb \\u12G4"),
        ('{"input":"\\ud83d\\ude00 \\ud83d! \\ud83d\\ud83d\\ude00 \\ude00"}', "😀 \ufffd! \ufffd😀 \ufffd"),
    ],
)
def test_the_text_is_found_whatever_the_model_made_of_the_wrapper(args: str, text: str) -> None:
    assert said([args]) == text
    assert said(list(args)) == text


@given(st.text(), st.booleans(), st.lists(st.integers(0, 300), max_size=6))
def test_any_text_comes_back_however_it_is_escaped_and_cut(text: str, ascii_only: bool, places: list[int]) -> None:
    args = json.dumps({"input": text}, ensure_ascii=ascii_only)
    cuts = [0, *sorted(min(place, len(args)) for place in places), len(args)]
    pieces = [args[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    assert said(pieces) == text


def test_text_is_passed_on_as_soon_as_it_is_read() -> None:
    mend = UnwrapFreeform({"apply_patch"})
    mend(call([])[:1])
    assert mend([ArgsDelta(0, '{"input":"one')]) == [ArgsDelta(0, "one")]
    assert mend([ArgsDelta(0, " two")]) == [ArgsDelta(0, " two")]
    assert mend([ArgsDelta(0, '"}')]) == []


def test_calls_get_their_declared_kind_back_and_only_custom_ones_are_decoded() -> None:
    """D166, D172."""
    mend = UnwrapFreeform({"shell": "shell", "patch": "custom"})
    shell = mend(call(['{"commands":["ls"]}'], "shell"))
    assert [event.tool_kind for event in shell if isinstance(event, PartOpened)] == ["shell"]
    assert ArgsDelta(0, '{"commands":["ls"]}') in shell
    custom = mend(call([wrapped_args("ls")], "patch"))
    assert [event.tool_kind for event in custom if isinstance(event, PartOpened)] == ["custom"]
    assert ArgsDelta(0, "ls") in custom


def test_everything_else_passes_untouched() -> None:
    events: list[Event] = [TextDelta(1, '{"input":"x"}'), *call(['{"input":"x"}'], "other")]
    assert UnwrapFreeform({"apply_patch"})(events) == events
