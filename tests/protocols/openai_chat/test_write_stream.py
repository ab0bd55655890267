"""Events, written as a chat client's stream and as its whole completion."""

import json

import pytest

from proxx.protocols.hub import blobs
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
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
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Blob, Citation, Hosted, Image, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.openai_chat.read_request import read_envelope
from proxx.protocols.openai_chat.read_request.body import read_request
from proxx.protocols.openai_chat.write_reply import ChatWriter, write_whole
from tests.protocols.openai_chat.asking import asked
from tests.protocols.openai_chat.replying import deltas, occasion, told

STARTED = Started("up", "up")


def whole(events):
    return json.loads(write_whole(fold(events), occasion()))["choices"][0]


TEXT = [PartOpened(0, "text"), TextDelta(0, "Hé"), TextDelta(0, "llo"), PartClosed(0)]
STOP = [Finished("stop"), Ended()]


def test_a_stream_has_one_id_a_role_first_and_its_end_last():
    chunks = told([STARTED, *TEXT, *STOP])
    assert {chunk["id"] for chunk in chunks[:-1]} == {"chatcmpl-" + "0" * 32}
    assert {(chunk["model"], chunk["created"], chunk["object"]) for chunk in chunks[:-1]} == {
        ("alias", 7, "chat.completion.chunk")
    }
    assert deltas(chunks) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hé"},
        {"content": "llo"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-2]] == [None, None, None, "stop"]
    assert chunks[-1] == "[DONE]"


USAGE = Usage(input_total=10, output_total=5, cache_read=4, cache_write=2, reasoning=3)


def test_usage_is_told_once_to_those_who_asked():
    """D117, D119, D120."""
    events = [STARTED, *TEXT, UsageReported(Usage(input_total=1)), UsageReported(USAGE), *STOP]
    chunks = told(events)
    assert all(chunk["usage"] is None for chunk in chunks[:-2])
    assert chunks[-2]["choices"] == []
    assert chunks[-2]["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0, "cache_write_tokens": 2},
        "completion_tokens_details": {
            "reasoning_tokens": 3,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    unasked = told(events, wants_usage=False)
    assert not any("usage" in chunk for chunk in unasked[:-1])
    assert all(chunk["choices"] for chunk in unasked[:-1])


def test_usage_that_nobody_reported_is_estimated():
    """D120."""
    usage = told([STARTED, *TEXT, *STOP], input_estimate=9)[-2]["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"] > 0) == (9, True)


CALLS = [
    PartOpened(0, "text"),
    TextDelta(0, "a"),
    PartClosed(0),
    PartOpened(1, "call", id="x", name="f"),
    PartOpened(2, "call", id="y", name="g", namespace="n"),
    ArgsDelta(1, '{"a"'),
    ArgsDelta(1, ":1}"),
    PartClosed(1),
    PartClosed(2),
    Finished("tool_calls"),
    Ended(),
]


def test_calls_are_numbered_from_zero_and_named_once():
    """D2, D3, D5."""
    calls = [delta["tool_calls"] for delta in deltas(told([STARTED, *CALLS])) if "tool_calls" in delta]
    assert calls == [
        [{"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}],
        [{"index": 1, "id": "y", "type": "function", "function": {"name": "n__g", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": '{"a"'}}],
        [{"index": 0, "function": {"arguments": ":1}"}}],
        [{"index": 1, "function": {"arguments": "{}"}}],
    ]


def test_free_form_calls_stay_free():
    """D166."""
    events = [PartOpened(0, "call", id="x", name="f", tool_kind="custom"), ArgsDelta(0, "a\n"), PartClosed(0)]
    assert deltas(told([STARTED, *events, *STOP]))[1:-1] == [
        {"tool_calls": [{"index": 0, "id": "x", "type": "custom", "custom": {"name": "f", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "a\n"}}]},
    ]


def test_who_asked_in_the_old_form_is_answered_in_it():
    """D50."""
    old = {"request": asked(old_functions=True)}
    chunks = told([STARTED, *CALLS], **old)
    assert [delta for delta in deltas(chunks) if "function_call" in delta] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a"'}},
        {"function_call": {"arguments": ":1}"}},
    ]
    assert chunks[-3]["choices"][0]["finish_reason"] == "function_call"
    (choice,) = json.loads(write_whole(fold([STARTED, *CALLS]), occasion(**old)))["choices"]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert (choice["finish_reason"], "tool_calls" in choice["message"]) == ("function_call", False)


SIGNED = Blob("signature", "sig", "anthropic", "claude")


@pytest.mark.parametrize("as_stream", [True, False])
def test_thinking_is_shown_and_its_blob_comes_back_as_it_was(as_stream):
    """B3, D81, D82."""
    thought = [PartOpened(0, "reasoning"), ReasoningDelta(0, "h"), ReasoningDelta(0, "m"), BlobGiven(0, SIGNED)]
    events = [STARTED, *thought, PartClosed(0), *STOP]
    if as_stream:
        found = deltas(told(events))[1:-1]
        assert [delta["reasoning_content"] for delta in found[:-1]] == ["h", "m"]
        message = found[-1]
    else:
        message = whole(events)["message"]
        assert message["reasoning_content"] == "hm"
    assert message["thinking_blocks"] == [{"type": "thinking", "thinking": "hm", "signature": blobs.wrap(SIGNED)}]
    back = {"role": "assistant", "content": "x", "reasoning_details": message["reasoning_details"]}
    body = json.dumps({"model": "m", "messages": [back]}).encode()
    (part, _) = read_request(read_envelope(body), Losses()).turns[0].parts
    assert (part.text, part.blob) == ("hm", SIGNED)


def test_a_summary_in_pieces_keeps_its_pieces_apart():
    blob = Blob("encrypted", "e", "openai_responses", "gpt", "rs_1")
    summary = [SummaryDelta(0, 0, "a"), SummaryDelta(0, 0, "b"), SummaryDelta(0, 1, "c"), BlobGiven(0, blob)]
    found = deltas(told([STARTED, PartOpened(0, "reasoning"), *summary, PartClosed(0), *STOP]))[1:-1]
    assert "".join(delta.get("reasoning_content", "") for delta in found) == "ab\n\nc"
    assert [item.get("summary") for item in found[-1]["reasoning_details"]] == ["ab", "c", None]
    assert found[-1]["reasoning_details"][-1]["data"] == blobs.wrap(blob)


def test_a_calls_signature_is_put_where_googles_clients_keep_it():
    """D88."""
    blob = Blob("thought", "s", "gemini", "gemini")
    events = [PartOpened(0, "call", id="x", name="f"), BlobGiven(0, blob), ArgsDelta(0, "{}"), PartClosed(0)]
    found = [delta["tool_calls"][0] for delta in deltas(told([STARTED, *events, *STOP]))[1:-1]]
    extras = [call["extra_content"]["google"]["thought_signature"] for call in found if "extra_content" in call]
    assert extras == [blobs.wrap(blob)]


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (Finished("stop_sequence", stop_sequence="END"), "stop"),
        (Finished("length"), "length"),
        (Finished("context_window"), "length"),
        (Finished("content_filter"), "content_filter"),
        (Finished("other"), "stop"),
        (Finished("pause"), "length"),
    ],
)
def test_every_ending_has_chats_word(finish, word):
    """D57."""
    assert told([STARTED, *TEXT, finish, Ended()])[-3]["choices"][0]["finish_reason"] == word
    assert whole([STARTED, *TEXT, finish, Ended()])["finish_reason"] == word


@pytest.mark.parametrize("details", [None, {"explanation": "it is dangerous"}])
def test_a_refusal_says_why(details):
    """D56."""
    events = [STARTED, Finished("refusal", details=details), Ended()]
    chunks = told(events)
    assert chunks[-3]["choices"][0]["finish_reason"] == "content_filter"
    words = deltas(chunks)[1]["refusal"]
    assert words == ("it is dangerous" if details else "The model declined to answer.")
    assert whole(events)["message"]["refusal"] == words


@pytest.mark.parametrize("finish", [Finished("malformed_call"), Finished("error"), Finished("other")])
def test_what_is_no_answer_is_an_error(finish):
    """D53."""
    chunks = told([STARTED, finish, Ended()])
    assert chunks[-1]["error"]["code"] == "upstream_malformed"
    assert write_whole(fold([STARTED, finish, Ended()]), occasion()) == b""


def test_separate_messages_are_parted_by_a_blank_line_and_pieces_of_one_are_not():
    """D189."""
    parts = [PartOpened(0, "text", phase="commentary"), TextDelta(0, "a"), PartClosed(0)]
    parts += [PartOpened(1, "text", phase="final_answer"), TextDelta(1, "b"), PartClosed(1)]
    events = [STARTED, *parts, *STOP]
    assert "".join(delta.get("content") or "" for delta in deltas(told(events))) == "a\n\nb"
    assert whole(events)["message"]["content"] == "a\n\nb"
    plain = [STARTED, *TEXT, PartOpened(1, "text"), TextDelta(1, "!"), PartClosed(1), *STOP]
    assert whole(plain)["message"]["content"] == "Héllo!"


@pytest.mark.parametrize("as_stream", [True, False])
def test_sources_count_from_the_beginning_of_all_text(as_stream):
    more = [PartOpened(1, "text"), TextDelta(1, "see"), Cited(1, Citation("u", "t", 0, 3)), PartClosed(1)]
    events = [STARTED, *TEXT, *more, *STOP]
    if as_stream:
        (notes,) = [delta["annotations"] for delta in deltas(told(events)) if "annotations" in delta]
    else:
        notes = whole(events)["message"]["annotations"]
    assert notes == [
        {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 5, "end_index": 8}}
    ]


def test_probabilities_pictures_and_refusals_come_along():
    token = {"token": "a", "logprob": -0.5}
    events = [*TEXT[:-1], LogprobsGiven(0, (token,)), PartClosed(0)]
    events += [PartOpened(1, "whole"), PartClosed(1, Image(data="AA==", media_type="image/png"))]
    events += [PartOpened(2, "whole"), PartClosed(2, Hosted("web_search"))]
    events += [PartOpened(3, "refusal"), TextDelta(3, "no"), PartClosed(3)]
    chunks = told([STARTED, *events, *STOP])
    assert [c["choices"][0]["logprobs"] for c in chunks[:-2] if c["choices"][0]["logprobs"]] == [
        {"content": [token], "refusal": None}
    ]
    found = deltas(chunks)
    assert {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]} in found
    assert {"refusal": "no"} in found


def test_an_error_ends_the_stream_whenever_it_comes():
    """D149, D150."""
    for before in ([], [STARTED, *TEXT]):
        writer = ChatWriter(occasion())
        writer.write(before)
        error = json.loads(writer.fail(ErrorFacts("overloaded", "busy")).removeprefix(b"data: "))
        assert error["error"]["message"] == "busy"
        assert writer.write([*TEXT, *STOP]) == b""
    assert ChatWriter(occasion()).write([Failed({"message": "x"})]) == b""


def test_a_whole_completion_of_calls_alone_has_no_content():
    reply = Reply((Choice((ToolCall("x", "f", ""),), Finished("tool_calls")),), usage=USAGE)
    body = json.loads(write_whole(reply, occasion()))
    (choice,) = body["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    assert (body["object"], body["usage"]["total_tokens"]) == ("chat.completion", 15)


def test_an_empty_answer_stays_empty():
    """D62."""
    reply = Reply((Choice((), Finished("stop")),))
    assert json.loads(write_whole(reply, occasion()))["choices"][0]["message"]["content"] == ""
    assert deltas(told(unfold(reply)))[-1] == {}


def test_half_a_character_does_not_stop_the_stream():
    """D49."""
    assert (
        deltas(told([STARTED, PartOpened(0, "text"), TextDelta(0, "\ud83d"), PartClosed(0), *STOP]))[1]["content"]
        == "?"
    )
