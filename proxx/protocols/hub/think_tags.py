"""Thinking that a model prints between tags at the beginning of its text, moved to where thinking belongs (D46).

Only for models that are known to do so: a text may speak of the tags. An unclosed tag means that all was thinking.
"""

from collections.abc import Sequence

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

OPENING, CLOSING = "<think>", "</think>"

_OF_A_PART = (
    PartOpened | TextDelta | ArgsDelta | ReasoningDelta | SummaryDelta | BlobGiven | Cited | LogprobsGiven | PartClosed
)


class SplitThinking:
    """The mend for one reply. `opened`: the template has already written the opening tag, only the end will be seen."""

    __slots__ = ("_at", "_choices", "_extra", "_held", "_opened", "_said", "_state")

    def __init__(self, *, opened: bool = False) -> None:
        self._opened = opened
        self._choices: set[int] = set()  # whose first text has been seen
        self._state = ""  # of the text that is looked at: "", head, thinking, gap or text
        self._at = PartOpened(-1, "text")
        self._held = ""
        self._said = False  # some thinking: line ends before it are dropped
        self._extra = 0  # parts that were put in, by which all later numbers grow

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events with thinking and text apart."""
        out: list[Event] = []
        for event in events:
            if not isinstance(event, _OF_A_PART):
                out.append(event)
            elif self._state and event.part == self._at.part:
                self._looked_at(event, out)
            elif isinstance(event, PartOpened) and event.kind == "text" and event.choice not in self._choices:
                self._choices.add(event.choice)
                self._at, self._held, self._said = event, "", False
                self._state = "thinking" if self._opened else "head"
                if self._opened:
                    out.append(self._numbered(PartOpened(event.part, "reasoning", event.choice)))
            else:
                out.append(self._numbered(event))
        return out

    def _looked_at(self, event: _OF_A_PART, out: list[Event]) -> None:
        if isinstance(event, TextDelta):
            self._text(event.text, out)
        elif isinstance(event, PartClosed):
            self._close(event, out)
        elif self._state == "text":
            out.append(self._numbered(event))

    def _text(self, text: str, out: list[Event]) -> None:
        text = self._held + text
        self._held = ""
        if self._state == "head":
            text = self._head(text, out)
        if self._state == "thinking" and text:
            text = self._thinking(text, out)
        if self._state == "gap" and (text := text.lstrip()):
            self._begin_text(out)
        if self._state == "text" and text:
            out.append(self._numbered(TextDelta(self._at.part, text)))

    def _head(self, text: str, out: list[Event]) -> str:
        start = text.lstrip()
        if OPENING.startswith(start[: len(OPENING)]) and len(start) < len(OPENING):
            self._held = text
            return ""
        if not start.startswith(OPENING):
            self._begin_text(out)
            return text
        self._state = "thinking"
        out.append(self._numbered(PartOpened(self._at.part, "reasoning", self._at.choice)))
        return start.removeprefix(OPENING)

    def _thinking(self, text: str, out: list[Event]) -> str:
        if not self._said:
            text = text.lstrip("\n")
        thought, closing, rest = text.partition(CLOSING)
        if not closing:
            held = next((size for size in range(len(CLOSING) - 1, 0, -1) if text.endswith(CLOSING[:size])), 0)
            thought, self._held = text[: len(text) - held], text[len(text) - held :]
        if thought:
            self._said = True
            out.append(self._numbered(ReasoningDelta(self._at.part, thought)))
        if closing:
            out.append(self._numbered(PartClosed(self._at.part)))
            self._extra += 1
            self._state = "gap"
        return rest

    def _begin_text(self, out: list[Event]) -> None:
        self._state = "text"
        out.append(self._numbered(self._at))

    def _close(self, event: PartClosed, out: list[Event]) -> None:
        state, held = self._state, self._held
        self._state = self._held = ""
        if state == "gap":  # there was no text after the thinking
            self._extra -= 1
            return
        if state == "head":
            out.append(self._numbered(self._at))
        if held:
            delta = ReasoningDelta if state == "thinking" else TextDelta
            out.append(self._numbered(delta(event.part, held)))
        out.append(self._numbered(event))

    def _numbered(self, event: _OF_A_PART) -> Event:
        return msgspec.structs.replace(event, part=event.part + self._extra) if self._extra else event
