"""Events and Reply -> what a Gemini client is told."""

import base64
import json

import pytest

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.gemini.write_reply.errors import STATUSES
from proxx.protocols.hub.blobs import unwrap
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Ended,
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
from proxx.protocols.hub.parts import Blob, Citation, Hosted, Image, Reasoning, Refusal, SearchHit, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, unfold
from proxx.protocols.hub.request import ReasoningWish
from tests.protocols.gemini.saying import CALL_ID, asking, objects_in, occasion
from tests.upstreams.posting import PNG

STOP = Finished("stop")
CLAUDE = Blob("signature", "sig", "anthropic", "claude")


def reply(*parts, finish=STOP, usage=None):
    return Reply((Choice(parts, finish),), "up", "upstream-model", 1, usage)


def streamed(told, **members):
    """Write events, or a reply told as events, one at a time."""
    writer = PROTOCOL.stream_writer(occasion(**members))
    events = unfold(told) if isinstance(told, Reply) else told
    return b"".join(writer.write([event]) for event in events)


def parts_of(stream):
    """Return all parts of a stream's candidate 0, without those that say nothing."""
    found = [part for one in objects_in(stream) for part in one["candidates"][0]["content"]["parts"]]
    return [part for part in found if part != {"text": ""}]


def whole(told, **members):
    return json.loads(PROTOCOL.write_whole(told, occasion(**members)))


def whole_parts(told, **members):
    return whole(told, **members)["candidates"][0]["content"]["parts"]


def test_each_delta_is_one_object_and_the_last_one_says_the_end():
    usage = Usage(12, 9, 2, None, 4, hosted_prompt=3)
    events = [Started("up"), PartOpened(0, "text"), TextDelta(0, 'H"e'), TextDelta(0, "llo\n"), PartClosed(0)]
    found = objects_in(streamed([*events, UsageReported(usage), Finished("length"), Ended()]))
    names = {"modelVersion": "alias", "responseId": CALL_ID}
    assert found[0] == {
        "candidates": [{"content": {"parts": [{"text": 'H"e'}], "role": "model"}, "index": 0}],
        **names,
    }
    assert [one["candidates"][0].get("finishReason") for one in found] == [None, None, "MAX_TOKENS"]
    assert all(names.items() <= one.items() for one in found)
    assert found[2]["usageMetadata"] == {
        "promptTokenCount": 9,
        "candidatesTokenCount": 5,
        "totalTokenCount": 21,
        "cachedContentTokenCount": 2,
        "thoughtsTokenCount": 4,
        "toolUsePromptTokenCount": 3,
    }


def test_the_array_form_is_one_array():
    stream = streamed(reply(Text("a")), form="array")
    assert [one["candidates"][0].get("finishReason") for one in json.loads(stream)] == [None, "STOP"]
    writer = PROTOCOL.stream_writer(occasion(form="array"))
    begun = writer.write([PartOpened(0, "text"), TextDelta(0, "a")])
    assert begun.startswith(b"[{")
    broken = json.loads(begun + writer.fail(ErrorFacts("timeout", "late")))
    assert broken[1]["error"] == {"code": 504, "message": "late", "status": "DEADLINE_EXCEEDED"}


def test_thoughts_are_flagged():
    """D47."""
    said = [PartOpened(0, "reasoning"), ReasoningDelta(0, "hm"), SummaryDelta(0, 0, "a"), SummaryDelta(0, 1, "b")]
    parts = parts_of(streamed([*said, PartClosed(0), STOP, Ended()]))
    assert [part["text"] for part in parts] == ["hm", "a", "\n\nb"]
    assert all(part["thought"] for part in parts)


def test_a_call_is_told_when_it_is_complete():
    """D9, D10."""
    writer = PROTOCOL.stream_writer(occasion())
    assert writer.write([PartOpened(0, "call", 0, "c1", "f"), ArgsDelta(0, '{"z":1.0,')]) == b""
    (one,) = objects_in(writer.write([ArgsDelta(0, '"a":[]}'), PartClosed(0)]))
    assert one["candidates"][0]["content"]["parts"] == [
        {"functionCall": {"id": "c1", "name": "f", "args": {"z": 1.0, "a": []}}}
    ]


def test_arguments_are_not_rewritten():
    """D183."""
    args = '{"b":1.00,"a":123456789012345678901234567890}'
    assert args.encode() in streamed(reply(ToolCall("c", "f", args)))
    assert args.encode() in PROTOCOL.write_whole(reply(ToolCall("c", "f", args)), occasion())


def test_empty_arguments_are_an_empty_object():
    """D5."""
    assert parts_of(streamed(reply(ToolCall("c", "f", ""))))[0]["functionCall"]["args"] == {}


def test_interleaved_calls_come_one_after_another():
    """D1."""
    opened = [PartOpened(0, "call", 0, "a", "f"), PartOpened(1, "call", 0, "b", "g")]
    deltas = [ArgsDelta(1, '{"x":'), ArgsDelta(0, "{}"), ArgsDelta(1, "1}"), PartClosed(1), PartClosed(0)]
    parts = parts_of(streamed([*opened, *deltas, Finished("tool_calls"), Ended()]))
    assert [(part["functionCall"]["id"], part["functionCall"]["args"]) for part in parts] == [
        ("a", {}),
        ("b", {"x": 1}),
    ]


def test_a_call_that_was_cut_off_is_an_error_not_an_empty_call():
    """D12."""
    cut = reply(Text("a"), ToolCall("c", "f", '{"x":'), finish=Finished("length"))
    found = objects_in(streamed(cut))
    assert found[-1]["error"]["status"] == "INTERNAL"
    assert "finishReason" not in json.dumps(found)
    assert whole(cut)["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"


def test_a_call_that_the_model_got_wrong_is_malformed():
    """D12."""
    wrong = reply(ToolCall("c", "f", "[1]"), finish=Finished("tool_calls"))
    for candidate in (objects_in(streamed(wrong))[-1]["candidates"][0], whole(wrong)["candidates"][0]):
        assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
        assert "functionCall" not in json.dumps(candidate)


def test_another_vendors_blob_travels_wrapped_in_base64():
    """D83."""
    for parts in (
        parts_of(streamed(reply(Reasoning("why", blob=CLAUDE)))),
        whole_parts(reply(Reasoning("why", blob=CLAUDE))),
    ):
        assert parts[-1]["thought"] is True
        assert unwrap(base64.b64decode(parts[-1]["thoughtSignature"], validate=True).decode()) == CLAUDE


def test_googles_own_blob_travels_bare():
    blob = Blob("thought", "c2ln", "gemini", "gemini")
    (part,) = parts_of(streamed(reply(ToolCall("c", "f", "{}", blob=blob))))
    assert part["thoughtSignature"] == "c2ln"
    assert parts_of(streamed(reply(Text("a", blob=blob))))[-1] == {"text": "", "thoughtSignature": "c2ln"}


def test_thoughts_that_the_client_does_not_want_are_left_out():
    request = asking(reasoning=ReasoningWish(show="none"))
    told = reply(Reasoning("why", ("s",), CLAUDE), Text("a"))
    assert parts_of(streamed(told, request=request)) == whole_parts(told, request=request) == [{"text": "a"}]
    redacted = Blob("redacted", "x", "anthropic", "claude")
    assert "thoughtSignature" in whole_parts(reply(Reasoning(blob=redacted)), request=request)[0]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (Finished("stop_sequence", stop_sequence="x"), "STOP"),
        (Finished("tool_calls"), "STOP"),
        (Finished("context_window"), "MAX_TOKENS"),
        (Finished("pause"), "MAX_TOKENS"),
        (Finished("content_filter", raw="RECITATION"), "RECITATION"),
        (Finished("content_filter", raw="content_filter"), "SAFETY"),
        (Finished("refusal"), "SAFETY"),
        (Finished("malformed_call"), "MALFORMED_FUNCTION_CALL"),
        (Finished("other"), "OTHER"),
    ],
)
def test_each_end_has_its_reason(finish, reason):
    told = reply(Text("a"), finish=finish)
    assert whole(told)["candidates"][0]["finishReason"] == reason
    assert objects_in(streamed(told))[-1]["candidates"][0]["finishReason"] == reason


def test_a_refusal_is_text_and_its_explanation_a_message():
    """D56."""
    told = reply(Refusal("no"), finish=Finished("refusal", details={"explanation": "policy"}))
    candidate = whole(told)["candidates"][0]
    assert candidate["content"]["parts"] == [{"text": "no"}]
    assert candidate["finishMessage"] == "policy"


def test_an_upstreams_error_as_its_end_is_an_error():
    assert "error" in objects_in(streamed(reply(Text("a"), finish=Finished("error"))))[-1]


def test_several_answers_keep_their_numbers():
    """D114."""
    told = Reply((Choice((Text("a"),), STOP), Choice((Text("b"),), Finished("length"))))
    found = objects_in(streamed(told))
    assert [one["candidates"][0]["index"] for one in found[:-1]] == [0, 1]
    assert [(one["index"], one["finishReason"]) for one in found[-1]["candidates"]] == [(0, "STOP"), (1, "MAX_TOKENS")]
    assert [one["index"] for one in whole(told)["candidates"]] == [0, 1]


def test_sources_are_grounding_counted_in_bytes():
    """D169."""
    search = Hosted("web_search", query="q", hits=(SearchHit("https://y", "Y"),), dialect="anthropic")
    told = reply(search, Text("ü a", (Citation("https://x", "X", 2, 3),)))
    for candidate in (whole(told)["candidates"][0], objects_in(streamed(told))[-1]["candidates"][0]):
        grounding = candidate["groundingMetadata"]
        assert grounding["webSearchQueries"] == ["q"]
        assert {one["web"]["uri"] for one in grounding["groundingChunks"]} == {"https://x", "https://y"}
        assert grounding["groundingSupports"][0]["segment"] == {"startIndex": 3, "endIndex": 4, "text": "a"}


def test_probabilities_and_pictures_have_their_place():
    tokens = ({"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "b", "logprob": -(2**70)}]},)
    events = [PartOpened(0, "text"), TextDelta(0, "a"), LogprobsGiven(0, tokens), PartClosed(0), STOP, Ended()]
    result = objects_in(streamed(events))[-1]["candidates"][0]["logprobsResult"]
    assert result["chosenCandidates"] == [{"token": "a", "logProbability": -1.0}]
    assert result["topCandidates"][0]["candidates"][-1]["logProbability"] == -(2**70)  # odd, and said as it came
    picture = reply(Image(data=PNG, media_type="image/png"))
    assert parts_of(streamed(picture)) == [{"inlineData": {"mimeType": "image/png", "data": PNG}}]


def test_a_whole_answer_says_what_the_stream_says():
    told = reply(Reasoning("w", blob=CLAUDE), Text("a"), ToolCall("c", "f", "{}"), usage=Usage(1, 2))
    stream, body = objects_in(streamed(told)), whole(told)
    assert "".join(p.get("text", "") for p in parts_of(streamed(told))) == "wa"
    assert [next(iter(part)) for part in whole_parts(told)] == ["thought", "text", "functionCall"]
    assert stream[-1]["usageMetadata"] == body["usageMetadata"]
    assert (body["modelVersion"], body["responseId"]) == ("alias", CALL_ID)


def test_an_empty_answer_has_an_empty_text():
    """D62."""
    assert whole_parts(reply()) == [{"text": ""}]
    assert parts_of(streamed(reply())) == []


@pytest.mark.parametrize("kind", list(STATUSES))
def test_errors_have_googles_envelope(kind):
    """D150."""
    error = json.loads(PROTOCOL.write_error(ErrorFacts(kind, "m", "my_code", "contents[0]")))["error"]
    assert (error["code"], error["status"]) == STATUSES[kind]
    assert [one["@type"].rpartition(".")[2] for one in error["details"]] == ["ErrorInfo", "BadRequest"]
    (one,) = objects_in(PROTOCOL.write_stream_error(ErrorFacts(kind, "m")))
    assert set(one["error"]) == {"code", "message", "status"}


def test_nothing_follows_the_end_or_an_error():
    """D147."""
    writer = PROTOCOL.stream_writer(occasion())
    assert objects_in(writer.fail(ErrorFacts("timeout", "m")))
    assert writer.write([PartOpened(0, "text"), TextDelta(0, "a"), PartClosed(0), STOP, Ended()]) == b""
    assert writer.fail(ErrorFacts("timeout", "m")) == b""


def test_named_events_are_blobs_before_their_parts_close():
    """D81."""
    events = [PartOpened(0, "reasoning"), ReasoningDelta(0, "a"), BlobGiven(0, CLAUDE), PartClosed(0), STOP, Ended()]
    assert ["thoughtSignature" in part for part in parts_of(streamed(events))] == [False, True]
