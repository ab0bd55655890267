"""Watching an Ollama reply: bytes pass, and what they say is known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.ollama import PROTOCOL
from tests.protocols.ollama.said import call, generated, last, line

LAST = last(prompt_eval_count=12, eval_count=5)
STREAM = line('say "done":true', new={"a": 1}) + line("ü\u2028") + line(thinking="hm") + LAST
READ = Usage(input_total=12, output_total=5)


def watched(stream, cuts=(), **options):
    watch = PROTOCOL.watch_stream(**{"strip_usage": True, **options})
    edges = [0, *sorted(cuts), len(stream)]
    out = b"".join(watch.feed(stream[a:b]) for a, b in zip(edges, edges[1:], strict=False))
    return out + watch.close(), watch.seen


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_every_byte_passes_at_any_split(cuts):
    out, seen = watched(STREAM, cuts)
    assert out == STREAM
    assert (seen.ended, seen.finished, seen.spoke, seen.usage) == (True, True, True, READ)


def test_one_byte_at_a_time_and_with_other_line_ends_says_the_same():
    stream = STREAM.replace(b"\n", b"\r\n")
    out, seen = watched(stream, range(len(stream)))
    assert (out, seen.usage, seen.ended) == (stream, READ, True)


def test_blank_lines_do_not_pass():
    """D135."""
    stream = b"\n" + line("a") + b"\n\r\n" + LAST
    assert watched(stream)[0] == watched(stream, range(len(stream)))[0] == line("a") + LAST


@pytest.mark.parametrize(
    "said", [line("a"), line(thinking="a"), line(tool_calls=[call()]), generated("a"), generated(thinking="a")]
)
def test_text_thinking_and_calls_of_both_forms_are_speech(said):
    assert watched(said)[1].spoke


@pytest.mark.parametrize("said", [line(), generated(), line(tool_calls=[]), PROTOCOL.heartbeat])
def test_an_empty_line_is_not_yet_speech(said):
    assert not watched(said)[1].spoke


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_eval_count": 3, "eval_count": 4}, Usage(3, 4)),
        ({"eval_count": 4}, Usage(0, 4, estimated=True)),
        ({}, Usage(0, 0, estimated=True)),
        ({"prompt_eval_count": 3.0, "eval_count": -1}, Usage(3, 0, estimated=True)),
        ({"prompt_eval_count": "3", "eval_count": None}, Usage(0, 0, estimated=True)),
    ],
)
def test_counts_that_are_missing_are_zero_and_estimated(counts, usage):
    """D123."""
    assert watched(last(**counts))[1].usage == usage


def test_a_model_that_was_only_loaded_has_no_usage():
    assert watched(last("load"))[1].usage is None


def test_a_stream_cut_before_its_last_line_is_not_ended():
    """D143."""
    out, seen = watched(line("a") + line("b")[:30])
    assert out == line("a")
    assert not seen.ended
    assert not seen.finished


def test_a_last_line_without_its_end_counts():
    out, seen = watched(line("a") + LAST.rstrip())
    assert out == line("a") + LAST
    assert seen.ended


def test_nothing_passes_after_the_last_line():
    """D147."""
    assert watched(STREAM + line("late"))[0] == STREAM


@pytest.mark.parametrize("error", [b'{"error":"boom"}\n', b'{"error":{"message":"boom","code":"x"}}\n'])
@pytest.mark.parametrize("before", [b"", line("a")])
def test_an_error_line_is_seen_and_passes(error, before):
    """D149."""
    out, seen = watched(before + error + line("late"))
    assert out == before + error
    assert seen.error["message"] == "boom"
    assert not seen.ended


@pytest.mark.parametrize("nonsense", [b"<html>\n", b"[1]\n", b'{"done":\n', b'"text"\n', b'{"message":"a"}\n'])
def test_nonsense_is_not_forwarded_and_nothing_after_it(nonsense):
    """D140."""
    out, seen = watched(line("a") + nonsense + LAST)
    assert out == line("a")
    assert seen.malformed


def test_shapes_that_nobody_knows_yet_pass():
    stream = line("a", tool_calls=[{"type": "new", "x": 1}], logprobs="new") + LAST
    assert watched(stream)[0] == stream


def test_the_model_name_is_changed_in_every_line():
    out, _ = watched(STREAM, rename="fast")
    assert out == STREAM.replace(b'"model":"up"', b'"model":"fast"')


def test_a_line_whose_model_cannot_be_changed_does_not_pass():
    out, seen = watched(line("a") + b'{"mod\\u0065l":"up"}\n' + LAST, rename="fast")
    assert out == line("a").replace(b'"up"', b'"fast"')
    assert seen.malformed


def test_a_broken_stream_ends_with_a_line_that_clients_raise():
    """D150."""
    watch = PROTOCOL.watch_stream(strip_usage=False)
    watch.feed(line("a"))
    ending = watch.fail(ErrorFacts("upstream_truncated", "It broke off."))
    assert (json.loads(ending), ending[-1:]) == ({"error": "It broke off."}, b"\n")


def test_a_whole_answer_is_understood():
    body = json.dumps(json.loads(line("hi", done=True, prompt_eval_count=1, eval_count=2)), indent=1).encode()
    seen = PROTOCOL.watch_whole(body)
    assert (seen.spoke, seen.finished, seen.ended, seen.usage) == (True, True, True, Usage(1, 2))
    assert json.loads(PROTOCOL.rename_whole(body, "fast"))["model"] == "fast"


def test_a_whole_answer_that_is_an_error_or_nonsense_is_told_apart():
    """D141."""
    assert PROTOCOL.watch_whole(b'{"error":"boom"}').error == {"message": "boom"}
    assert PROTOCOL.watch_whole(b"<html>").malformed
    assert not PROTOCOL.watch_whole(b"").spoke
    assert not PROTOCOL.watch_whole(b"{}").spoke
