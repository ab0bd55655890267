"""A whole answer in pieces of one word: nothing is lost, whatever the pieces."""

from proxx.gateway.pacing import PacedWatch, groups
from proxx.protocols.hub.events import Finished, ReasoningDelta, TextDelta
from proxx.protocols.hub.parts import Reasoning, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.translation import StreamTranslation

PARTS = (Reasoning("I look  around."), Text(" one two\n\nthree "), ToolCall("call_1", "shell", '{"a": 1}'), Text(""))
REPLY = Reply((Choice(PARTS, Finished("stop")),))


class Told:
    """A writer that says what text it was told, one word a line."""

    def write(self, events):
        return b"".join(event.text.encode() + b"|" for event in events if isinstance(event, TextDelta | ReasoningDelta))

    def fail(self, facts):
        return b"failed"


def test_groups_say_one_word_each_and_together_the_whole():
    """F-120."""
    found = groups(unfold(REPLY))
    assert fold([event for group in found for event in group]) == REPLY
    words = [event.text for group in found for event in group if isinstance(event, TextDelta | ReasoningDelta)]
    assert words == ["I ", "look  ", "around.", " one ", "two\n\n", "three "]
    assert max(sum(isinstance(event, TextDelta | ReasoningDelta) for event in group) for group in found) == 1


def test_each_feed_tells_a_word_and_closing_tells_the_rest():
    watch = PacedWatch(StreamTranslation(None, (), Told()), REPLY)
    assert watch.feed(b"whatever") == b"I |"
    assert watch.feed(b"") == b"look  |"
    assert (watch.seen.spoke, watch.seen.ended) == (True, False)
    assert watch.close() == b"around.| one |two\n\n|three |"
    assert watch.seen.ended
    assert (watch.feed(b""), watch.close()) == (b"", b"")


def test_a_paced_answer_can_still_fail():
    assert PacedWatch(StreamTranslation(None, (), Told()), REPLY).fail(None) == b"failed"
