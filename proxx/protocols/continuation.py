"""A reply in several pieces: a turn that its provider pauses is sent back to it and goes on, and the client sees one
reply.

Parts are numbered through, the beginning is told once, the usage is the sum, and the end is the last one's. A pause
that nobody continues is told as cut off by length, with the usage so far.
"""

from collections.abc import Sequence

import msgspec

from proxx.protocols.hub.events import Ended, Event, Finished, PartOpened, Started, Usage, UsageReported
from proxx.protocols.hub.parts import Part
from proxx.protocols.hub.reply import Reply, fold, summed, unfold
from proxx.protocols.spec import Mend, StreamReader
from proxx.protocols.translation import StreamTranslation, note


class Continuation:
    """The events of all pieces so far. `paused` says that a piece has ended in a pause."""

    def __init__(self) -> None:
        self.paused = False
        self._told: list[Event] = []
        self._before: Usage | None = None  # of the pieces that have ended
        self._now: Usage | None = None
        self._offset = self._parts = 0
        self._pause: Finished | None = None

    def take(self, events: Sequence[Event]) -> list[Event]:
        """Return the events of the whole reply that these events of one piece are."""
        out = [told for event in events if (told := self._one(event)) is not None]
        self._told += out
        return out

    def parts(self) -> tuple[Part, ...]:
        """Return what was said in all pieces so far: the turn that the provider is to go on with."""
        said = [event for event in self._told if not isinstance(event, UsageReported)]
        return fold([*said, Finished("pause"), Ended()]).choices[0].parts

    def go_on(self) -> None:
        """Expect another piece."""
        self._before, self._now = self._total(), None
        self._offset, self._pause, self.paused = self._parts, None, False

    def give_up(self) -> list[Event]:
        """Return the end of a reply whose pause nobody continues."""
        self.paused = False
        return [Finished("length", raw=self._pause.raw if self._pause else ""), *self._usage(), Ended()]

    def _one(self, event: Event) -> Event | None:
        match event:
            case Started(usage=usage):
                self._now = usage or self._now
                return None if self._told else event
            case UsageReported(usage=usage):
                self._now = usage
                return None if self._pause else UsageReported(self._total() or usage)
            case Finished(reason="pause"):
                self._pause = event
                return None
            case Ended() if self._pause is not None:
                self.paused = True
                return None
            case Finished() | Ended():
                return event
            case PartOpened(part=part):
                self._parts = max(self._parts, part + self._offset + 1)
        if self._offset and hasattr(event, "part"):
            return msgspec.structs.replace(event, part=event.part + self._offset)
        return event

    def _total(self) -> Usage | None:
        used = [one for one in (self._before, self._now) if one is not None]
        return summed(used) if used else None

    def _usage(self) -> list[Event]:
        total = self._total()
        return [UsageReported(total)] if total is not None else []


def one_of(replies: Sequence[Reply]) -> Reply:
    """Return the whole replies to a turn and to its continuations as one."""
    continuation = Continuation()
    events = continuation.take(unfold(replies[0]))
    for reply in replies[1:]:
        continuation.go_on()
        events += continuation.take(unfold(reply))
    return fold([*events, *(continuation.give_up() if continuation.paused else ())])


class ContinuedTranslation(StreamTranslation):
    """Translates a stream that may come in pieces, each read by a reader of its own."""

    __slots__ = ("continuation",)

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.continuation = Continuation()

    def go_on(self, reader: StreamReader, mends: Sequence[Mend]) -> None:
        """Read the next piece."""
        self._reader, self._mends = reader, tuple(mends)
        self.continuation.go_on()

    def close(self) -> bytes:
        """Say that nothing follows: a pause is the end."""
        told = super().close()
        return told + self._write(self.continuation.give_up()) if self.continuation.paused else told

    def _told(self, events: Sequence[Event]) -> bytes:
        if self.seen.ended or not events:
            return b""
        for mend in self._mends:
            events = mend(events)
        return self._write(self.continuation.take(events))

    def _write(self, events: Sequence[Event]) -> bytes:
        note(self.seen, events, self._calls)
        return self._writer.write(events)
