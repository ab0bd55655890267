"""Messages replies, read into events and whole replies."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.anthropic.read_reply import read_whole, stream_reader
from proxx.protocols.hub.events import Broken, Ended, Event, Failed, Started, Usage
from proxx.protocols.hub.parts import Blob, Citation, Compaction, Hosted, Opaque, Reasoning, SearchHit, Text, ToolCall
from proxx.protocols.hub.reply import Reply, fold
from tests.protocols.anthropic.samples import EVERYTHING, SEARCH, block, call, end, frame, start, target, text, thinking

SIGNED = Blob("signature", "sig", "anthropic", "claude")
PARTS = (
    Reasoning("Let me see: ü€😀", blob=SIGNED),
    Text("I will look."),
    Hosted("web_search", "srvtoolu_1", "weather", (SearchHit("https://a.org", "A"),), "completed", SEARCH, "anthropic"),
    Reasoning(blob=Blob("redacted", "zzz", "anthropic", "claude")),
    ToolCall("toolu_1", "look", '{"city": "Graz"}'),
    ToolCall("toolu_2", "now", "{}"),
)


def events(stream: bytes, size: int = 0) -> list[Event]:
    reader = stream_reader(target(), "call")
    size = size or len(stream)
    told = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    return told + reader.close()


def read(*frames: bytes) -> Reply:
    return fold(events(b"".join(frames)))


def whole(**message: Any) -> Reply:
    body = {"id": "msg_up", "model": "claude-up", "stop_reason": "end_turn", "content": [], **message}
    return read_whole(json.dumps(body).encode(), target(), "call")


def test_everything_a_stream_can_say():
    """D5, D6, D81, D87."""
    reply = fold(events(EVERYTHING))
    assert (reply.id, reply.model) == ("msg_up", "claude-up")
    assert reply.choices[0].parts == PARTS
    assert reply.choices[0].finish.reason == "tool_calls"
    assert reply.usage == Usage(17, 30, cache_read=3, cache_write=4)


@given(st.integers(1, 60), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.booleans())
def test_neither_cuts_nor_line_ends_nor_comments_change_a_reply(size: int, line_end: bytes, comments: bool):
    """D130, D131."""
    stream = EVERYTHING.replace(b"\n\n", b"\n\n: still here\n\n") if comments else EVERYTHING
    assert fold(events(stream.replace(b"\n", line_end), size)) == fold(events(EVERYTHING))


def test_a_whole_message_says_the_same_as_its_stream():
    use, result = SEARCH
    content = [
        {"type": "thinking", "thinking": "Let me see: ü€😀", "signature": "sig"},
        {"type": "text", "text": "I will look."},
        *(use, result),
        {"type": "redacted_thinking", "data": "zzz"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"city": "Graz"}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ]
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 4, "cache_read_input_tokens": 3, "output_tokens": 30}
    assert whole(content=content, stop_reason="tool_use", usage=usage) == read(EVERYTHING)


def test_arguments_come_from_deltas_or_else_from_the_start():
    """D6, D9."""
    begun = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    reply = read(start(), block(0, begun), call(1, "u", "n", '{"b"', ":2}"), end("tool_use"))
    assert [part.args for part in reply.choices[0].parts if isinstance(part, ToolCall)] == ['{"a": 1}', '{"b":2}']
    assert reply.choices[0].finish.reason == "tool_calls"


def test_thinking_without_text_keeps_its_signature():
    """D82."""
    assert read(start(), thinking(0, "sig"), end()).choices[0].parts == (Reasoning(blob=SIGNED),)


def test_thinking_said_twice_is_told_once():
    """D101."""
    once = "I think about the weather."
    assert read(start(), thinking(0, "sig", once, once), end()).choices[0].parts == (Reasoning(once, blob=SIGNED),)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_window"),
        ("something_new", "stop"),
    ],
)
def test_every_reason_to_stop(said: str, reason: str):
    """D55, D57."""
    for reply in (
        read(start(), text(0, "a"), end(said)),
        whole(stop_reason=said, content=[{"type": "text", "text": "a"}]),
    ):
        assert (reply.choices[0].finish.reason, reply.choices[0].finish.raw) == (reason, said)


def test_a_turn_that_ends_with_a_call_ends_for_it():
    """D51."""
    assert read(start(), call(0, "t", "n", "{}"), end("end_turn")).choices[0].finish.reason == "tool_calls"
    assert read(start(), call(0, "t", "n", "{}"), end("max_tokens")).choices[0].finish.reason == "length"


def test_nothing_is_read_after_the_end():
    """D147."""
    assert events(EVERYTHING + text(7, "late") + end()) == events(EVERYTHING)


def test_a_stop_sequence_and_a_refusal_say_more():
    """D56."""
    finish = read(start(), text(0, "a"), end("stop_sequence", stop_sequence="END")).choices[0].finish
    assert (finish.reason, finish.stop_sequence) == ("stop_sequence", "END")
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    finish = read(start(), end("refusal", stop_details=details)).choices[0].finish
    assert (finish.reason, finish.details) == ("refusal", details)


def test_an_end_without_reason_and_content_is_no_stop():
    """D62."""
    assert whole(stop_reason=None).choices[0].finish.reason == "other"


def test_sources_of_a_text_come_with_its_length():
    raw = {"type": "web_search_result_location", "url": "https://a.org", "title": "A", "cited_text": "w"}
    deltas = [{"type": "citations_delta", "citation": raw}, {"type": "text_delta", "text": "abc"}]
    expected = Text("abc", (Citation("https://a.org", "A", 0, 3, "w", raw, "anthropic"),))
    assert read(start(), block(0, {"type": "text", "text": ""}, *deltas), end()).choices[0].parts == (expected,)
    assert whole(content=[{"type": "text", "text": "abc", "citations": [raw]}]).choices[0].parts == (expected,)


def test_blocks_nobody_knows_and_compactions_stay():
    deltas = [{"type": "compaction_delta", "content": "so far"}]
    stream = block(0, {"type": "hologram", "x": 1}) + block(1, {"type": "compaction", "content": None}, *deltas)
    parts = (Opaque({"type": "hologram", "x": 1}, "anthropic"), Compaction("so far"))
    assert read(start(), stream, end()).choices[0].parts == parts


def test_a_stream_without_its_end_mark_does_not_end():
    """D143."""
    told = events(start() + text(0, "a"))
    assert not any(isinstance(event, Ended) for event in told)
    last = events((EVERYTHING)[:-2])
    assert isinstance(last[-1], Ended)


def test_an_error_ends_a_stream_and_nothing_follows():
    """D147, D149."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    told = events(start() + frame("error", error=error) + text(0, "late"))
    assert [type(event) for event in told] == [Started, Failed]
    assert told[1] == Failed(error)


def test_nonsense_breaks_a_stream():
    assert isinstance(events(start() + b"event: x\ndata: {oops\n\n" + text(0, "late"))[-1], Broken)
    assert isinstance(events(frame("content_block_start", index=0, content_block={"type": "text"}))[-1], Broken)


def test_blocks_that_nobody_opened_and_missing_starts_are_forgiven():
    stream = frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"}) + end()
    reply = read(stream)
    assert reply.choices[0].parts == (Text("a"),)


def test_half_a_character_is_read_as_a_sign_of_it():
    """D49."""
    broken = frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "HALF"}).replace(
        b"HALF", b"\\ud83d"
    )
    opened = frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
    assert read(start(), opened, broken, end()).choices[0].parts == (Text("\ufffd"),)
