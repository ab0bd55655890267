"""Answers beside chat as they pass: events, JSON and bare bytes are told apart, errors and usage are noticed."""

import json

import pytest

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.openai_media.watching import MediaWatch, read_usage, watch_completions, watch_json, watch_whole

DELTA = b'event: transcript.text.delta\ndata: {"type":"transcript.text.delta","delta":"a"}\n\n'
DONE = (
    b'event: transcript.text.done\ndata: {"type":"transcript.text.done","text":"a",'
    b'"usage":{"type":"tokens","input_tokens":3,"output_tokens":1,"total_tokens":4}}\n\n'
)
LATE = ErrorFacts("upstream_truncated", "It broke off.")


def fed(watch: MediaWatch, raw: bytes, size: int) -> bytes:
    return b"".join(watch.feed(raw[at : at + size]) for at in range(0, len(raw), size)) + watch.close()


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_events_pass_and_their_end_and_usage_are_seen(size: int) -> None:
    watch = MediaWatch()
    assert fed(watch, DELTA + DONE, size) == DELTA + DONE
    assert (watch.seen.spoke, watch.seen.ended, watch.seen.raw) == (True, True, False)
    assert watch.seen.usage is not None
    assert (watch.seen.usage.input_total, watch.seen.usage.output_total) == (3, 1)


def test_events_without_their_last_are_no_whole_answer() -> None:
    watch = MediaWatch()
    assert fed(watch, DELTA, 9) == DELTA
    assert not watch.seen.ended
    assert json.loads(watch.fail(LATE).removeprefix(b"data: "))["error"]["code"] == "upstream_truncated"


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_sound_passes_as_it_comes_and_has_no_words_for_a_failure(size: int) -> None:
    watch = MediaWatch()
    sound = b"ID3\x04\x00\x00data: not an event\n\n"
    assert fed(watch, sound, size) == sound
    assert (watch.seen.raw, watch.seen.ended, watch.fail(LATE)) == (True, True, b"")


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_a_whole_answer_where_a_stream_was_asked_for_passes_too(size: int) -> None:
    watch = MediaWatch()
    body = b'{"text":"a","usage":{"type":"duration","seconds":2}}'
    assert fed(watch, body, size) == body
    assert (watch.seen.spoke, watch.seen.ended, watch.seen.usage) == (True, True, None)


def test_an_error_where_a_stream_was_asked_for_is_seen_before_anything_passes() -> None:
    watch = MediaWatch()
    assert fed(watch, b'{"error":{"message":"no","code":"c"}}', 8) == b""
    assert watch.seen.error == {"message": "no", "code": "c"}
    assert not watch.seen.spoke


def test_an_error_event_is_seen() -> None:
    watch = MediaWatch()
    watch.feed(DELTA + b'event: error\ndata: {"type":"error","error":{"message":"no"}}\n\n')
    assert watch.seen.error == {"message": "no"}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"error":{"message":"no"}}'])
def test_what_is_no_answer_is_none(body: bytes) -> None:
    assert not watch_whole(body).spoke
    assert not watch_json(body).spoke


def test_a_text_is_an_answer_only_where_texts_are() -> None:
    assert watch_whole(b"1\n00:00 --> 00:01\nhello").spoke
    assert watch_json(b"<html>").malformed


def test_a_completion_ends_and_counts_as_a_chat_does() -> None:
    chunk = (
        b'data: {"object":"text_completion","model":"m","choices":[{"text":"a","index":0,"finish_reason":null}]}\n\n'
    )
    last = b'data: {"model":"m","choices":[{"text":"","index":0,"finish_reason":"stop"}]}\n\n'
    usage = b'data: {"model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1}}\n\n'
    watch = watch_completions(strip_usage=True, rename="alias")
    told = watch.feed(chunk + last + usage + b"data: [DONE]\n\n") + watch.close()
    assert told == (chunk + last).replace(b'"m"', b'"alias"') + b"data: [DONE]\n\n"
    assert (watch.seen.ended, watch.seen.usage.output_total) == (True, 1)


def test_a_completion_that_only_lacks_its_end_mark_gets_it() -> None:
    watch = watch_completions(strip_usage=False)
    watch.feed(b'data: {"choices":[{"text":"a","index":0,"finish_reason":"stop"}]}\n\n')
    assert watch.close() == b"data: [DONE]\n\n"


@pytest.mark.parametrize("raw", [b"[]", b"7", b'{"type":"duration","seconds":2}', b"nonsense"])
def test_usage_that_counts_no_tokens_is_none(raw: bytes) -> None:
    assert read_usage(raw) is None


def test_usage_that_counts_what_cannot_be_is_doubtful() -> None:
    assert read_usage(b'{"input_tokens":-1}') == Usage(doubtful=True)
