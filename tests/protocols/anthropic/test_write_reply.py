"""Replies as clients of the Messages dialect get them."""

import json
from typing import Any

import pytest

from proxx.protocols.anthropic.write_reply import stream_writer, write_error, write_stream_error, write_whole
from proxx.protocols.hub.blobs import unwrap, wrap
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Ended,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Blob, Citation, Hosted, Part, Reasoning, Refusal, SearchHit, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, unfold
from tests.protocols.anthropic.samples import OCCASION, collected, told

THOUGHT = Blob("thought", "sig", "gemini", "gemini")
ENCRYPTED = Blob("encrypted", "enc", "openai_responses", "gpt", "rs_1")


STOPPED = Finished("stop", raw="x")


def reply_of(*parts: Part, finish: Finished = STOPPED, usage: Usage | None = None) -> Reply:
    return Reply((Choice(parts, finish),), "up", "m", 1, usage)


def both(*parts: Part, **about: Any) -> dict[str, Any]:
    """Return the message, having made sure that stream and whole agree on it."""
    reply = reply_of(*parts, **about)
    message = json.loads(write_whole(reply, OCCASION))
    assert collected(stream_writer(OCCASION).write(unfold(reply))) == message
    return message


def written(*events: Event) -> list[tuple[str, dict[str, Any]]]:
    return told(stream_writer(OCCASION).write([Started(), *events]))


def test_the_grammar_of_a_stream():
    parts = [PartOpened(0, "text"), TextDelta(0, 'H"i'), TextDelta(0, "ü\u2028"), PartClosed(0)]
    events = written(*parts, Finished("stop"), UsageReported(Usage(9, 2)), Ended())
    names = ["message_start", "content_block_start", *["content_block_delta"] * 2, "content_block_stop"]
    assert [name for name, _ in events] == [*names, "message_delta", "message_stop"]
    assert [event["index"] for _, event in events[1:5]] == [0, 0, 0, 0]
    assert [event["delta"]["text"] for _, event in events[2:4]] == ['H"i', "ü\u2028"]
    assert events[0][1]["message"]["model"] == "shown"


def test_usage_is_an_estimate_first_and_the_truth_last():
    """D117, D121."""
    usage = Usage(100, 20, cache_read=30, cache_write=15, reasoning=5, cache_write_1h=5)
    events = written(Finished("stop"), UsageReported(usage), Ended())
    first, last = events[0][1]["message"]["usage"], events[-2][1]["usage"]
    assert (first["input_tokens"], first["cache_read_input_tokens"], first["output_tokens"]) == (42, 0, 0)
    assert last == {
        "input_tokens": 55,
        "cache_creation_input_tokens": 15,
        "cache_read_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 5},
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
    }


def test_a_reply_of_many_parts_is_the_same_whole_and_streamed():
    """D87."""
    own = Blob("signature", "s1", "anthropic", "claude")
    parts = (Reasoning("a", blob=own), Text("b"), Reasoning("c", blob=own), ToolCall("t1", "n", '{"x":1.50}'))
    message = both(*parts, finish=Finished("tool_calls"), usage=Usage(5, 6))
    assert [block["type"] for block in message["content"]] == ["thinking", "text", "thinking", "tool_use"]
    assert message["content"][0]["signature"] == "s1"
    assert message["stop_reason"] == "tool_use"


def test_foreign_blobs_are_wrapped_and_thinking_without_one_is_marked():
    """D83."""
    foreign, plain = both(Reasoning("", ("one", "two"), ENCRYPTED), Reasoning("three"))["content"]
    assert foreign["thinking"] == "one\n\ntwo"
    assert unwrap(foreign["signature"]) == ENCRYPTED
    assert plain["signature"].startswith("gw1.")


def test_thinking_of_a_blob_alone_is_a_block_without_text():
    """D82."""
    (block,) = both(Reasoning(blob=ENCRYPTED))["content"]
    assert (block["type"], block["thinking"], block["signature"]) == ("thinking", "", wrap(ENCRYPTED))
    (block,) = both(Reasoning(blob=Blob("redacted", "zz", "anthropic", "claude")))["content"]
    assert block == {"type": "redacted_thinking", "data": "zz"}
    assert both(Reasoning())["content"] == []


def test_the_blob_of_a_call_goes_before_it():
    """D88."""
    before, call = both(ToolCall("t1", "n", "{}", blob=THOUGHT))["content"]
    assert (before["type"], before["thinking"], unwrap(before["signature"])) == ("thinking", "", THOUGHT)
    assert call == {"type": "tool_use", "id": "t1", "name": "n", "input": {}}


def test_signatures_come_last_in_their_block():
    """D81."""
    events = written(PartOpened(0, "reasoning"), BlobGiven(0, ENCRYPTED), ReasoningDelta(0, "hm"), PartClosed(0))
    kinds = [event["delta"]["type"] for name, event in events if name == "content_block_delta"]
    assert kinds == ["thinking_delta", "signature_delta"]


def test_calls_in_turns_become_blocks_one_after_another():
    """D1, D9."""
    opened = [PartOpened(part, "call", 0, f"t{part}", "n") for part in (0, 1)]
    deltas = [ArgsDelta(0, '{"a"'), ArgsDelta(1, '{"b"'), ArgsDelta(0, ":1}"), ArgsDelta(1, ":2}")]
    closed = [PartClosed(0), PartClosed(1), Finished("tool_calls"), Ended()]
    writer = stream_writer(OCCASION)
    stream = b"".join(writer.write([event]) for event in [Started(), *opened, *deltas, *closed])
    assert [block["input"] for block in collected(stream)["content"]] == [{"a": 1}, {"b": 2}]


def test_empty_texts_make_no_blocks_and_refusals_are_text():
    """D35."""
    assert both(Text(""), Refusal("No."), Text(""))["content"] == [{"type": "text", "text": "No."}]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("context_window", "model_context_window_exceeded"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
        ("pause", "pause_turn"),
        ("other", "end_turn"),
    ],
)
def test_every_reason_has_its_word(reason: str, said: str):
    """D55, D57."""
    assert both(Text("a"), finish=Finished(reason))["stop_reason"] == said


def test_stop_sequences_and_refusals_say_more():
    """D56."""
    message = both(Text("a"), finish=Finished("stop_sequence", stop_sequence="END"))
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "END")
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    assert both(finish=Finished("refusal", details=details))["stop_details"] == details
    assert both(finish=Finished("content_filter"))["stop_details"]["type"] == "refusal"


@pytest.mark.parametrize("reason", ["malformed_call", "error", "other"])
def test_an_ending_that_is_no_answer_is_an_error(reason: str):
    """D53, D62."""
    events = written(Finished(reason), Ended())
    assert [name for name, _ in events] == ["message_start", "error"]
    assert write_whole(reply_of(finish=Finished(reason)), OCCASION) == b""


def test_a_foreign_search_is_told_with_findings_sources_and_its_count():
    """D169."""
    search = Hosted("web_search", "ws_1", "weather", (SearchHit("https://a.org", "A"),), dialect="openai_responses")
    text = Text("Rain.", (Citation("https://a.org", "A", 0, 5),))
    message = both(search, text)
    use, result, answer = message["content"]
    assert use["input"] == {"query": "weather"}
    assert result["tool_use_id"] == use["id"]
    assert result["content"][0]["url"] == "https://a.org"
    assert answer["citations"][0]["url"] == "https://a.org"
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


def test_sources_without_a_search_have_no_shape_here_but_anthropics_own_do():
    raw = {"type": "char_location", "cited_text": "w", "document_index": 0}
    assert "citations" not in both(Text("a", (Citation("https://a.org"),)))["content"][0]
    assert both(Text("a", (Citation("", raw=raw, dialect="anthropic"),)))["content"][0]["citations"] == [raw]


def test_a_summary_in_pieces_is_one_thinking():
    deltas = [SummaryDelta(0, 0, "a"), SummaryDelta(0, 0, "b"), SummaryDelta(0, 1, "c"), ReasoningDelta(0, "raw")]
    events = written(PartOpened(0, "reasoning"), *deltas, PartClosed(0))
    said = [event["delta"].get("thinking", "") for name, event in events if name == "content_block_delta"]
    assert "".join(said) == "ab\n\nc"


def test_further_choices_are_not_told():
    events = [PartOpened(0, "text"), PartOpened(1, "text", 1), TextDelta(1, "B"), TextDelta(0, "A")]
    ends = [PartClosed(0), PartClosed(1), Finished("stop", 1), Finished("length", 0), Ended()]
    message = collected(stream_writer(OCCASION).write([Started(), *events, *ends]))
    assert (message["content"], message["stop_reason"]) == ([{"type": "text", "text": "A"}], "max_tokens")


def test_an_error_may_be_the_first_thing_and_is_the_last():
    """D150."""
    writer = stream_writer(OCCASION)
    ((name, data),) = told(writer.fail(ErrorFacts("rate_limit", "Slow down.")))
    assert (name, data["error"]) == ("error", {"type": "rate_limit_error", "message": "Slow down."})
    assert writer.write([Started(), PartOpened(0, "text"), TextDelta(0, "a")]) == b""


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            "prompt is too long: 9001 tokens > 8192 maximum",
        ),
        (
            "maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in"
            " the completion).",
            "input length and `max_tokens` exceed context limit: 8000 + 1000 > 8192, decrease input length or"
            " `max_tokens` and try again",
        ),
        (
            "maximum context length is 8192 tokens. However, you requested 9990 tokens (8990 in the messages, 1000 in"
            " the completion).",
            "prompt is too long: 8990 tokens > 8192 maximum",
        ),
        (
            "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has"
            " 1000 input tokens (5000 > 4096 - 1000).",
            "input length and `max_tokens` exceed context limit: 1000 + 5000 > 4096, decrease input length or"
            " `max_tokens` and try again",
        ),
        (
            "The input token count (1,048,577) exceeds the maximum number of tokens allowed (1,048,576).",
            "prompt is too long: 1048577 tokens > 1048576 maximum",
        ),
        ("Input of claude-20250101 is too big.", "prompt is too long: Input of claude-20250101 is too big."),
    ],
)
def test_an_overflow_is_said_in_words_that_claude_code_knows(message: str, said: str):
    """D152."""
    body = json.loads(write_error(ErrorFacts("context_length", message)))
    assert body == {"type": "error", "error": {"type": "invalid_request_error", "message": said}}


def test_errors_have_their_types():
    """D155, D160."""
    kinds = {"auth": "authentication_error", "overloaded": "overloaded_error", "too_large": "request_too_large"}
    for kind, type_ in kinds.items():
        assert json.loads(write_error(ErrorFacts(kind, "m")))["error"]["type"] == type_
    ((name, data),) = told(write_stream_error(ErrorFacts("internal", "m")))
    assert (name, data["type"], data["error"]["type"]) == ("error", "error", "api_error")
