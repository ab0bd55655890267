"""Event streams of Responses upstreams, read into events."""

import pytest

from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Broken,
    Cited,
    Ended,
    Failed,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Blob, Compaction, Hosted, Opaque
from proxx.protocols.hub.reply import fold
from tests.protocols.openai_responses.streams import about, created, ended, read, said, sse

PART = {"type": "output_text", "text": "", "annotations": []}
TEXT = (
    about("output_item.added", item={"type": "message", "id": "msg_1", "content": [], "phase": "commentary"}),
    about("content_part.added", item_id="msg_1", content_index=0, part=PART),
    about("output_text.delta", item_id="msg_1", content_index=0, delta="Hel"),
    about("output_text.delta", item_id="msg_1", content_index=0, delta="lo"),
    about("output_text.done", item_id="msg_1", content_index=0, text="Hello"),
    about("content_part.done", item_id="msg_1", content_index=0, part={**PART, "text": "Hello"}),
    about("output_item.done", item=said("Hello", phase="commentary")),
)
THOUGHT = (
    about("output_item.added", item={"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "early"}),
    about("reasoning_summary_part.added", summary_index=0, part={"type": "summary_text", "text": ""}),
    about("reasoning_summary_text.delta", summary_index=0, delta="hm"),
    about("reasoning_summary_text.done", summary_index=0, text="hm"),
    about("reasoning_summary_text.delta", summary_index=1, delta="so"),
    about(
        "output_item.done",
        item={
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}, {"type": "summary_text", "text": "so"}],
            "encrypted_content": "E",
        },
    ),
)
CALLED = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "namespace": "n", "arguments": '{"a":1}'}
CALL = (
    about("output_item.added", item=CALLED | {"arguments": ""}),
    about("function_call_arguments.delta", item_id="fc_1", delta='{"a"'),
    about("function_call_arguments.delta", item_id="fc_1", delta=":1}"),
    about("function_call_arguments.done", item_id="fc_1", arguments='{"a":1}', name="f"),
    about("output_item.done", item=CALLED),
)


def test_a_text_is_read_with_its_ids_phase_and_usage() -> None:
    assert read(sse(created(), *TEXT, ended(output=[said("Hello")]))) == [
        Started("resp_1", "gpt-5", 7),
        PartOpened(0, "text", item_id="msg_1", phase="commentary"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartClosed(0),
        Finished("stop", raw="completed"),
        UsageReported(Usage(9, 5, 4, 1, 2)),
        Ended(),
    ]


def test_reasoning_keeps_its_summary_and_its_last_seal() -> None:
    events = read(sse(created(), *THOUGHT, ended()))
    assert events[1:7] == [
        PartOpened(0, "reasoning", item_id="rs_1"),
        SummaryDelta(0, 0, "hm"),
        SummaryDelta(0, 1, "so"),
        BlobGiven(0, Blob("encrypted", "E", "openai_responses", "gpt", "rs_1")),
        PartClosed(0),
        Finished("stop", raw="completed"),
    ]


def test_raw_thoughts_of_open_models_are_thinking() -> None:
    thinking = about("reasoning_text.delta", content_index=0, delta="hm")
    added = about("output_item.added", item={"type": "reasoning", "id": "rs_1"})
    done = about("output_item.done", item={"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm!"}]})
    assert read(sse(created(), added, thinking, done, ended()))[1:4] == [
        PartOpened(0, "reasoning", item_id="rs_1"),
        ReasoningDelta(0, "hm"),
        ReasoningDelta(0, "!"),
    ]


def test_a_call_is_read_as_it_comes_and_ends_the_reply_with_it() -> None:
    assert read(sse(created(), *CALL, ended()))[1:6] == [
        PartOpened(0, "call", id="c1", name="f", namespace="n", item_id="fc_1"),
        ArgsDelta(0, '{"a"'),
        ArgsDelta(0, ":1}"),
        PartClosed(0),
        Finished("tool_calls", raw="completed"),
    ]


@pytest.mark.parametrize("kept", [(0, 3, 4), (0, 4), (4,), (0, 1, 4), (1, 2, 4)])
def test_arguments_are_whole_whichever_rungs_are_missing(kept: tuple[int, ...]) -> None:
    """D7."""
    reply = fold(read(sse(created(), *(CALL[place] for place in kept), ended())))
    assert [(part.id, part.name, part.args) for part in reply.choices[0].parts] == [("c1", "f", '{"a":1}')]


@pytest.mark.parametrize("kept", [(0, 4, 6), (0, 5), (0, 6), (6,), (2, 3), (0, 2, 6), ()])
def test_text_is_whole_whichever_rungs_are_missing(kept: tuple[int, ...]) -> None:
    """D7, D164, D165."""
    output = [said("Hello")] if 6 not in kept else []
    reply = fold(read(sse(created(), *(TEXT[place] for place in kept), ended(output=output))))
    assert [part.text for part in reply.choices[0].parts] == ["Hello"]


def test_what_a_done_event_says_otherwise_is_not_said_again() -> None:
    other = about("output_text.done", content_index=0, text="Something else")
    reply = fold(read(sse(created(), *TEXT[:4], other, ended())))
    assert reply.choices[0].parts[0].text == "Hello"


def test_items_are_known_by_their_place_and_may_interleave() -> None:
    second = [{**event, "output_index": 1} for event in CALL]
    mixed = [event for pair in zip(CALL, second, strict=True) for event in pair]
    mixed[1] = about("output_item.added", 1, item=CALLED | {"arguments": "", "call_id": "c2"})
    reply = fold(read(sse(created(), *mixed, ended())))
    assert [(part.id, part.args) for part in reply.choices[0].parts] == [("c1", '{"a":1}'), ("c2", '{"a":1}')]


def test_events_without_places_or_with_changing_ids_belong_to_the_last_item() -> None:
    """D164."""
    bare = [{name: value for name, value in event.items() if name != "output_index"} for event in (*TEXT, *CALL)]
    for number, event in enumerate(bare):
        event["item_id"] = f"changing_{number}"
    reply = fold(read(sse(created(), *bare, ended())))
    assert [type(part).__name__ for part in reply.choices[0].parts] == ["Text", "ToolCall"]


def test_events_that_name_only_their_item_find_it() -> None:
    """D164."""
    second = about("output_item.added", 1, item=CALLED | {"id": "fc_2", "call_id": "c2", "arguments": ""})
    deltas = [
        {"type": "response.function_call_arguments.delta", "item_id": id, "delta": delta}
        for id, delta in (("fc_1", "{"), ("fc_2", "["), ("fc_1", "}"), ("fc_2", "]"))
    ]
    reply = fold(read(sse(created(), CALL[0], second, *deltas, ended())))
    assert [part.args for part in reply.choices[0].parts] == ["{}", "[]"]


def test_a_name_that_comes_later_holds_the_call_until_then() -> None:
    """D4."""
    nameless = about("output_item.added", item={"type": "function_call", "id": "fc_1"})
    events = read(sse(created(), nameless, *CALL[1:3]))
    assert events == [Started("resp_1", "gpt-5", 7)]
    assert fold(read(sse(created(), nameless, *CALL[1:], ended()))).choices[0].parts[0].args == '{"a":1}'


def test_custom_calls_and_actions_are_calls_of_their_kind() -> None:
    """D172."""
    custom = {"type": "custom_tool_call", "call_id": "c1", "name": "p", "input": "*** Begin"}
    shell = {"type": "local_shell_call", "call_id": "c2", "action": {"type": "exec", "command": ["ls"]}}
    events = (
        about("output_item.added", item=custom | {"input": ""}),
        about("custom_tool_call_input.delta", delta="*** Be"),
        about("custom_tool_call_input.done", input="*** Begin"),
        about("output_item.done", item=custom),
        about("output_item.added", 1, item=shell),
        about("output_item.done", 1, item=shell),
    )
    parts = fold(read(sse(created(), *events, ended()))).choices[0].parts
    assert [(part.kind, part.name, part.args) for part in parts] == [
        ("custom", "p", "*** Begin"),
        ("local_shell", "local_shell", '{"type": "exec", "command": ["ls"]}'),
    ]


def test_a_call_id_that_is_too_long_is_shortened() -> None:
    """D16."""
    done = about("output_item.done", item=CALLED | {"call_id": "x" * 90})
    assert len(fold(read(sse(created(), done, ended()))).choices[0].parts[0].id) <= 64


def test_sources_and_probabilities_are_told_once() -> None:
    note = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2}
    scores = [{"token": "Hel", "logprob": -0.1}]
    part = {**PART, "text": "Hel", "annotations": [note], "logprobs": scores}
    done = said("Hel", content=[part])
    stream = sse(
        created(),
        about("output_text.delta", content_index=0, delta="Hel", logprobs=scores),
        about("output_text.annotation.added", content_index=0, annotation_index=0, annotation=note),
        about("content_part.done", content_index=0, part=part),
        about("output_item.done", item=done),
        ended(output=[done]),
    )
    events = read(stream)
    assert [event.citation.url for event in events if isinstance(event, Cited)] == ["https://a"]
    assert [event.tokens for event in events if isinstance(event, LogprobsGiven)] == [tuple(scores)]


def test_hosted_work_compactions_and_unknown_items_come_entire() -> None:
    items = (
        {"type": "web_search_call", "id": "ws_1", "action": {"query": "q"}},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "E"},
        {"type": "odd", "content": 5},
    )
    done = [about("output_item.done", place, item=item) for place, item in enumerate(items)]
    events = read(sse(created(), *done, ended()))
    parts = fold(events).choices[0].parts
    assert [type(part) for part in parts] == [Hosted, Compaction, Opaque]
    assert next(event.usage.web_searches for event in events if isinstance(event, UsageReported)) == 1


@pytest.mark.parametrize(
    ("last", "finish"),
    [
        (ended("incomplete", incomplete_details={"reason": "max_output_tokens"}), "length"),
        (ended("incomplete", incomplete_details={"reason": "content_filter"}), "content_filter"),
        (ended("incomplete", incomplete_details=None), "other"),
    ],
)
def test_an_incomplete_answer_says_why(last: dict[str, object], finish: str) -> None:
    """D58."""
    assert [event.reason for event in read(sse(created(), *CALL, last)) if isinstance(event, Finished)] == [finish]


def test_a_refusal_ends_as_one() -> None:
    part = {"type": "refusal", "refusal": "I cannot"}
    stream = sse(
        created(),
        about("refusal.delta", content_index=0, delta="I can"),
        about("refusal.done", content_index=0, refusal="I cannot"),
        about("content_part.done", content_index=0, part=part),
        ended(),
    )
    events = read(stream)
    assert events[1:5] == [PartOpened(0, "refusal"), TextDelta(0, "I can"), TextDelta(0, "not"), PartClosed(0)]
    assert events[5] == Finished("refusal", raw="completed")


@pytest.mark.parametrize(
    ("last", "error"),
    [
        (ended("failed", error={"code": "rate_limit_exceeded", "message": "m"}), ("rate_limit_exceeded", "m")),
        ({"type": "error", "code": "c", "message": "m", "param": None}, ("c", "m")),
        ({"type": "error", "error": {"code": "c", "message": "m"}}, ("c", "m")),
        ({**ended("failed", error={"code": "c", "message": "m"}), "type": "response.completed"}, ("c", "m")),
    ],
)
def test_a_failure_is_told_in_the_providers_words(last: dict[str, object], error: tuple[str, str]) -> None:
    told = read(sse(created(), *TEXT[:3], last))[-1]
    assert isinstance(told, Failed)
    assert (told.error["code"], told.error["message"]) == error


def test_the_end_is_the_last_event_and_nothing_after_it_counts() -> None:
    """D61, D147."""
    stream = sse(created(), *TEXT, ended())
    assert read(stream + b"data: [DONE]\n\n" + sse(*CALL)) == read(stream)
    assert not any(isinstance(event, Finished | Ended) for event in read(sse(created(), *TEXT)))


def test_unknown_events_are_passed_over_and_nonsense_is_not() -> None:
    odd = ({"type": "codex.rate_limits", "delta": {"a": 1}}, {"type": "keepalive"})
    assert read(sse(created(), odd[0], *TEXT, odd[1], ended())) == read(sse(created(), *TEXT, ended()))
    for nonsense in (
        b"data: {]\n\n",
        b"<html>\n\n",
        b'data: {"choices":[]}\n\n',
        b'data: {"type":"response.completed"}\n\n',
    ):
        assert isinstance(read(sse(created()) + nonsense)[-1], Broken)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_cut_any_line_end_and_missing_event_lines_read_the_same(named: bool, end: str) -> None:
    """D131, D132, D134."""
    events = (created(), *THOUGHT, *({**event, "output_index": 1} for event in TEXT), ended())
    stream = b": hello" + end.encode() * 2 + sse(*events, named=named, end=end)
    expected = read(sse(*events))
    assert read(stream, [bytes([byte]) for byte in stream]) == expected
    assert read(stream) == expected
    assert read(stream.rstrip(b"\r\n")) == expected
