"""Parts that come in turns are told one after another."""

from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import (
    ArgsDelta,
    Ended,
    Event,
    Failed,
    Finished,
    PartClosed,
    PartOpened,
    Started,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.reply import fold
from proxx.protocols.hub.sequence import Sequencer


def call(part: int, choice: int = 0) -> PartOpened:
    return PartOpened(part, "call", choice, f"call_{part}", "look")


def test_three_calls_in_turns_become_three_blocks_in_their_order():
    """D1."""
    turns: list[Event] = [call(0), call(1), call(2)]
    turns += [ArgsDelta(2, "c"), ArgsDelta(0, "a"), ArgsDelta(1, "b"), ArgsDelta(0, "A")]
    turns += [PartClosed(0), PartClosed(1), PartClosed(2), Finished("tool_calls"), Ended()]
    told = list(Sequencer()(turns))
    assert told == [
        *[call(0), ArgsDelta(0, "a"), ArgsDelta(0, "A"), PartClosed(0)],
        *[call(1), ArgsDelta(1, "b"), PartClosed(1)],
        *[call(2), ArgsDelta(2, "c"), PartClosed(2)],
        *[Finished("tool_calls"), Ended()],
    ]


def test_the_open_part_is_told_at_once_and_the_next_as_soon_as_it_closes():
    sequencer = Sequencer()
    assert list(sequencer([call(0), call(1), ArgsDelta(0, "a")])) == [call(0), ArgsDelta(0, "a")]
    assert list(sequencer([ArgsDelta(1, "b")])) == []
    assert list(sequencer([PartClosed(0)])) == [PartClosed(0), call(1), ArgsDelta(1, "b")]
    assert list(sequencer([ArgsDelta(1, "B")])) == [ArgsDelta(1, "B")]


def test_the_end_of_a_choice_waits_for_parts_that_wait():
    sequencer = Sequencer()
    sequencer([PartOpened(0, "text", 0), PartOpened(1, "text", 1), TextDelta(1, "b"), PartClosed(1)])
    assert list(sequencer([Finished("stop", 1)])) == []
    assert list(sequencer([PartClosed(0), Finished("stop", 0), Ended()])) == [
        *[PartClosed(0), PartOpened(1, "text", 1), TextDelta(1, "b"), PartClosed(1)],
        *[Finished("stop", 1), Finished("stop", 0), Ended()],
    ]


def test_usage_passes_and_a_failure_waits_for_nothing():
    sequencer = Sequencer()
    sequencer([call(0), call(1), ArgsDelta(1, "b")])
    usage = UsageReported(Usage(1, 2))
    assert list(sequencer([usage])) == [usage]
    assert list(sequencer([Failed({"message": "no"})])) == [Failed({"message": "no"})]


@given(
    st.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2]),
    st.lists(st.integers(1, 4), max_size=12),
)
def test_no_order_of_turns_and_no_way_of_cutting_changes_the_reply(turns: list[int], cuts: list[int]):
    events: list[Event] = [Started("r", "m"), call(0), call(1), call(2)]
    events += [ArgsDelta(part, f"{part}.{place}") for place, part in enumerate(turns)]
    events += [PartClosed(2), PartClosed(0), PartClosed(1), Finished("tool_calls"), Ended()]
    sequencer, told, at = Sequencer(), [], 0
    for cut in [*cuts, len(events)]:
        told += sequencer(events[at : at + cut])
        at += cut
    assert fold(told) == fold(events)
    assert most_open(told) == 1


def most_open(events: list[Event]) -> int:
    now = most = 0
    for event in events:
        now += isinstance(event, PartOpened) - isinstance(event, PartClosed)
        most = max(most, now)
    return most
