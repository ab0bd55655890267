"""Every fault does on the wire what its name says: read from a bare socket, so that no client smooths it over."""

import json
import socket
import time

import openai
import pytest

from tests.upstreams import faults, refusals
from tests.upstreams.script import cut, fail, say, stall

USER = [{"role": "user", "content": "hello"}]
ENDLESS = {"stall-before-headers", "stall-before-first-event", "stall-mid-stream"}


def exchange(provider, *, model="gpt-x", stream=True, key="sk-sim-1", seconds=0.3):
    """Send one request and read until the end of the connection, a reset, or silence; return bytes and the ending."""
    body = json.dumps({"model": model, "messages": USER, "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
    with socket.create_connection(("127.0.0.1", provider.port), timeout=seconds) as sock:
        sock.sendall(head.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body)
        data = b""
        try:
            while piece := sock.recv(1 << 20):
                data += piece
        except ConnectionResetError:
            return data, "reset"
        except TimeoutError:
            return data, "silent"
        return data, "closed"


def parts(data):
    """Split an answer into status, headers in lower case, and the raw body."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {line.partition(":")[0]: line.partition(": ")[2] for line in lines}, body


def unchunked(body):
    """Join the chunks of a body; return it and whether it ended properly."""
    data = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            return data, True
        data, body = data + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return data, False


def faulty(provider, name, *, stream=True):
    return exchange(provider, model=f"sim-fault-{name}", stream=stream)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", [name for name in faults.TABLE if name != "slow-start"])
def test_every_fault_on_the_wire_is_played_and_noted(provider, name, stream):
    data, ending = faulty(provider, name, stream=stream)
    entry = provider.journal.last
    assert (ending == "silent") == (name in ENDLESS)
    assert entry.wait() == ("client_gone" if name in ENDLESS else entry.outcome)
    assert entry.outcome != "open"
    assert data or name in {"close", "reset", "stall-before-headers"}


@pytest.mark.parametrize("name", refusals.names())
def test_every_refusal_has_its_status(provider, name):
    status, headers, body = parts(faulty(provider, name)[0])
    assert status == int(name[:3])
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("429-after-7", "retry-after", "7"),
        ("429-after-7", "x-ratelimit-reset-requests", "7s"),
        ("429-after-0.25", "retry-after-ms", "250"),
        ("403-retry-after-9", "retry-after", "9"),
        ("503-retry-after-4", "retry-after", "4"),
        ("429-anthropic-after-5", "retry-after", "5"),
        ("502", "content-type", "text/html; charset=UTF-8"),
    ],
)
def test_a_refusal_announces_the_rest_it_was_told(provider, name, header, value):
    assert parts(faulty(provider, name)[0])[1][header] == value


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("429-quota", ("error", "code"), "insufficient_quota"),
        ("429-gemini-after-12", ("error", "details", 1, "retryDelay"), "12s"),
        ("429-gemini", ("error", "status"), "RESOURCE_EXHAUSTED"),
        ("429-zai", ("error", "code"), "1302"),
        ("429-openrouter", ("error", "code"), 429),
        ("429-plan-after-60", ("error", "resets_in_seconds"), 60),
        ("529", ("error", "type"), "overloaded_error"),
        ("400-context", ("error", "code"), "context_length_exceeded"),
    ],
)
def test_a_refusal_speaks_its_providers_manner(provider, name, path, value):
    found = json.loads(parts(faulty(provider, name)[0])[2])
    for step in path:
        found = found[step]
    assert found == value


def test_a_key_can_carry_a_fault(provider):
    assert parts(exchange(provider, key="sk-sim-fault-429-after-3.second")[0])[0] == 429
    assert parts(exchange(provider, key="sk-sim-1.second")[0])[0] == 200


def test_a_cut_inside_a_frame_ends_inside_a_frame(provider):
    data, ended = unchunked(parts(faulty(provider, "cut-mid-frame")[0])[2])
    assert not ended
    assert not data.endswith(b"\n\n")
    assert b"data: " in data.rpartition(b"\n\n")[2]


def test_a_cut_between_frames_ends_after_a_frame(provider):
    data, ended = unchunked(parts(faulty(provider, "cut-between-frames")[0])[2])
    assert not ended
    assert data.endswith(b"\n\n")


def test_a_cut_whole_body_is_shorter_than_announced(provider):
    _, headers, body = parts(faulty(provider, "cut-mid-frame", stream=False)[0])
    assert 0 < len(body) < int(headers["content-length"])


def test_resets_are_resets(provider):
    assert faulty(provider, "reset") == (b"", "reset")
    assert faulty(provider, "reset-mid-body")[1] == "reset"


def test_an_answer_byte_by_byte_is_the_same_answer(provider):
    data, ended = unchunked(parts(faulty(provider, "one-byte")[0])[2])
    assert ended
    assert data == bytes(provider.journal.last.answer)
    assert data.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("name", "begins", "ends"),
    [
        ("error-first-event", b'data: {"error"', b"\n\n"),
        ("error-mid-stream", b'data: {"id"', b"\n\n"),
        ("no-done", b'data: {"id"', b"\n\n"),
        ("no-end", b'data: {"id"', b"\n\n"),
        ("only-done", b"data: [DONE]", b"\n\n"),
        ("empty-200", b"", b""),
        ("comments", b": ", b"\n\n"),
        ("crlf", b"data: ", b"\r\n\r\n"),
        ("after-done", b"data: ", b'{"late": true}\n\n'),
    ],
)
def test_a_spoiled_stream_ends_its_body_properly(provider, name, begins, ends):
    data, ended = unchunked(parts(faulty(provider, name)[0])[2])
    assert ended
    assert data.startswith(begins)
    assert data.endswith(ends)
    assert (b"[DONE]" in data) == (name in {"only-done", "comments", "crlf", "after-done"})


def test_a_stream_without_end_has_no_finish_reason(provider):
    data, _ = unchunked(parts(faulty(provider, "no-end")[0])[2])
    assert b'"finish_reason":"' not in data
    assert b'"finish_reason":"' in unchunked(parts(faulty(provider, "no-done")[0])[2])[0]


def test_an_error_with_status_200_is_json(provider):
    status, headers, body = parts(faulty(provider, "error-200")[0])
    assert (status, headers["content-type"]) == (200, "application/json")
    assert "error" in json.loads(body)


def test_a_huge_frame_is_huge(provider):
    data, ended = unchunked(parts(exchange(provider, model="sim-fault-huge-frame", seconds=5)[0])[2])
    assert ended
    assert max(len(frame) for frame in data.split(b"\n\n")) > faults.HUGE_FRAME


def test_an_unframed_answer_ends_with_its_connection(provider):
    _, headers, body = parts(faulty(provider, "unframed")[0])
    assert not {"content-length", "transfer-encoding"} & set(headers)
    assert body.endswith(b"data: [DONE]\n\n")


def test_a_scripted_failure_strikes_where_it_stands(provider):
    provider.script(say("one two"), fail("500"), say("never"))
    data, _ = unchunked(parts(exchange(provider)[0])[2])
    assert b" two" in data
    assert b'"error"' in data
    assert b"never" not in data
    provider.script(say("one two"), fail("503-retry", retry_after=3))
    assert parts(exchange(provider, stream=False)[0])[1]["retry-after"] == "3"


def test_a_scripted_cut_strikes_where_it_stands(provider):
    provider.script(say("one"), cut(in_frame=True), say("two"))
    data, ended = unchunked(parts(exchange(provider)[0])[2])
    assert not ended
    assert not data.endswith(b"\n\n")
    provider.script(cut())
    assert exchange(provider) == (b"", "closed")


def test_a_scripted_silence_holds_the_headers_or_the_body(provider):
    provider.script(stall(), say("late"))
    assert exchange(provider) == (b"", "silent")
    provider.script(stall(after_headers=True), say("late"))
    data, ending = exchange(provider)
    assert (parts(data)[0], parts(data)[2], ending) == (200, b"", "silent")
    provider.script(say("early"), stall(), say("late"))
    data, ending = exchange(provider)
    assert b"early" in data
    assert (b"late" in data, ending) == (False, "silent")


def test_rules_are_used_up_and_choose_by_model_and_key(provider):
    provider.script(fail("429"), key="sk-sim-1", times=2)
    provider.always(fail("500"), model="glm-x")
    found = [parts(exchange(provider, stream=False, model=model, key=key)[0])[0] for model, key in ASKED]
    assert found == [429, 200, 429, 500, 200, 500]


ASKED = [
    ("gpt-x", "sk-sim-1"),
    ("gpt-x", "sk-sim-2"),
    ("glm-x", "sk-sim-1"),
    ("glm-x", "sk-sim-1"),
    ("gpt-x", "sk-sim-1"),
    ("glm-x", "sk-sim-2"),
]


def test_the_official_client_raises_its_typed_exceptions(provider):
    expected = {
        "400": openai.BadRequestError,
        "401": openai.AuthenticationError,
        "403": openai.PermissionDeniedError,
        "404": openai.NotFoundError,
        "409": openai.ConflictError,
        "422": openai.UnprocessableEntityError,
        "429": openai.RateLimitError,
        "500": openai.InternalServerError,
        "502": openai.InternalServerError,
        "close": openai.APIConnectionError,
        "garbage": openai.APIConnectionError,
    }
    with openai.OpenAI(base_url=provider.base_url, api_key="sk-sim-1", max_retries=0, timeout=5) as client:
        for name, kind in expected.items():
            with pytest.raises(kind):
                client.chat.completions.create(model=f"sim-fault-{name}", messages=USER)


def test_a_slow_start_is_slow(provider, monkeypatch):
    monkeypatch.setattr(faults, "SLOW_START", 0.05)
    began = time.monotonic()
    assert parts(faulty(provider, "slow-start")[0])[0] == 200
    assert time.monotonic() - began >= 0.05
