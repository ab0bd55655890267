"""What a translation keeps for calls whose client may lose it."""

from proxx.protocols.hub.events import BlobGiven, PartClosed, PartOpened
from proxx.protocols.hub.parts import Blob
from proxx.protocols.spec import Seen
from proxx.protocols.translation import note

THINKING = Blob("thinking", "hm", "openai_chat", "deepseek")
SIGNATURE = Blob("signature", "s", "anthropic", "claude")
CALL = [PartOpened(1, "call", id="a"), PartClosed(1), PartOpened(2, "call", id="b"), PartClosed(2)]


def kept(*events):
    seen = Seen()
    note(seen, events, {})
    return seen.blobs


def test_thinking_that_must_come_back_is_kept_by_the_calls_that_follow_it():
    """D94."""
    assert kept(PartOpened(0, "reasoning"), BlobGiven(0, THINKING), PartClosed(0), *CALL) == {
        "a": THINKING,
        "b": THINKING,
    }


def test_what_a_call_itself_was_signed_with_counts_more():
    own = Blob("thought", "t", "gemini", "gemini")
    opened = PartOpened(1, "call", id="a")
    assert kept(PartOpened(0, "reasoning"), BlobGiven(0, THINKING), opened, BlobGiven(1, own)) == {"a": own}


def test_signatures_of_thinking_are_left_to_their_own_place():
    assert kept(PartOpened(0, "reasoning"), BlobGiven(0, SIGNATURE), *CALL) == {}
