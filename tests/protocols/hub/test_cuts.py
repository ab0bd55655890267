"""What is left out of replies whose upstream could not be told to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.cuts import CutPrefill, FirstCallOnly, StopAt
from proxx.protocols.hub.events import (
    ArgsDelta,
    Cited,
    Ended,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    Started,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Citation, Reasoning, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold

USAGE = Usage(3, 4)


def answer(*parts, reason="stop"):
    return Reply((Choice(parts, Finished(reason)),), usage=USAGE)


def streamed(text, pieces):
    """Tell one text in pieces of these lengths, each read by itself."""
    yield [Started(), PartOpened(0, "text")]
    at = 0
    for length in [*pieces, len(text)]:
        if text[at : at + length]:
            yield [TextDelta(0, text[at : at + length])]
        at += length
    yield [PartClosed(0)]
    yield [Finished("stop"), UsageReported(USAGE), Ended()]


def told(mend, batches):
    return [event for batch in batches for event in mend(batch)]


def ending(text, pieces, sequences):
    reply = fold(told(StopAt(sequences), streamed(text, pieces)))
    return "".join(part.text for part in reply.choices[0].parts), reply.choices[0].finish


SEQUENCES = st.lists(st.text("ab\n", min_size=1, max_size=4), min_size=1, max_size=4)
PIECES = st.lists(st.integers(1, 5), max_size=12)


@given(st.text("ab\n", max_size=24), PIECES, SEQUENCES)
def test_the_answer_ends_before_the_sequence_that_is_complete_first(text, pieces, sequences):
    """D112: as a server would find it that looks after each character."""
    shown, finish = ending(text, pieces, sequences)
    for end in range(len(text) + 1):
        found = max((one for one in sequences if text[:end].endswith(one)), key=len, default="")
        if found:
            assert (shown, finish.reason, finish.stop_sequence) == (text[: end - len(found)], "stop_sequence", found)
            return
    assert (shown, finish.reason) == (text, "stop")


def test_only_what_may_begin_a_sequence_is_held_back():
    mend = StopAt(["###", "END"])
    mend([Started(), PartOpened(0, "text")])
    assert mend([TextDelta(0, "abc")]) == [TextDelta(0, "abc")]
    assert mend([TextDelta(0, "d##")]) == [TextDelta(0, "d")]
    assert mend([TextDelta(0, "!E")]) == [TextDelta(0, "##!")]
    assert mend([PartClosed(0)]) == [TextDelta(0, "E"), PartClosed(0)]


def test_nothing_is_said_after_the_stop():
    mend = StopAt(["X"])
    out = mend([Started(), PartOpened(0, "text"), TextDelta(0, "aXb"), TextDelta(0, "c")])
    assert out[2:] == [TextDelta(0, "a"), PartClosed(0), Finished("stop_sequence", 0, "X", "X"), Ended()]
    assert mend([TextDelta(0, "d"), PartClosed(0), Finished("length"), Ended()]) == []


def test_a_whole_answer_keeps_its_usage_sources_and_probabilities_up_to_the_stop():
    tokens = ({"token": "ab", "logprob": -1}, {"token": "cX", "logprob": -2})
    text = Text("abcXd", (Citation("u", end=2), Citation("v", end=5)), logprobs=tokens)
    reply = fold(StopAt(["X"])(unfold(answer(text, ToolCall("c", "f", "{}")))))
    assert reply.usage == USAGE
    assert reply.choices[0].parts == (Text("abc", (Citation("u", end=2),), logprobs=tokens[:1]),)


def test_thinking_refusals_and_arguments_are_not_looked_at():
    reply = answer(Reasoning("X"), Text("a"), ToolCall("c", "f", '{"X":1}'), reason="tool_calls")
    assert fold(StopAt(["X"])(unfold(reply))) == reply


def test_of_two_answers_each_is_stopped_by_itself():
    events = [Started(), PartOpened(0, "text", 0), PartOpened(1, "text", 1), TextDelta(0, "aX"), TextDelta(1, "b")]
    mend = StopAt(["X"], choices=2)
    out = mend(events) + mend([PartClosed(0), Finished("length", 0), PartClosed(1), Finished("stop", 1), Ended()])
    assert [choice.finish.reason for choice in fold(out).choices] == ["stop_sequence", "stop"]
    assert [part.text for choice in fold(out).choices for part in choice.parts] == ["a", "b"]


def test_only_the_first_call_of_an_answer_stays():
    """D76."""
    parts = (Text("a"), ToolCall("1", "f", "{}"), ToolCall("2", "g", "{}"), Text("b"))
    out = FirstCallOnly()(unfold(answer(*parts, reason="tool_calls")))
    assert fold(out) == answer(parts[0], parts[1], parts[3], reason="tool_calls")
    assert [event.part for event in out if isinstance(event, PartOpened)] == [0, 1, 2]


def test_deltas_of_interleaved_later_calls_are_left_out():
    """D76, with calls that grow at the same time."""
    mend = FirstCallOnly()
    out = mend([PartOpened(0, "call", id="1"), PartOpened(1, "call", id="2"), ArgsDelta(1, "x"), ArgsDelta(0, "{}")])
    assert out == [PartOpened(0, "call", id="1"), ArgsDelta(0, "{}")]
    assert mend([PartClosed(1), PartClosed(0)]) == [PartClosed(0)]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Once upon a time", " a time"),
        ("Once", "Once"),
        ("There", "There"),
        ("Once upon", ""),
        ("Once up!", "Once up!"),
    ],
)
@given(pieces=PIECES)
def test_a_repeated_beginning_is_cut_off_and_no_other(said, shown, pieces):
    """D33."""
    reply = fold(told(CutPrefill("Once upon"), streamed(said, pieces)))
    assert "".join(part.text for part in reply.choices[0].parts) == shown


def test_only_the_first_text_can_repeat_the_beginning():
    """D33."""
    reply = answer(Text("ab"), ToolCall("c", "f", "{}"), Text("ab"))
    shown = fold(CutPrefill("a")(unfold(reply))).choices[0].parts
    assert [part.text for part in shown if isinstance(part, Text)] == ["b", "ab"]


def test_sources_pass_beside_held_text():
    mend = StopAt(["##"])
    mend([PartOpened(0, "text"), TextDelta(0, "a#")])
    cited, given_ = Cited(0, Citation("u")), LogprobsGiven(0, ({"token": "a"},))
    assert mend([cited, given_]) == [cited, given_]
