"""A Gemini upstream's stream or body -> events and Reply."""

import json

import pytest

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.events import (
    BlobGiven,
    Broken,
    Ended,
    Failed,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Blob, Reasoning, Text, ToolCall
from proxx.protocols.hub.reply import fold
from tests.protocols.gemini.saying import CALL_ID, chunk, events_of, sse, target

COUNTS = {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 4, "totalTokenCount": 17}
CALL = {"functionCall": {"name": "f", "args": {"z": 1.0, "a": 2}}}
SIGNED = {"thoughtSignature": "c2ln"}
TOLD = sse(
    chunk({"text": "hm", "thought": True}),
    chunk({"text": "Hel"}, usage={"promptTokenCount": 10}),
    chunk({"text": "lo ü"}),
    chunk({**CALL, **SIGNED}, CALL),
    chunk({"text": ""}, finish="STOP", usage=COUNTS),
)


def folded(*objects, **members):
    return fold(events_of(sse(*objects), **members))


def whole(body):
    return PROTOCOL.read_whole(json.dumps(body).encode(), target(), CALL_ID)


def finish_of(*objects):
    return folded(*objects).choices[0].finish


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_stream_is_the_same_wherever_it_is_cut(size, end):
    """D130, D131."""
    stream = TOLD.replace(b"\r\n", end.encode())
    assert fold(events_of(stream, size=size)) == fold(events_of(TOLD))


def test_text_thoughts_and_calls_are_told_in_order():
    """D8, D47, D51, D87, D118."""
    reply = fold(events_of(TOLD))
    ids = [part.id for part in reply.choices[0].parts if isinstance(part, ToolCall)]
    args = '{"z":1.0,"a":2}'
    assert reply.choices[0].parts == (
        Reasoning("hm"),
        Text("Hello ü"),
        ToolCall(ids[0], "f", args, blob=Blob("thought", "c2ln", "gemini", "gemini")),
        ToolCall(ids[1], "f", args),
    )
    assert len(set(ids)) == 2
    assert reply.choices[0].finish == Finished("tool_calls", 0, "STOP")
    assert (reply.id, reply.model) == ("r1", "gemini-x")
    assert reply.usage == Usage(10, 7, 0, None, 4)


def test_events_keep_the_readers_promises():
    events = events_of(sse(chunk({"text": "a"}, usage={"promptTokenCount": 1}), chunk({"text": "b"}, finish="STOP")))
    assert events == [
        Started("r1", "gemini-x", None, Usage(1, 0, 0, None, 0)),
        PartOpened(0, "text"),
        TextDelta(0, "a"),
        TextDelta(0, "b"),
        PartClosed(0),
        Finished("stop", 0, "STOP"),
        Ended(),
    ]


def test_the_last_usage_counts_and_never_shrinks():
    """D118, D119."""
    stream = sse(
        chunk({"text": "a"}, usage={"promptTokenCount": 5, "candidatesTokenCount": 2, "cachedContentTokenCount": 2}),
        chunk({"text": "b"}, usage={"promptTokenCount": 5, "candidatesTokenCount": 4}),
        chunk({"text": ""}, finish="STOP"),
        {"usageMetadata": {"promptTokenCount": 5, "toolUsePromptTokenCount": 3}},
    )
    usage = fold(events_of(stream)).usage
    assert (usage.input_total, usage.output_total, usage.cache_read, usage.hosted_prompt) == (8, 2, 2, 3)


def test_usage_is_known_of_a_long_answer_that_breaks_off():
    """D145."""
    said = [chunk({"text": "a"}, usage={"promptTokenCount": 5, "candidatesTokenCount": n}) for n in range(40)]
    reader = PROTOCOL.stream_reader(target(), CALL_ID)
    told = [event.usage.output_total for event in reader.feed(sse(*said)) if isinstance(event, UsageReported)]
    assert told[-1] >= 24
    assert [event.usage.output_total for event in reader.close()] == [39]


def test_a_given_id_is_kept_and_a_repeated_one_is_not():
    """D14, D15."""
    one, two = ({"functionCall": {"id": "c1", "name": name}} for name in "fg")
    ids = [part.id for part in folded(chunk(one), chunk(two, finish="STOP")).choices[0].parts]
    assert ids[0] == "c1"
    assert ids[1] not in ("c1", "")
    assert ids == [part.id for part in folded(chunk(one), chunk(two, finish="STOP")).choices[0].parts]


def test_a_call_without_arguments_has_an_empty_object():
    """D5."""
    assert folded(chunk({"functionCall": {"name": "f"}}, finish="STOP")).choices[0].parts[0].args == "{}"


def test_arguments_inside_a_string_are_taken_out():
    """D11."""
    found = folded(chunk({"functionCall": {"name": "f", "args": '{"a":1}'}}, finish="STOP"))
    assert found.choices[0].parts[0].args == '{"a":1}'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("TOO_MANY_TOOL_CALLS", "length"),
        ("OTHER", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_only_a_stop_becomes_a_tool_call(raw, reason):
    """D52."""
    assert finish_of(chunk(CALL, finish=raw)) == Finished(reason, 0, raw)


def test_a_call_counts_wherever_the_end_is_said():
    """D51."""
    assert finish_of(chunk(CALL), chunk({"text": ""}, finish="STOP")).reason == "tool_calls"
    assert finish_of(chunk(finish="STOP"), chunk(CALL)).reason == "tool_calls"


@pytest.mark.parametrize("raw", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"])
def test_a_malformed_call_breaks_a_stream(raw):
    """D53."""
    assert isinstance(events_of(sse(chunk(finish=raw)))[-1], Broken)
    assert isinstance(events_of(sse(chunk({"text": "a"}), chunk(finish=raw)))[-1], Broken)
    assert whole(chunk(finish=raw)).choices[0].finish.reason == "malformed_call"


@pytest.mark.parametrize("name", [{}, {"name": ""}, {"name": None}])
def test_a_call_of_nothing_is_malformed(name):
    nothing = chunk({"functionCall": {**name, "args": {}}}, finish="STOP")
    assert isinstance(events_of(sse(nothing))[-1], Broken)
    assert whole(nothing).choices[0].finish.reason == "malformed_call"


def test_a_missing_signature_is_an_error_of_the_request():
    (failed,) = [
        event for event in events_of(sse(chunk(finish="MISSING_THOUGHT_SIGNATURE"))) if isinstance(event, Failed)
    ]
    assert failed.error["status"] == "INVALID_ARGUMENT"


def test_an_end_without_content_is_an_empty_answer():
    """D54."""
    reply = folded({"candidates": [{"finishReason": "SAFETY", "finishMessage": "no"}]})
    assert reply.choices[0].parts == ()
    assert reply.choices[0].finish == Finished("content_filter", 0, "SAFETY", details={"explanation": "no"})


@pytest.mark.parametrize("read", [folded, whole])
def test_a_refused_prompt_is_a_refusal(read):
    """D54."""
    reply = read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}})
    assert reply.choices[0].finish == Finished("refusal", 0, "SAFETY", details={"category": "SAFETY"})
    assert reply.usage.input_total == 4


def test_a_signature_in_a_later_empty_part_belongs_to_the_part_before():
    """D81, D89."""
    (part,) = folded(chunk({"text": "a"}), chunk({"text": "", **SIGNED}, finish="STOP")).choices[0].parts
    assert part == Text("a", blob=Blob("thought", "c2ln", "gemini", "gemini"))
    (part,) = (
        folded(chunk({**CALL, **SIGNED}), chunk({"text": "", "thoughtSignature": "b3Ro"}, finish="STOP"))
        .choices[0]
        .parts
    )
    assert part.blob.value == "c2ln"


def test_a_signed_text_is_not_continued():
    parts = folded(chunk({"text": "a", **SIGNED}), chunk({"text": "b"}, finish="STOP")).choices[0].parts
    assert [(part.text, part.blob is None) for part in parts] == [("a", False), ("b", True)]


def test_thoughts_are_known_by_their_flag_alone():
    """D47."""
    parts = (
        folded(chunk({"text": "a", "thought": True}), chunk({"thought": True, **CALL}, finish="STOP")).choices[0].parts
    )
    assert [type(part) for part in parts] == [Reasoning, ToolCall]


def test_several_answers_keep_their_numbers():
    """D114."""
    two = {"candidates": [{"index": 1, "content": {"parts": [{"text": "b"}]}}, {"content": {"parts": [{"text": "a"}]}}]}
    end = {"candidates": [{"index": 0, "finishReason": "STOP"}, {"index": 1, "finishReason": "MAX_TOKENS"}]}
    reply = folded(two, end)
    assert [(one.parts[0].text, one.finish.reason) for one in reply.choices] == [("a", "stop"), ("b", "length")]
    assert events_of(sse(two, {"candidates": [{"index": 0, "finishReason": "STOP"}]}))[-1] != Ended()


@pytest.mark.parametrize("stream", [TOLD[:200], sse(chunk({"text": "a"})), b"", sse(chunk({"text": "a"}))[:-9]])
def test_a_stream_that_breaks_off_has_no_end(stream):
    """D143."""
    assert not any(isinstance(event, Finished | Ended) for event in events_of(stream))


def test_a_last_event_without_its_blank_line_counts():
    """D131."""
    assert events_of(sse(chunk({"text": "a"}, finish="STOP")).rstrip())[-1] == Ended()


def test_an_error_inside_the_stream_is_told_as_it_came():
    """D149."""
    error = {"code": 503, "message": "busy", "status": "UNAVAILABLE"}
    events = events_of(sse(chunk({"text": "a"}), {"error": error}, chunk({"text": "b"}, finish="STOP")))
    assert events[-1] == Failed(error)
    assert events_of(b'[{"error":{"code":400}}]')[-1] == Failed({"code": 400})


@pytest.mark.parametrize("stream", [b"data: <html>\r\n\r\n", b'data: {"candidates": 5}\r\n\r\n', b"[1]"])
def test_nonsense_is_known_as_such(stream):
    assert isinstance(events_of(stream)[-1], Broken)


def test_comments_event_names_and_end_marks_of_imitators_are_passed_over():
    """D132."""
    stream = b": hi\n\nevent: x\n" + sse(chunk({"text": "a"}, finish="STOP"), end="\n") + b"data: [DONE]\n\n"
    assert fold(events_of(stream)).choices[0].parts == (Text("a"),)


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_like_events(size, indent):
    """D138."""
    objects = [json.loads(frame[6:]) for frame in TOLD.split(b"\r\n\r\n")[:-1]]
    assert fold(events_of(json.dumps(objects, indent=indent).encode(), size=size)) == fold(events_of(TOLD))
    assert whole(objects) == fold(events_of(TOLD))


def test_a_whole_answer_is_the_stream_folded():
    parts = [{"text": "hm", "thought": True}, {"text": "Hello ü"}, {**CALL, **SIGNED}, CALL]
    assert whole(chunk(*parts, finish="STOP", usage=COUNTS)) == fold(events_of(TOLD))


def test_a_whole_answer_that_gives_no_reason_has_stopped():
    assert whole({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}).choices[0].finish == Finished("stop")


def test_half_a_character_reads_as_its_replacement():
    """D49."""
    events = events_of(b'data: {"candidates":[{"content":{"parts":[{"text":"\\ud83d"}]}}]}\r\n\r\n')
    assert events[-1] == TextDelta(0, "\ufffd")


def test_a_signature_before_everything_is_kept():
    events = events_of(sse(chunk({"text": "", **SIGNED}), chunk({"text": "a"}, finish="STOP")))
    assert any(isinstance(event, BlobGiven) for event in events)
    assert not any(isinstance(event, ReasoningDelta) for event in events)
