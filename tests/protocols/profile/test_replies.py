"""Reasoning in replies, told as text or left out: whole and in any pieces."""

import pytest

from proxx.protocols.hub.events import Ended, Finished, PartClosed, PartOpened, ReasoningDelta, Started, TextDelta
from proxx.protocols.hub.parts import Blob, Reasoning, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.profile.replies import GAP, HEADING, ReasoningRetold, mends
from proxx.protocols.translation import StreamTranslation, mended

BLOB = Blob("encrypted", "secret", "openai_responses")
REPLY = Reply(
    (
        Choice(
            (
                Reasoning(summary=("First I look.", "Then I see."), blob=BLOB),
                Reasoning(blob=BLOB),
                Text("Here."),
                Reasoning("More thought."),
                ToolCall("call_1", "shell", "{}"),
            ),
            Finished("tool_calls"),
        ),
    )
)


def retold(*, as_text):
    return mended(REPLY, (ReasoningRetold(as_text=as_text),)).choices[0].parts


def test_reasoning_is_told_as_text_under_one_heading():
    """F-114."""
    told = [part.text for part in retold(as_text=True) if isinstance(part, Text)]
    assert told == [f"{HEADING}First I look.{GAP}Then I see.{GAP}", "Here.", f"More thought.{GAP}"]
    assert retold(as_text=True)[-1] == ToolCall("call_1", "shell", "{}")


def test_hidden_reasoning_leaves_nothing_behind():
    """F-115."""
    assert retold(as_text=False) == (Text("Here."), ToolCall("call_1", "shell", "{}"))


@pytest.mark.parametrize("as_text", [True, False])
def test_one_event_at_a_time_says_the_same_with_parts_numbered_without_gaps(as_text):
    mend = ReasoningRetold(as_text=as_text)
    events = [event for one in unfold(REPLY) for event in mend([one])]
    assert fold(events).choices[0].parts == retold(as_text=as_text)
    numbers = [event.part for event in events if isinstance(event, PartOpened)]
    assert numbers == list(range(len(numbers)))


def test_a_heading_stands_once_in_each_answer():
    """F-114."""
    events = [Started()]
    for choice in (0, 1):
        for part in (2 * choice, 2 * choice + 1):
            events += [PartOpened(part, "reasoning", choice), ReasoningDelta(part, "x"), PartClosed(part)]
        events.append(Finished("stop", choice))
    told = ReasoningRetold(as_text=True)([*events, Ended()])
    assert sum(event == TextDelta(event.part, HEADING) for event in told if isinstance(event, TextDelta)) == 2


class Reader:
    """A reader that was told what it reads."""

    def feed(self, piece):
        return [Started(), PartOpened(0, "reasoning"), ReasoningDelta(0, "I look.")]


class Writer:
    """A writer that counts what it is told."""

    def write(self, events):
        return b"." * len(events)


def test_thinking_that_is_hidden_is_a_sign_of_life_all_the_same():
    """F-115."""
    telling = StreamTranslation(Reader(), mends("hidden"), Writer())
    assert telling.feed(b"") == b".", "only the beginning is told"
    assert telling.seen.spoke


def test_without_a_wish_there_is_no_mend():
    assert mends("") == ()
    assert len(mends("hidden")) == 1
