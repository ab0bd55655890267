"""Responses replies that stay in their dialect: bytes pass, and what they say is known."""

import json
from typing import Any

import pytest

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.openai_responses.read_reply import watch_stream, watch_whole
from proxx.protocols.openai_responses.write_reply import rename_whole
from tests.protocols.openai_responses.streams import about, created, ended, parsed, response, said, sse

DELTAS = tuple(about("output_text.delta", item_id="msg_1", content_index=0, delta=f"w{n}") for n in range(5))
STREAM = sse(created(), *DELTAS, about("output_item.done", item=said("x")), ended(), named=True)
FACTS = ErrorFacts("upstream_truncated", "It broke off.")


def watched(stream: bytes, **about_watch: Any) -> tuple[Any, bytes]:
    watch = watch_stream(strip_usage=False, **about_watch)
    return watch.seen, watch.feed(stream) + watch.close()


@pytest.mark.parametrize("step", [1, 7, 1000, len(STREAM)])
def test_bytes_pass_unchanged_however_they_are_cut(step: int) -> None:
    watch = watch_stream(strip_usage=True)
    told = b"".join(watch.feed(STREAM[at : at + step]) for at in range(0, len(STREAM), step))
    assert told + watch.close() == STREAM
    seen = watch.seen
    assert (seen.spoke, seen.finished, seen.ended, seen.usage) == (True, True, True, Usage(9, 5, 4, 1, 2))


def test_an_answer_has_not_spoken_before_something_of_it_is_there() -> None:
    assert not watched(sse(created()))[0].spoke
    assert watched(sse(created(), DELTAS[0]))[0].spoke


def test_a_stream_without_its_last_event_has_not_ended() -> None:
    seen, _ = watched(sse(created(), *DELTAS))
    assert (seen.finished, seen.ended) == (False, False)


def test_an_incomplete_answer_has_ended_well() -> None:
    assert watched(sse(created(), ended("incomplete")))[0].ended


def test_every_resource_shows_the_clients_name_of_the_model() -> None:
    told = watched(STREAM, rename="alias")[1]
    models = [event["response"]["model"] for event in parsed(told) if "response" in event]
    assert models == ["alias", "alias"]
    assert told.replace(b'"alias"', b'"gpt-5"') == STREAM


def test_a_failed_response_is_an_error_and_passes() -> None:
    stream = sse(created(), DELTAS[0], ended("failed", error={"code": "c", "message": "m"}))
    seen, told = watched(stream)
    assert seen.error == {"code": "c", "message": "m"}
    assert told == stream


def test_an_error_event_passes_with_the_failed_response_that_follows_it() -> None:
    """D151."""
    error = {"type": "error", "error": {"code": "c", "message": "m"}}
    stream = sse(created(), error, ended("failed", error={"code": "server_error", "message": "m"}))
    seen, told = watched(stream)
    assert told == stream
    assert seen.error == {"code": "c", "message": "m"}


def test_an_error_event_alone_is_followed_by_a_failed_response() -> None:
    """D151."""
    seen, told = watched(sse(created(), {"type": "error", "code": "insufficient_quota", "message": "m"}))
    last = parsed(told)[-1]
    assert seen.error == {"code": "insufficient_quota", "message": "m"}
    assert (last["type"], last["sequence_number"]) == ("response.failed", 2)
    assert last["response"]["error"] == {"code": "insufficient_quota", "message": "m"}


def test_a_failure_of_ours_is_said_in_step_with_what_was_sent() -> None:
    """D151."""
    watch = watch_stream(strip_usage=False)
    watch.feed(sse(created(), DELTAS[0]))
    for delta in DELTAS[1:]:  # quiet ones, of which no number is read
        watch.feed(sse(delta).replace(b'"sequence_number": 0, ', b""))
    failed = parsed(watch.fail(FACTS))[0]
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", 6)
    told = failed["response"]
    assert (told["id"], told["model"], told["status"], told["created_at"]) == ("resp_1", "gpt-5", "failed", 7)
    assert told["error"] == {"code": "upstream_truncated", "message": "It broke off."}


def test_a_failure_may_be_the_first_thing_said() -> None:
    failed = parsed(watch_stream(strip_usage=False).fail(FACTS))
    assert [(event["type"], event["sequence_number"]) for event in failed] == [("response.failed", 0)]


@pytest.mark.parametrize("nonsense", [b"data: {]\n\n", b"<html>\n\n", b'data: {"choices":[]}\n\n'])
def test_what_is_no_event_ends_the_stream(nonsense: bytes) -> None:
    seen, told = watched(sse(created()) + nonsense)
    assert seen.malformed
    assert told == sse(created())


def test_unknown_events_and_a_last_mark_do_no_harm() -> None:
    stream = sse(created(), {"type": "codex.rate_limits", "response": 5}, DELTAS[0], ended())
    assert watched(stream)[1] == stream
    seen, told = watched(stream + b"data: [DONE]\n\n")
    assert seen.ended
    assert told == stream


def test_a_whole_response_is_known_by_its_members() -> None:
    seen = watch_whole(json.dumps(response(output=[said("x")])).encode())
    assert (seen.spoke, seen.ended, seen.usage) == (True, True, Usage(9, 5, 4, 1, 2))
    compaction = {"object": "response.compaction", "id": "r", "output": [], "created_at": 1}
    assert watch_whole(json.dumps(compaction).encode()).spoke


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "m", "code": "c"}}, {"message": "m", "code": "c"}),
        ({"error": "m"}, {"message": "m"}),
        ({"detail": "Unsupported parameter: x"}, {"message": "Unsupported parameter: x"}),
        (response("failed", error={"code": "c", "message": "m"}), {"code": "c", "message": "m"}),
    ],
)
def test_a_whole_error_is_told_in_its_own_words(body: dict[str, Any], error: dict[str, str]) -> None:
    assert watch_whole(json.dumps(body).encode()).error == error


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"choices":[]}', b'{"output":5}'])
def test_another_dialects_answer_is_none_of_this_one(body: bytes) -> None:
    assert watch_whole(body).malformed


def test_a_whole_response_is_renamed_in_place() -> None:
    assert rename_whole(b'{"a":1.0,"model":"x"}', "y") == b'{"a":1.0,"model":"y"}'
