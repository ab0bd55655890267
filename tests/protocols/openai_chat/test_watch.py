"""Watching a chat completion stream: bytes pass, and what they say is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import Usage
from proxx.protocols.openai_chat.read_reply import watch_stream, watch_whole


def frame(**chunk):
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def delta(content="", finish=None, **more):
    return frame(
        id="c1",
        model="up",
        choices=[{"index": 0, "delta": {"content": content, **more}, "finish_reason": finish}],
        usage=None,
    )


ROLE = delta(role="assistant")
USAGE = frame(
    id="c1",
    choices=[],
    usage={
        "prompt_tokens": 12,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
)
DONE = b"data: [DONE]\n\n"
STREAM = ROLE + delta('he said "usage":{ [D') + b": note\r\n\r\n" + delta("ü") + delta(finish="stop") + USAGE + DONE
READ = Usage(input_total=12, output_total=5, cache_read=4, reasoning=2)


def watched(stream, cuts=(), **options):
    watch = watch_stream(**{"strip_usage": False, **options})
    edges = [0, *sorted(cuts), len(stream)]
    out = b"".join(watch.feed(stream[a:b]) for a, b in zip(edges, edges[1:], strict=False))
    return out + watch.close(), watch.seen


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_every_byte_passes_at_any_split(cuts):
    out, seen = watched(STREAM, cuts)
    assert out == STREAM
    assert seen.ended
    assert seen.usage == READ


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_usage_asked_on_the_clients_behalf_is_the_only_thing_removed(cuts):
    out, seen = watched(STREAM, cuts, strip_usage=True)
    assert out == STREAM.replace(USAGE, b"")
    assert seen.usage == READ


def test_one_byte_at_a_time_says_the_same():
    out, seen = watched(STREAM, range(len(STREAM)), strip_usage=True)
    assert (out, seen.usage, seen.ended) == (STREAM.replace(USAGE, b""), READ, True)


EVENTS = [
    ROLE,
    delta("a"),
    delta("b"),
    delta("call", tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
    delta("c", finish="stop"),
    USAGE,
    frame(choices=[{"delta": {"content": "d"}}], usage={"completion_tokens": 7}),
    frame(choices=[{"delta": 5}]),
    frame(choices=[{"text": "old"}], object="text_completion"),
    frame(choices=[], error=""),
    frame(error={"message": "boom"}),
    frame(object="error", choices=[], message="boom"),
    frame(model=5, choices=[{"delta": {}}]),
    b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
    b"id: 4\n" + delta("e"),
    b"event: error\n" + delta("f"),
    b'data: {"choices":[\n\n',
    delta("g").replace(b"\n", b"\r\n"),
    delta("h").replace(b",", b",\r", 1),
    b": still here\n\n",
    DONE,
]


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.sampled_from(["", "fast"]))
def test_one_event_a_read_says_the_same_as_all_in_one(events, rename):
    stream = b"".join([ROLE, delta("first"), *events])
    edges = [0, len(ROLE), *(len(ROLE + delta("first") + b"".join(events[:count])) for count in range(len(events)))]
    assert watched(stream, edges, strip_usage=True, rename=rename) == watched(stream, strip_usage=True, rename=rename)


def test_a_provider_that_reports_usage_in_every_chunk_is_read_to_the_last():
    chunks = [frame(choices=[{"delta": {"content": "a"}}], usage={"completion_tokens": n}) for n in range(20)]
    watch = watch_stream(strip_usage=True)
    assert [watch.feed(chunk) for chunk in chunks] == chunks
    assert watch.seen.usage == Usage(output_total=19)


def test_a_role_alone_is_not_yet_speech():
    watch = watch_stream(strip_usage=False)
    watch.feed(ROLE)
    assert not watch.seen.spoke
    watch.feed(delta("a"))
    assert watch.seen.spoke


@pytest.mark.parametrize(
    "said",
    [
        {"tool_calls": [{"index": 0, "id": "t"}]},
        {"reasoning_content": "hm"},
        {"refusal": "no"},
        {"function_call": {"name": "f"}},
    ],
)
def test_tools_reasoning_and_refusals_are_speech(said):
    assert watched(delta(None, **said))[1].spoke


def test_a_missing_end_mark_is_added_when_the_answer_was_finished():
    whole = ROLE + delta("a") + delta(finish="stop")
    out, seen = watched(whole)
    assert out == whole + DONE
    assert seen.ended


def test_a_stream_cut_before_its_finish_is_not_ended():
    out, seen = watched(ROLE + delta("a"))
    assert out == ROLE + delta("a")
    assert not seen.ended


def test_half_a_frame_at_the_end_is_not_forwarded():
    out, seen = watched(ROLE + delta("a") + delta("b")[:40])
    assert out == ROLE + delta("a")
    assert not seen.ended


def test_an_end_mark_without_its_blank_line_counts():
    out, seen = watched(ROLE + delta("a", finish="stop") + b"data: [DONE]")
    assert out.endswith(DONE)
    assert seen.ended


def test_an_end_mark_before_any_word_is_an_empty_answer():
    _, seen = watched(ROLE + DONE)
    assert not seen.spoke
    assert not seen.ended


def test_nothing_passes_after_the_end_mark():
    assert watched(STREAM + delta("late"))[0] == STREAM


@pytest.mark.parametrize(
    "error",
    [
        b'data: {"error":{"message":"boom","code":500}}\n\n',
        b'data: {"error":"boom"}\n\n',
        b'event: error\ndata: {"error":{"message":"boom"}}\n\n',
        b'data: {"object":"error","message":"boom"}\n\n',
        b'data: {"detail":"boom"}\n\n',
    ],
)
@pytest.mark.parametrize("before", [b"", ROLE + delta("a")])
def test_an_error_inside_a_stream_is_seen_in_every_shape(error, before):
    out, seen = watched(before + error)
    assert out == before + error
    assert seen.error is not None
    assert seen.error["message"] == "boom"


def test_the_model_name_is_changed_in_every_chunk_if_the_tenant_wants_it():
    out, _ = watched(STREAM, rename="fast")
    assert b'"up"' not in out
    assert out.count(b'"model":"fast"') == STREAM.count(b'"model":"up"')


@pytest.mark.parametrize("nonsense", [b'data: {"choices":[{\n\n', b"data: ping\n\n", b"data: [1]\n\n"])
def test_nonsense_in_a_stream_is_not_forwarded_and_nothing_after_it(nonsense):
    out, seen = watched(ROLE + delta("a") + nonsense + delta("b", finish="stop") + DONE)
    assert out == ROLE + delta("a")
    assert seen.malformed
    assert not seen.ended


@pytest.mark.parametrize("wrong", [-5, 2**60, "many", None])
def test_impossible_counts_are_unknown_not_believed(wrong):
    whole = {"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": wrong, "completion_tokens": 1}}
    usage = watch_whole(json.dumps(whole).encode()).usage
    assert usage is None or usage.input_total is None


def test_a_whole_answer_says_its_usage():
    whole = {"model": "up", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    whole["usage"] = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_cache_hit_tokens": 2}
    seen = watch_whole(json.dumps(whole).encode())
    assert seen.spoke
    assert seen.usage == Usage(input_total=3, output_total=4, cache_read=2)


@pytest.mark.parametrize("odd", [b'"\\ud83d"', b'"\xff"', b'"a","logprob":1e999'])
def test_odd_content_passes_as_it_came(odd):
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":' + odd + b"}}]}\n\n"
    out, seen = watched(ROLE + chunk + delta(finish="stop") + DONE)
    assert chunk in out
    assert seen.ended


def test_a_later_usage_keeps_what_it_does_not_say():
    later = frame(choices=[], usage={}) + frame(choices=[], usage={"completion_tokens": 9.0, "prompt_tokens": True})
    seen = watched(ROLE + delta("a", finish="stop") + USAGE + later + DONE)[1]
    assert seen.usage == Usage(input_total=12, output_total=9, cache_read=4, reasoning=2, doubtful=True)


def test_an_empty_usage_alone_is_no_report():
    assert watched(delta("a", finish="stop") + frame(choices=[], usage={}) + DONE)[1].usage is None


@pytest.mark.parametrize("nothing", ['""', "false", "null", "{}"])
def test_an_empty_error_is_none(nothing):
    chunk = b'data: {"error":' + nothing.encode() + b',"choices":[{"delta":{"content":"a"}}]}\n\n'
    assert watched(chunk)[1].error is None


@pytest.mark.parametrize("ends", ["\n\r\n", "\r\n\n", "\r\r", "\r\n\r\n"])
def test_blank_lines_of_every_kind_end_an_event(ends):
    stream = (ROLE + delta("a") + delta(finish="stop") + DONE).replace(b"\n\n", ends.encode())
    out, seen = watched(b"\xef\xbb\xbf" + stream, range(0, len(stream), 3))
    assert seen.ended
    assert out.replace(b"\xef\xbb\xbf", b"").startswith(stream[:40])


def test_a_rename_keeps_the_other_lines_of_an_event():
    named = b"id: 7\n" + delta("a")
    assert watched(named, rename="fast")[0] == named.replace(b'"up"', b'"fast"')


@pytest.mark.parametrize("body", [b"<html>", b'"text"', b"[1]", b"{", b'{"choices":"no"}'])
def test_a_body_that_is_no_completion_is_malformed(body):
    assert watch_whole(body).malformed


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"choices":[]}'])
def test_a_body_without_an_answer_does_not_speak(body):
    seen = watch_whole(body)
    assert not seen.spoke


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_noise_breaks_the_watch(pieces):
    watch = watch_stream(strip_usage=True, rename="x")
    for piece in pieces:
        watch.feed(piece)
    watch.close()
