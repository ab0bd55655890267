"""An upstream's stream -> events. How an answer ended is told when the connection ends: until then it may go on."""

import msgspec

from proxx.protocols.framing.json_array import NoArray
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.gemini.read_reply.choice import Choice, Numbers
from proxx.protocols.gemini.read_reply.cut import DONE, Cutter
from proxx.protocols.gemini.read_reply.finish import blocked
from proxx.protocols.gemini.read_reply.usage import read_usage
from proxx.protocols.gemini.read_reply.watch import COUNTED_EVERY, NO_OBJECT, error_of
from proxx.protocols.gemini.read_reply.wire import NOTHING, Chunk, chunk
from proxx.protocols.hub.events import (
    Broken,
    Ended,
    Event,
    Failed,
    Finished,
    Started,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.target import Target

_NO_SIGNATURE = {
    "code": 400,
    "status": "INVALID_ARGUMENT",
    "message": "A function call of the history lacks its thought signature.",
}


class StreamReader:
    """Reads one stream of `target`; ids of calls without one are made of the reply's id, else of `call_id`."""

    __slots__ = (
        "_call_id", "_choices", "_cutter", "_id", "_latest", "_numbers", "_over", "_refused", "_started", "_uncounted",
        "_usage",
    )  # fmt: skip

    def __init__(self, target: Target, call_id: str) -> None:
        self._cutter = Cutter()
        self._call_id = self._id = call_id
        self._numbers = Numbers(target.facts.family or "gemini")
        self._choices: dict[int, Choice] = {}
        self._usage: Usage | None = None
        self._latest = msgspec.Raw()  # usage, as it was last said
        self._uncounted = 0  # objects since it was last read
        self._started = self._over = False
        self._refused: Finished | None = None

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""
        if self._over:
            return []
        try:
            found = self._cutter.feed(piece)
        except NoArray:
            return self._end(Broken(NO_OBJECT))
        events: list[Event] = []
        for _, data in found:
            self._read(data, events)
        return events

    def close(self) -> list[Event]:
        """Tell the end of an answer that gave a reason for it; nothing if it broke off."""
        events: list[Event] = []
        for _, data in self._cutter.close():
            self._read(data, events, last=True)
        if not self._over:
            self.finish(events)
        return events

    def take(self, found: Chunk, events: list[Event]) -> None:
        """Add to `events` what one object says."""
        if not self._started:
            self._start(found, events)
        if found.error and bytes(found.error) not in NOTHING:
            events.append(self._fails(error_of(bytes(found.error))))
            return
        for candidate in found.candidates or ():
            index = candidate.index or 0
            choice = self._choices.get(index)
            if choice is None:
                choice = self._choices[index] = Choice(index, self._numbers)
            choice.take(candidate, events)
        if found.feedback is not None and found.feedback.block and not self._choices:
            self._refused = blocked(found.feedback.block, found.feedback.message or "")
        if found.usage:
            self._latest = found.usage
            self._uncounted += 1
            if self._uncounted >= COUNTED_EVERY:
                self._count(events)

    def finish(self, events: list[Event], *, whole: bool = False) -> None:
        """Add how all answers ended. A whole reply has come to its end even if it does not say why."""
        self._count(events)
        if self._refused is not None and not self._choices:
            events += [self._refused, Ended()]
            self._over = True
            return
        ready = all(choice.finish or (whole and choice.said) for choice in self._choices.values())
        if not self._choices or not ready:
            return
        choices = [self._choices[index] for index in sorted(self._choices)]
        ends = [choice.finished() for choice in choices]
        if not whole and any(end.reason == "malformed_call" for end in ends):
            events.append(self._end(Broken("a call of a function that is not one", call=True))[0])
            return
        if not whole and any(end.reason == "error" for end in ends):
            events.append(self._fails(dict(_NO_SIGNATURE)))
            return
        for choice, end in zip(choices, ends, strict=True):
            choice.close(events)
            events.append(end)
        searches = sum(choice.searches for choice in choices)
        if searches and self._usage is not None:
            self._usage = msgspec.structs.replace(self._usage, web_searches=searches)
            events.append(UsageReported(self._usage))
        events.append(Ended())
        self._over = True

    def _read(self, data: bytes, events: list[Event], *, last: bool = False) -> None:
        if self._over or data == DONE:
            return
        try:
            found = decode(chunk, data)
        except FAULTS:
            if not last:  # a last event without its blank line may be half of one
                events += self._end(Broken(NO_OBJECT))
            return
        self.take(found, events)

    def _start(self, found: Chunk, events: list[Event]) -> None:
        self._started = True
        self._id = found.id or self._call_id
        self._numbers.reply_id = self._id
        self._usage = read_usage(found.usage)
        events.append(Started(found.id or "", found.model or "", None, self._usage))

    def _count(self, events: list[Event]) -> None:
        self._uncounted = 0
        usage = read_usage(self._latest, self._usage)
        if usage is not None and usage != self._usage:
            self._usage = usage
            events.append(UsageReported(usage))

    def _fails(self, error: dict[str, object]) -> Failed:
        self._over = True
        return Failed(error)

    def _end(self, event: Event) -> list[Event]:
        self._over = True
        return [event]
