"""Calls in a chat upstream's stream: fragments, repetitions, gaps and forms of every server."""

import pytest

from proxx.protocols.hub.events import ArgsDelta, BlobGiven, Finished, PartClosed, PartOpened
from proxx.protocols.hub.parts import Blob, ToolCall
from proxx.protocols.hub.reply import fold
from tests.protocols.openai_chat.replying import DONE, events, fragment, glued, said, whole

END = said("tool_calls") + DONE


def calls(stream):
    return [(part.id, part.name, part.args) for part in fold(events(stream + END)).choices[0].parts]


def test_fragments_that_interleave_stay_with_their_call():
    """D1."""
    stream = fragment(0, "f", '{"a"', id="x") + fragment(1, "g", '{"b"', id="y") + fragment(2, "h", "{", id="z")
    stream += fragment(1, args=":1}") + fragment(0, args=":2}") + fragment(2, args="}")
    assert calls(stream) == [("x", "f", '{"a":2}'), ("y", "g", '{"b":1}'), ("z", "h", "{}")]


def test_a_call_that_is_complete_is_closed_when_the_next_begins():
    """D1."""
    found = events(fragment(0, "f", "{}", id="x") + fragment(1, "g", "{}", id="y") + END)
    kinds = [(type(event), event.part) for event in found if isinstance(event, PartOpened | PartClosed)]
    assert kinds == [(PartOpened, 0), (PartClosed, 0), (PartOpened, 1), (PartClosed, 1)]


def test_repeated_ids_and_names_are_said_once():
    """D3."""
    stream = fragment(0, "f", "", id="x") + fragment(0, "f", "{", id="x") + fragment(0, "f", "}", id="x")
    assert calls(stream) == [("x", "f", "{}")]


def test_another_id_at_the_same_index_is_another_call():
    """D2, D3."""
    assert calls(fragment(0, "f", "{}", id="x") + fragment(0, "f", "{}", id="y")) == [
        ("x", "f", "{}"),
        ("y", "f", "{}"),
    ]


def test_a_call_is_opened_when_id_and_name_are_whole():
    """D4."""
    stream = fragment(0, id="x") + fragment(0, "get_") + fragment(0, "time") + fragment(0, args="{}")
    found = events(stream + END)
    assert [event for event in found if isinstance(event, PartOpened)] == [
        PartOpened(0, "call", id="x", name="get_time")
    ]


def test_arguments_are_passed_on_as_they_come():
    """D9."""
    pieces = ['{"a', '":', "1", "}"]
    found = events(b"".join(fragment(0, "f" if not n else None, one, id="x") for n, one in enumerate(pieces)) + END)
    assert [event.text for event in found if isinstance(event, ArgsDelta)] == pieces


@pytest.mark.parametrize(
    "stream",
    [
        fragment(0, "f", '{"a":1}', id="x") + fragment(1, "g", '{"a":2}', id="y"),
        said(
            tool_calls=[
                {"id": i, "function": {"name": n, "arguments": a}}
                for i, n, a in (("x", "f", '{"a":1}'), ("y", "g", '{"a":2}'))
            ]
        ),
        said(tool_calls=[{"index": 0, "id": "x", "function": {"name": "f", "arguments": {"a": 1}}}])
        + said(tool_calls=[{"index": 1, "id": "y", "function": {"name": "g", "arguments": {"a": 2}}}]),
        fragment(3, "f", '{"a":1}', id="x") + fragment(7, "g", '{"a":2}', id="y"),
    ],
)
def test_whole_calls_without_index_and_arguments_as_objects_are_understood(stream):
    """D8, D10."""
    assert calls(stream) == [("x", "f", '{"a":1}'), ("y", "g", '{"a":2}')]


def test_numbers_and_order_in_arguments_stay_as_written():
    """D10, D183."""
    raw = b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":'
    args = '{"b":1.50,"a":12345678901234567890123}'
    assert calls(raw + args.encode() + b"}}]}}]}\n\n") == [("x", "f", args)]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ('"{\\"a\\":1}"', '{"a":1}'),
        ('{"name":"f","arguments":{"a":1}}', '{"a":1}'),
        ('{"name": "f", "parameters": "{}"}', "{}"),
        ('{"name":"x"}', '{"name":"x"}'),
        ('{"name":"f"}', '{"name":"f"}'),
        ('{"a', '{"a'),
        ("", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_arguments_that_were_wrapped_once_more_are_unwrapped(args, expected, size):
    """D5, D11, D12."""
    pieces = [args[at : at + size] for at in range(0, len(args), size)] or [""]
    assert calls(b"".join(fragment(0, "f", piece, id="x") for piece in pieces)) == [("x", "f", expected)]


def test_missing_ids_are_made_and_equal_ones_told_apart():
    """D14, D15."""
    stream = fragment(0, "f", "{}") + fragment(1, "f", "{}") + fragment(2, "f", "{}", id="x")
    ids = [id for id, *_ in calls(stream + fragment(3, "f", "{}", id="x"))]
    assert len(set(ids)) == 4
    assert ids[0].startswith("call_")
    assert ids[2] == "x"
    assert ids == [id for id, *_ in calls(stream + fragment(3, "f", "{}", id="x"))]


def test_custom_tools_and_the_old_form_are_calls_too():
    """D50."""
    custom = said(tool_calls=[{"index": 0, "id": "x", "type": "custom", "custom": {"name": "f", "input": "a"}}])
    more = said(tool_calls=[{"index": 0, "custom": {"input": "b"}}])
    assert fold(events(custom + more + END)).choices[0].parts == (ToolCall("x", "f", "ab", kind="custom"),)
    old = said(function_call={"name": "f", "arguments": ""}) + said(function_call={"arguments": "{}"})
    ((id, name, args),) = calls(old)
    assert (id[:5], name, args) == ("call_", "f", "{}")


def test_text_after_a_call_has_a_part_of_its_own():
    found = glued(events(said(content="a") + fragment(0, "f", "{}", id="x") + said(content="b") + END))
    assert [event.kind for event in found if isinstance(event, PartOpened)] == ["text", "call", "text"]


def test_googles_signature_stays_with_its_call():
    """D88."""
    extra = {"google": {"thought_signature": "sig"}}
    stream = said(
        tool_calls=[{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra}]
    )
    assert BlobGiven(0, Blob("thought", "sig", "gemini", "gemini")) in events(stream + END)


def test_a_call_without_a_name_is_no_answer():
    """D53."""
    found = events(fragment(0, args="{}", id="x") + END)
    assert Finished("malformed_call", 0, "tool_calls") in found


def test_a_whole_reply_says_what_its_stream_says():
    message = {
        "reasoning_content": "hm",
        "content": "a",
        "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    streamed = said(reasoning_content="hm") + said(content="a") + fragment(0, "f", "{}", id="x") + END
    assert whole(finish="tool_calls", **message) == fold(events(streamed))


@pytest.mark.parametrize(
    ("message", "reason"),
    [({"content": ""}, "stop"), ({"content": None, "refusal": "no"}, "refusal"), ({"content": "a"}, "stop")],
)
def test_a_whole_reply_without_calls_is_read(message, reason):
    """D62."""
    assert whole(**message).choices[0].finish.reason == reason
