"""Messages replies that pass by in their own bytes."""

import json

import pytest

from proxx.protocols.anthropic.read_reply import watch_stream, watch_whole
from proxx.protocols.anthropic.write_request import same_dialect
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.hub.request import Envelope
from tests.protocols.anthropic.samples import EVERYTHING, block, end, frame, start, text, told

USAGE = Usage(17, 30, cache_read=3, cache_write=4)


def test_a_stream_passes_unchanged_however_it_is_cut():
    """D122, D130."""
    for size in (1, 7, 100, len(EVERYTHING)):
        watch = watch_stream()
        out = b"".join(watch.feed(EVERYTHING[at : at + size]) for at in range(0, len(EVERYTHING), size))
        assert out + watch.close() == EVERYTHING
        assert (watch.seen.spoke, watch.seen.finished, watch.seen.ended) == (True, True, True)
        assert watch.seen.usage == USAGE


def test_lines_may_end_as_they_like_and_comments_pass():
    """D131, D132."""
    other = b": hello\r\n\r\n" + EVERYTHING.replace(b"\n", b"\r\n")
    watch = watch_stream()
    assert b"".join(watch.feed(other[at : at + 3]) for at in range(0, len(other), 3)) == other
    assert watch.seen.usage == USAGE
    assert watch.seen.ended


def test_the_last_usage_counts_field_by_field():
    """D117, D122."""
    watch = watch_stream()
    shares = {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 3}
    more = {"input_tokens": 12, "cache_creation_input_tokens": 4, "cache_creation": shares, "output_tokens": 5}
    more |= {"output_tokens_details": {"thinking_tokens": 2}, "server_tool_use": {"web_search_requests": 1}}
    watch.feed(start() + frame("message_delta", delta={}, usage={"output_tokens": 3}))
    watch.feed(frame("message_delta", delta={"stop_reason": "end_turn"}, usage=more | {"cache_read_input_tokens": 0}))
    assert watch.seen.usage == Usage(19, 5, 3, 4, 2, cache_write_5m=1, cache_write_1h=3, web_searches=1)


def test_a_stream_speaks_with_its_first_content_not_with_its_start():
    """D161."""
    watch = watch_stream()
    watch.feed(
        start() + frame("ping") + frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
    )
    assert not watch.seen.spoke
    watch.feed(frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"}))
    assert watch.seen.spoke
    calling = watch_stream()
    calling.feed(block(0, {"type": "tool_use", "id": "t", "name": "n", "input": {}}))
    assert calling.seen.spoke


def test_a_stream_cut_before_its_end_mark_is_not_whole():
    """D143."""
    watch = watch_stream()
    watch.feed(start() + text(0, "a") + end()[: -len(frame("message_stop"))])
    assert watch.close() == b""
    assert watch.seen.finished
    assert not watch.seen.ended


def test_nothing_passes_after_the_end():
    """D147."""
    watch = watch_stream()
    assert watch.feed(start() + end() + text(1, "late") + b"data: [DONE]\n\n") == start() + end()


def test_an_error_passes_and_is_seen():
    """D149."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    watch = watch_stream()
    assert watch.feed(start() + frame("error", error=error) + text(0, "late")).endswith(frame("error", error=error))
    assert watch.seen.error == error


def test_unknown_events_and_deltas_pass():
    new = frame("hologram", delta="thin") + frame(
        "content_block_delta", index=0, delta={"type": "odor_delta", "odor": 1}
    )
    watch = watch_stream()
    assert watch.feed(start() + new) == start() + new
    assert not watch.seen.malformed


def test_nonsense_is_malformed():
    watch = watch_stream()
    assert watch.feed(b"event: message_start\ndata: <html>\n\n") == b""
    assert watch.seen.malformed


def test_the_model_is_renamed_in_the_start_only():
    """D180."""
    watch = watch_stream(rename="alias")
    out = told(watch.feed(start() + text(0, '"model":"claude-up"') + end()))
    assert out[0][1]["message"]["model"] == "alias"
    assert out[0][1]["message"]["usage"]["input_tokens"] == 10
    assert out[2][1]["delta"]["text"] == '"model":"claude-up"'


def test_the_watch_fails_in_the_dialects_own_words():
    """D150."""
    ((name, data),) = told(watch_stream().fail(ErrorFacts("timeout", "Too late.")))
    assert (name, data["error"]["type"], data["error"]["message"]) == ("error", "timeout_error", "Too late.")


@pytest.mark.parametrize(
    ("body", "spoke", "malformed", "error"),
    [
        ({"type": "message", "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn"}, True, False, None),
        ({"type": "message", "content": [], "stop_reason": "refusal"}, True, False, None),
        ({"type": "message", "content": []}, False, False, None),
        (
            {"type": "error", "error": {"type": "api_error", "message": "x"}},
            False,
            False,
            {"type": "api_error", "message": "x"},
        ),
        ({"error": "no such key"}, False, False, {"message": "no such key"}),
        ({"detail": "Not Found"}, False, False, {"message": "Not Found"}),
        ({"id": "chatcmpl-1", "choices": []}, False, True, None),
    ],
)
def test_whole_bodies(body: dict[str, object], spoke: bool, malformed: bool, error: dict[str, str] | None):
    """D56, D141, D142."""
    seen = watch_whole(json.dumps(body).encode())
    assert (seen.spoke, bool(seen.malformed), seen.error) == (spoke, malformed, error)


def test_a_whole_body_tells_its_usage():
    body = {"content": [{"type": "text", "text": "a"}], "usage": {"input_tokens": 5, "output_tokens": 2}}
    assert watch_whole(json.dumps(body).encode()).usage == Usage(5, 2)
    assert watch_whole(b"<html>").malformed


def test_a_request_of_the_same_dialect_keeps_its_bytes():
    """D85."""
    body = b'{ "model" : "alias", "messages":[{"content":"\\u00e9 1.50","role":"user"}],"max_tokens":1e2 }'
    envelope = Envelope("anthropic", "alias", False, False, body)
    assert same_dialect(envelope, model="alias", ask_usage=True) is body
    assert same_dialect(envelope, model="real", ask_usage=True) == body.replace(b'"alias"', b'"real"')
