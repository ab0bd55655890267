"""The same dialect on both sides: bytes pass, and what they say is noted."""

import base64
import json

import pytest

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.blobs import wrap
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.parts import Blob
from proxx.protocols.hub.request import Envelope
from tests.protocols.gemini.saying import chunk, sse

COUNTS = {"promptTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 1}
GOOD = sse(chunk({"text": "a"}, usage={"promptTokenCount": 4}), chunk({"text": "b"}, finish="STOP", usage=COUNTS))
ERROR = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}


def watched(stream, *, size=0, **members):
    """Let a stream pass in pieces; return what passed and what was seen."""
    watch = PROTOCOL.watch_stream(strip_usage=False, **members)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    out = b"".join([watch.feed(piece) for piece in pieces])
    return out + watch.close(), watch.seen


@pytest.mark.parametrize("size", [0, 1, 9])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_events_pass_in_their_own_bytes(size, end):
    """D85."""
    stream = GOOD.replace(b"\r\n", end)
    out, seen = watched(stream, size=size)
    assert out == stream
    assert (seen.spoke, seen.finished, seen.ended, seen.frames) == (True, True, True, 2)
    assert (seen.usage.input_total, seen.usage.output_total, seen.usage.reasoning) == (4, 3, 1)


def test_only_data_lines_reach_a_client():
    """D134."""
    odd = b": comment\n\nevent: message\ndata: " + GOOD[6:].replace(b"\r\n\r\n", b"\n\n", 1)
    out, seen = watched(b"\xef\xbb\xbf" + odd + b"data: [DONE]\n\n")
    assert [json.loads(frame[6:]) for frame in out.split(b"\r\n\r\n")[:-1]] == [
        json.loads(frame[6:]) for frame in GOOD.split(b"\r\n\r\n")[:-1]
    ]
    assert seen.ended


def test_data_of_several_lines_become_one():
    """D132."""
    lines = json.dumps(chunk({"text": "a\n"}, finish="STOP"), indent=1).splitlines()
    out, seen = watched("".join(f"data: {line}\n" for line in lines).encode() + b"\n")
    assert json.loads(out.removeprefix(b"data: ")) == chunk({"text": "a\n"}, finish="STOP")
    assert out.count(b"\n") == 2
    assert seen.ended


@pytest.mark.parametrize("size", [0, 1])
def test_a_client_of_the_array_form_gets_the_same_objects(size):
    out, seen = watched(GOOD, size=size, form="array")
    objects = [frame[6:] for frame in GOOD.split(b"\r\n\r\n")[:-1]]
    assert out == b"[" + objects[0] + b",\r\n" + objects[1] + b"]"
    assert seen.ended


@pytest.mark.parametrize("form", ["sse", "array"])
def test_an_upstream_that_sends_an_array_is_told_in_the_clients_form(form):
    """D138."""
    objects = [chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP")]
    out, seen = watched(json.dumps(objects, indent=2).encode(), form=form)
    found = json.loads(out) if form == "array" else [json.loads(one[6:]) for one in out.split(b"\r\n\r\n")[:-1]]
    assert found == objects
    assert seen.ended


def test_an_answer_that_breaks_off_is_not_whole():
    """D143."""
    out, seen = watched(sse(chunk({"text": "a"})))
    assert seen.spoke
    assert not seen.finished
    assert not seen.ended
    out, seen = watched(sse(chunk({"text": "a"})), form="array")
    assert not out.endswith(b"]")


def test_usage_is_known_of_a_long_answer_that_breaks_off():
    """D145."""
    said = [chunk({"text": "a"}, usage={"promptTokenCount": 5, "candidatesTokenCount": n}) for n in range(40)]
    watch = PROTOCOL.watch_stream(strip_usage=False)
    watch.feed(sse(*said))
    assert watch.seen.usage.output_total >= 24
    watch.close()
    assert watch.seen.usage.output_total == 39


def test_every_answer_must_come_to_its_end():
    """D114."""
    two = {"candidates": [{"index": 0, "finishReason": "STOP"}, {"index": 1, "content": {"parts": [{"text": "a"}]}}]}
    assert not watched(sse(two))[1].ended
    assert watched(sse(two, {"candidates": [{"index": 1, "finishReason": "STOP"}]}))[1].ended


@pytest.mark.parametrize("form", ["sse", "array"])
def test_a_failure_is_told_in_step_with_what_was_sent(form):
    """D143, D150."""
    watch = PROTOCOL.watch_stream(strip_usage=False, form=form)
    out = watch.feed(sse(chunk({"text": "a"}))) + watch.close() + watch.fail(ErrorFacts("upstream_truncated", "cut"))
    if form == "array":
        assert json.loads(out)[1]["error"]["code"] == 502
    else:
        assert json.loads(out.split(b"\r\n\r\n")[1][6:])["error"]["status"] == "INTERNAL"


@pytest.mark.parametrize("form", ["sse", "array"])
def test_an_upstreams_error_passes_and_ends_the_stream(form):
    """D149."""
    out, seen = watched(sse(chunk({"text": "a"}), ERROR, chunk({"text": "late"})), form=form)
    assert seen.error == ERROR["error"]
    assert not seen.ended
    assert b"late" not in out
    assert json.loads(out) if form == "array" else json.loads(out.split(b"\r\n\r\n")[1][6:])


def test_a_blocked_prompt_is_an_answer():
    """D54."""
    _, seen = watched(sse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": COUNTS}))
    assert seen.spoke
    assert seen.ended
    assert seen.usage.input_total == 4


def test_nothing_passes_after_nonsense():
    out, seen = watched(sse(chunk({"text": "a"})) + b"data: <html>\r\n\r\n" + GOOD)
    assert seen.malformed
    assert out == sse(chunk({"text": "a"}))
    assert watched(b"[1]")[1].malformed


@pytest.mark.parametrize(
    ("parts", "spoke"),
    [
        ([{"text": ""}], False),
        ([{"text": "", "thoughtSignature": "x"}], False),
        ([{"text": "t", "thought": True}], True),
        ([{"functionCall": {"name": "f"}}], True),
        ([], False),
    ],
)
def test_it_is_known_when_an_answer_has_begun_to_speak(parts, spoke):
    assert watched(sse(chunk(*parts)))[1].spoke is spoke


def test_the_model_is_renamed_in_every_object():
    """D180."""
    out, _ = watched(GOOD, rename='my"model')
    assert out == GOOD.replace(b'"gemini-x"', b'"my\\"model"')
    body = json.dumps(chunk({"text": "a"}, finish="STOP"), indent=2).encode()
    assert PROTOCOL.rename_whole(body, "m") == body.replace(b'"gemini-x"', b'"m"')


def test_a_whole_body_is_understood():
    seen = PROTOCOL.watch_whole(json.dumps(chunk({"text": "a"}, finish="STOP", usage=COUNTS)).encode())
    assert (seen.spoke, seen.ended, seen.usage.output_total) == (True, True, 3)
    for error in (ERROR, [ERROR]):
        assert PROTOCOL.watch_whole(json.dumps(error).encode()).error == ERROR["error"]
    assert PROTOCOL.watch_whole(b'{"candidates": []}').spoke is False
    assert PROTOCOL.watch_whole(b"").malformed == ""
    for nonsense in (b"<html>", b'{"candidates": [{"content": {"parts": [{"text": 5}]}}]}', b"[1]"):
        assert PROTOCOL.watch_whole(nonsense).malformed


def envelope(body, model="alias"):
    return Envelope("gemini", model, True, True, body)


def test_the_clients_own_bytes_go_up():
    """D85."""
    body = b'{ "contents" : [{"role":"model","parts":[{"text":"\\u00fc"}]}], "x":1.0 }'
    assert PROTOCOL.same_dialect(envelope(body), model="other", ask_usage=True) is body


def test_a_model_that_the_body_repeats_is_the_upstreams():
    """D176."""
    body = b'{"model": "models/alias", "contents": [{"parts": [{"text": "\\"model\\": 1"}]}]}'
    sent = PROTOCOL.same_dialect(envelope(body), model="real", ask_usage=True)
    assert sent == body.replace(b"models/alias", b"models/real")


def test_blobs_that_were_wrapped_for_the_client_are_no_signatures():
    """D84."""

    def body(blob):
        signature = base64.b64encode(wrap(blob).encode()).decode()
        return json.dumps({"contents": [{"parts": [{"text": "a", "thoughtSignature": signature}]}]}).encode()

    def sent(blob):
        told = PROTOCOL.same_dialect(envelope(body(blob)), model="alias", ask_usage=True)
        return json.loads(told)["contents"][0]["parts"][0]["thoughtSignature"]

    assert sent(Blob("thought", "c2ln", "gemini", "gemini")) == "c2ln"
    dummy = sent(Blob("signature", "x", "anthropic", "claude"))
    assert base64.b64decode(dummy) == b"skip_thought_signature_validator"


def test_a_stream_has_its_own_address():
    whole = "https://g/v1beta/models/m:generateContent"
    assert PROTOCOL.url(whole, stream=False) == whole
    assert PROTOCOL.url(whole, stream=True) == "https://g/v1beta/models/m:streamGenerateContent?alt=sse"
