"""The head of a chat completion body: what the walk must know, and what it refuses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.openai_chat.read_request import read_envelope
from proxx.protocols.openai_chat.write_request import same_dialect


def body(**fields):
    return json.dumps({"messages": [{"role": "user", "content": "hi"}], **fields}).encode()


def test_the_head_says_model_stream_and_the_wish_for_usage():
    request = read_envelope(body(model="m", stream=True, stream_options={"include_usage": True}))
    assert (request.model, request.stream, request.wants_usage) == ("m", True, True)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"", "invalid_body"),
        (b"[]", "invalid_body"),
        (b"null", "invalid_body"),
        (b'"text"', "invalid_body"),
        (b"{", "invalid_body"),
        (b"\xff\xfe", "invalid_body"),
        (b'{"a":NaN,"model":"m"}', "invalid_body"),
        (b'{"a":' * 100_000, "invalid_body"),
        (b"{}", "missing_model"),
        (b'{"model":null}', "missing_model"),
        (b'{"model":"  "}', "missing_model"),
        (b'{"model":7}', "invalid_type"),
        (b'{"model":"m","stream":"yes"}', "invalid_type"),
        (b'{"model":"m","stream_options":[]}', "invalid_type"),
        (b'{"model":"a","model":"b"}', "invalid_body"),
        (b'{"model":"a","mod\\u0065l":"b"}', "invalid_body"),
        (b'{"model":"a","stream":true,"stream":false}', "invalid_body"),
        (b'{"mod\\u0065l":"a"}', "invalid_body"),
        (b'{"model":"openai/\xff"}', "invalid_body"),
        (b'{"model":"a\\nb"}', "invalid_model"),
        (b'{"model":"' + b"a" * 300 + b'"}', "invalid_model"),
        (b'{"model":"a","stream":true,"stream_options":{"include_usage":"\xff"}}', "invalid_type"),
    ],
)
def test_what_is_no_request_is_refused_with_a_code(bad, code):
    with pytest.raises(Unreadable) as refusal:
        read_envelope(bad)
    assert refusal.value.code == code


def test_unchanged_requests_keep_every_byte():
    raw = b'{ "messages" : [], "model":"m", "seed": 1.0e2, "x":"\\u00e9" }'
    assert same_dialect(read_envelope(raw), model="m", ask_usage=True) is raw


def test_only_the_model_name_changes_when_it_is_routed():
    raw = b'{"n": 1.50, "model" : "openai/m", "messages":[]}'
    assert same_dialect(read_envelope(raw), model="m", ask_usage=False) == raw.replace(b"openai/m", b"m")


@pytest.mark.parametrize(
    "options", [{}, {"stream_options": None}, {"stream_options": {"include_usage": False, "x": 1}}]
)
def test_usage_is_asked_for_on_the_clients_behalf(options):
    sent = json.loads(same_dialect(read_envelope(body(model="m", stream=True, **options)), model="m", ask_usage=True))
    wished = options.get("stream_options") or {}
    assert sent["stream_options"] == {**wished, "include_usage": True}


@pytest.mark.parametrize("odd", [b"1e999", b"9" * 400, b'"\xff"', b'"\\ud83d"'])
def test_odd_stream_options_travel_as_they_are(odd):
    raw = b'{"model":"m","stream":true,"stream_options":{"x":' + odd + b"}}"
    sent = same_dialect(read_envelope(raw), model="m", ask_usage=True)
    assert sent == raw.replace(b'{"x"', b'{"include_usage":true,"x"')


def test_usage_is_not_asked_for_in_a_whole_answer():
    raw = body(model="m")
    assert same_dialect(read_envelope(raw), model="m", ask_usage=True) is raw


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reader(noise):
    try:
        read_envelope(noise)
    except Unreadable:
        return
