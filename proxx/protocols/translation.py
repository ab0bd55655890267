"""A reply on its way from one dialect into another: the upstream's reader, the mends, the client's writer, in a row.

`StreamTranslation` is a `Watch` like those that let bytes pass, so the gateway need not know which of the two it
holds. The upstream's own errors are not translated here: the gateway judges them first, then has `fail` say them.
"""

from collections.abc import Sequence

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Broken,
    Ended,
    Event,
    Failed,
    Finished,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    UsageReported,
)
from proxx.protocols.hub.reply import Reply, fold, unfold
from proxx.protocols.spec import Mend, Seen, StreamReader, StreamWriter

_THOUGHT = (ReasoningDelta, SummaryDelta)
_SAID = (TextDelta, ArgsDelta, ReasoningDelta, SummaryDelta)


class StreamTranslation:
    """Translate one stream."""

    __slots__ = ("_calls", "_mends", "_reader", "_writer", "seen")

    def __init__(self, reader: StreamReader, mends: Sequence[Mend], writer: StreamWriter) -> None:
        self.seen = Seen()
        self._reader, self._mends, self._writer = reader, tuple(mends), writer
        self._calls: dict[int, str] = {}

    def feed(self, piece: bytes) -> bytes:
        """Take the upstream's bytes as they arrive; return the client's."""
        return self._told(self._reader.feed(piece))

    def close(self) -> bytes:
        """Say that the upstream has ended; return what its reader had held back."""
        return self._told(self._reader.close())

    def fail(self, facts: ErrorFacts) -> bytes:
        """End the client's stream with an error."""
        return self._writer.fail(facts)

    def replay(self, reply: Reply) -> bytes:
        """Tell a whole reply as this stream, for an upstream that did not stream when asked to."""
        return self._told(unfold(reply))

    def tell(self, events: Sequence[Event]) -> bytes:
        """Tell the next events of a whole reply, for one that is told in pieces."""
        return self._told(events)

    def _told(self, events: Sequence[Event]) -> bytes:
        if self.seen.ended or not events:
            return b""
        if self._mends:
            # Thinking that a mend leaves out is a sign of life all the same: nobody has to wait for its end to know.
            self.seen.spoke = self.seen.spoke or any(isinstance(event, _THOUGHT) for event in events)
        for mend in self._mends:
            events = mend(events)
        note(self.seen, events, self._calls)
        return self._writer.write(events)


def note(seen: Seen, events: Sequence[Event], calls: dict[int, str]) -> None:
    """Write into `seen` what these events say; `calls` remembers the ids of open calls between calls of this."""
    for event in events:
        if isinstance(event, _SAID):
            seen.spoke = True
            seen.frames += 1
            continue
        match event:
            case PartOpened(kind="call") | BlobGiven():
                seen.spoke = True
                _note_call(seen, event, calls)
            case PartClosed(whole=whole) if whole is not None:
                seen.spoke = True
            case Finished():
                if not seen.spoke:
                    seen.blank = event.reason
                seen.finished = seen.spoke = True
                seen.finish = event.reason
            case Started(usage=usage) | UsageReported(usage=usage):
                seen.usage = usage or seen.usage
            case Failed():
                seen.error = event.error
            case Broken():
                seen.malformed = event.why
                if event.call and not seen.spoke:
                    seen.blank = "malformed_call"
            case Ended():
                seen.ended = True


def _note_call(seen: Seen, event: PartOpened | BlobGiven, calls: dict[int, str]) -> None:
    if isinstance(event, PartOpened):
        calls[event.part] = event.id
        if seen.thinking is not None:
            seen.blobs[event.id] = seen.thinking
    elif event.part in calls:
        seen.blobs[calls[event.part]] = event.blob
    elif event.blob.kind == "thinking":
        seen.thinking = event.blob


def mended(reply: Reply, mends: Sequence[Mend]) -> Reply:
    """Return a whole reply as its mends leave it."""
    if not mends:
        return reply
    events: Sequence[Event] = unfold(reply)
    for mend in mends:
        events = mend(events)
    return fold(events)
