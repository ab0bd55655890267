"""An Ollama reply read into events."""

import json

import pytest

from proxx.protocols.hub.events import (
    ArgsDelta,
    Broken,
    Ended,
    Failed,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Reasoning, Text, ToolCall
from proxx.protocols.hub.reply import fold
from proxx.protocols.hub.target import Target
from proxx.protocols.ollama import PROTOCOL
from tests.protocols.ollama.said import call, generated, last, line

TARGET = Target("ollama", "up", "ollama")
LAST = last(prompt_eval_count=12, eval_count=5)


def read(stream, *, quirks=(), step=None):
    reader = PROTOCOL.stream_reader(Target("ollama", "up", "ollama", frozenset(quirks)), "c0ffee")
    step = step or len(stream)
    events = [event for at in range(0, len(stream), step) for event in reader.feed(stream[at : at + step])]
    return [*events, *reader.close()]


def parts(stream, **options):
    return fold(read(stream, **options)).choices[0].parts


def test_a_stream_is_told_in_order():
    assert read(line(thinking="hm") + line("a") + line("b") + LAST) == [
        Started("", "up", 1795266000),
        PartOpened(0, "reasoning"),
        ReasoningDelta(0, "hm"),
        PartClosed(0),
        PartOpened(1, "text"),
        TextDelta(1, "a"),
        TextDelta(1, "b"),
        PartClosed(1),
        Finished("stop", raw="stop"),
        UsageReported(Usage(12, 5)),
        Ended(),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_one_byte_at_a_time_says_the_same(end):
    stream = line(thinking="ü") + line("日本\u2028") + line(tool_calls=[call(x=1)]) + LAST
    assert read(stream.replace(b"\n", end), step=1) == read(stream)


def test_calls_of_one_line_are_whole_parts_with_ids_of_their_own():
    """D8, D14: two calls of one tool do not share an id, and the same answer has the same ids."""
    stream = line(tool_calls=[call("f", x=1), call("f", x=1)]) + LAST
    one, two = parts(stream)
    assert (one.name, one.args, two.args) == ("f", '{"x":1}', '{"x":1}')
    assert one.id.startswith("call_")
    assert one.id != two.id
    assert parts(stream, step=3) == (one, two)


def test_an_id_that_was_given_is_kept():
    """D14."""
    assert parts(line(tool_calls=[{"id": "call_x", **call("f")}]) + LAST) == (ToolCall("call_x", "f", "{}"),)


@pytest.mark.parametrize(
    ("arguments", "args"),
    [
        ('{"b": 1.0, "a": 1e2, "n": 12345678901234567890123}',) * 2,
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ('{"name":"f","arguments":{"a": 1}}', '{"a": 1}'),
        ("null", ""),
        ("{}", "{}"),
    ],
)
def test_arguments_are_the_models_own_text(arguments, args):
    """D10, D11, D183."""
    raw = b'{"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":%b}}]},"done":true}\n'
    assert parts(raw % arguments.encode()) == (ToolCall("c", "f", args),)


@pytest.mark.parametrize(
    ("reason", "calls", "finish"),
    [
        ("stop", [], "stop"),
        ("stop", [call()], "tool_calls"),
        ("length", [call()], "length"),
        ("load", [], "stop"),
        ("unload", [], "stop"),
        ("new", [], "other"),
    ],
)
def test_why_it_ended(reason, calls, finish):
    """D51, D52: calls override only a plain stop."""
    ending = fold(read(line(tool_calls=calls) + last(reason))).choices[0].finish
    assert (ending.reason, ending.raw) == (finish, reason)


def test_calls_and_text_in_the_last_line_are_read():
    assert parts(line("a", done=True, tool_calls=[call(x=1)]))[0] == Text("a")


def test_missing_counts_are_zero_and_estimated():
    """D123."""
    assert fold(read(last(eval_count=3))).usage == Usage(0, 3, estimated=True)


def test_probabilities_belong_to_the_text():
    token = {"token": "a", "logprob": -0.1, "top_logprobs": []}
    assert LogprobsGiven(0, (token,)) in read(line("a", logprobs=[token]) + LAST)


def test_generated_text_is_read_too():
    stream = generated(thinking="hm") + generated("a") + generated(done=True, done_reason="stop", context=[1, 2])
    assert parts(stream) == (Reasoning("hm"), Text("a"))


def test_a_server_that_repeats_itself_is_heard_once():
    """F-121."""
    stream = line("a") + line("ab") + line("ab") + line("abc", done=True, done_reason="stop")
    assert parts(stream, quirks=["cumulative_lines"]) == (Text("abc"),)
    assert parts(stream) == (Text("aabababc"),)


def test_an_end_without_a_last_line_is_no_end():
    """D143."""
    assert Ended() not in read(line("a"))
    assert read(line("a") + LAST.rstrip())[-1] == Ended()


def test_nothing_is_read_after_the_end():
    """D147."""
    assert read(line("a") + LAST + line("late") + LAST) == read(line("a") + LAST)


def test_an_error_line_ends_it():
    """D149."""
    assert read(line("a") + b'{"error":"boom"}\n' + LAST)[-1] == Failed({"message": "boom"})


@pytest.mark.parametrize("nonsense", [b"<html>\n", b"[]\n", b'{"message":{"content":[]}}\n'])
def test_nonsense_ends_it(nonsense):
    assert isinstance(read(line("a") + nonsense + LAST)[-1], Broken)


def test_half_a_character_is_read_as_a_replacement():
    """D49."""
    assert parts(b'{"message":{"content":"a\\ud83d"},"done":true}\n') == (Text("a\ufffd"),)


@pytest.mark.parametrize("done", [True, False])
def test_a_whole_answer_is_read_like_the_stream(done):
    body = json.loads(line("a", done=done, thinking="hm", tool_calls=[call(x=1)], eval_count=1, prompt_eval_count=2))
    reply = PROTOCOL.read_whole(json.dumps(body, indent=2).encode(), TARGET, "c0ffee")
    assert [type(part) for part in reply.choices[0].parts] == [Reasoning, Text, ToolCall]
    assert (reply.usage, reply.model) == (Usage(2, 1), "up")


def test_a_part_is_closed_before_the_next_opens():
    events = read(line("a", thinking="b", tool_calls=[call()]) + line("c") + LAST)
    open_parts = set()
    for event in events:
        if isinstance(event, PartOpened):
            assert not open_parts
            open_parts.add(event.part)
        if isinstance(event, PartClosed):
            open_parts.remove(event.part)
        if isinstance(event, TextDelta | ReasoningDelta | ArgsDelta):
            assert event.part in open_parts
    assert not open_parts
