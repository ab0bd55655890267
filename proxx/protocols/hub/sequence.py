"""One part at a time, for dialects whose streams cannot interleave: Messages, Responses, Gemini, Ollama.

Chat upstreams may send fragments of several calls in turns. The part that was opened first goes through at once, the
others wait, each with its own events in order, and follow when the one before them is closed.
"""

from collections.abc import Sequence

from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Broken,
    Cited,
    Ended,
    Event,
    Failed,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    SummaryDelta,
    TextDelta,
)

_TOLD = (TextDelta, ArgsDelta, ReasoningDelta, SummaryDelta, PartOpened, PartClosed, BlobGiven, Cited, LogprobsGiven)
_Told = (
    PartOpened | TextDelta | ArgsDelta | ReasoningDelta | SummaryDelta | BlobGiven | Cited | LogprobsGiven | PartClosed
)


class Sequencer:
    """Puts the events of one reply into an order in which never more than one part is open.

    A choice's end waits for its parts, the end of all for everything; a failure waits for nothing.
    """

    __slots__ = ("_ends", "_open", "_waiting")

    def __init__(self) -> None:
        self._open = -1
        self._waiting: dict[int, list[Event]] = {}  # by part, in the order in which they were opened
        self._ends: list[Event] = []

    def __call__(self, events: Sequence[Event]) -> Sequence[Event]:
        """Take events as they come; return those that may be told now."""
        if not self._waiting and self._undisturbed(events):
            return events
        ready: list[Event] = []
        for event in events:
            self._take(event, ready)
        return ready

    def _undisturbed(self, events: Sequence[Event]) -> bool:
        # The usual case, deltas of the open part, needs no new list.
        for event in events:
            if not isinstance(event, TextDelta | ArgsDelta | ReasoningDelta) or event.part != self._open:
                return False
        return True

    def _take(self, event: Event, ready: list[Event]) -> None:
        if isinstance(event, _TOLD):
            self._take_told(event, ready)
        elif isinstance(event, Finished | Ended) and self._waiting:
            self._ends.append(event)
        elif isinstance(event, Failed | Broken):
            self._waiting, self._ends = {}, []
            ready.append(event)
        else:
            ready.append(event)

    def _take_told(self, event: _Told, ready: list[Event]) -> None:
        if isinstance(event, PartOpened) and self._open < 0:
            self._open = event.part
        if event.part != self._open:
            self._waiting.setdefault(event.part, []).append(event)
            return
        ready.append(event)
        if isinstance(event, PartClosed):
            self._next(ready)

    def _next(self, ready: list[Event]) -> None:
        self._open = -1
        while self._waiting:
            part = next(iter(self._waiting))
            held = self._waiting.pop(part)
            ready += held
            if not isinstance(held[-1], PartClosed):
                self._open = part
                return
        ready += self._ends
        self._ends = []
