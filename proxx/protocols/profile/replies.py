"""What a profile does to the reasoning in a reply: told as text of the answer, or left out. A mend like those of the
hub, made for one reply."""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Event,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    SummaryDelta,
    TextDelta,
)
from proxx.protocols.spec import Mend

HEADING = "Reasoning:\n\n"
GAP = "\n\n"

_OF_A_PART = (TextDelta, ArgsDelta, ReasoningDelta, SummaryDelta, BlobGiven, Cited, LogprobsGiven, PartClosed)


class ReasoningRetold:
    """Turn reasoning into text under one heading per answer, or take it out.

    Signatures and encrypted reasoning go with it. The parts that stay are numbered without gaps.
    """

    def __init__(self, *, as_text: bool) -> None:
        self._as_text = as_text
        self._waiting: dict[int, PartOpened] = {}  # reasoning of which nothing was said yet
        self._pieces: dict[int, int] = {}  # retold parts: the piece of the summary that is being told
        self._numbers: dict[int, int] = {}
        self._headed: set[int] = set()  # choices
        self._next = 0

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events as the client is told them."""
        out: list[Event] = []
        for event in events:
            if isinstance(event, PartOpened):
                if event.kind == "reasoning":
                    self._waiting[event.part] = event
                else:
                    self._open(event, out)
            elif not isinstance(event, _OF_A_PART):
                out.append(event)
            elif event.part in self._waiting or event.part in self._pieces:
                self._retell(event, out)
            else:
                number = self._numbers[event.part]
                out.append(event if number == event.part else _numbered(event, number))
        return out

    def _open(self, event: PartOpened, out: list[Event]) -> None:
        self._numbers[event.part] = number = self._next
        self._next += 1
        out.append(event if number == event.part else _numbered(event, number))

    def _retell(self, event: Any, out: list[Event]) -> None:
        part = event.part
        if isinstance(event, PartClosed):
            self._waiting.pop(part, None)
            if self._pieces.pop(part, None) is not None:
                out += [TextDelta(self._numbers[part], GAP), PartClosed(self._numbers[part])]
        elif self._as_text and isinstance(event, ReasoningDelta | SummaryDelta) and event.text:
            piece = event.index if isinstance(event, SummaryDelta) else 0
            if part in self._waiting:
                self._begin(self._waiting.pop(part), out)
            elif piece != self._pieces[part]:
                out.append(TextDelta(self._numbers[part], GAP))
            self._pieces[part] = piece
            out.append(TextDelta(self._numbers[part], event.text))

    def _begin(self, opened: PartOpened, out: list[Event]) -> None:
        self._open(PartOpened(opened.part, "text", opened.choice), out)
        if opened.choice not in self._headed:
            self._headed.add(opened.choice)
            out.append(TextDelta(self._numbers[opened.part], HEADING))


def mends(shown: str) -> tuple[Mend, ...]:
    """Return what a reply must pass for this way to show reasoning: text, hidden, or empty for as it comes."""
    return (ReasoningRetold(as_text=shown == "text"),) if shown else ()


def _numbered(event: Any, number: int) -> Event:
    changed: Event = msgspec.structs.replace(event, part=number)
    return changed
