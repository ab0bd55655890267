"""Mends that leave something out of a reply, because its upstream could not be told to: text from a stop sequence on,
calls after the first, a repeated beginning.

Each is made for one reply and keeps its state between calls. What they say depends on the text alone, never on how it
was cut into deltas.
"""

from collections.abc import Sequence

import msgspec

from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Ended,
    Event,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    SummaryDelta,
    TextDelta,
    UsageReported,
)

_OF_A_PART = (TextDelta, ArgsDelta, ReasoningDelta, SummaryDelta, BlobGiven, Cited, LogprobsGiven, PartClosed)


class StopAt:
    """End each answer before the first of these sequences in its text, as its upstream could not be asked to.

    Refusals, thinking and calls are not looked at. Once all `choices` have come to an end, nothing more is said, so
    the gateway can hang up; the usage is told only if it came in time.
    """

    def __init__(self, sequences: Sequence[str], *, choices: int = 1) -> None:
        self._sequences = tuple(dict.fromkeys(one for one in sequences if one))
        self._firsts = frozenset(one[0] for one in self._sequences)
        self._longest = max((len(one) for one in self._sequences), default=0)
        self._running = choices
        self._open: dict[int, PartOpened] = {}
        self._held: dict[int, str] = {}  # of text parts: what may be the beginning of a sequence
        self._said: dict[int, int] = {}  # of a stopped part: how many characters it has
        self._stopped: set[int] = set()
        self._gone: set[int] = set()  # parts that are not to be heard of any more
        self._ended = False

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events up to the stop."""
        out: list[Event] = []
        for place, event in enumerate(events):
            if self._ended:
                break
            self._take(event, events[place + 1 :], out)
        return out

    def _take(self, event: Event, later: Sequence[Event], out: list[Event]) -> None:
        match event:
            case PartOpened():
                if event.choice in self._stopped:
                    self._gone.add(event.part)
                    return
                self._open[event.part] = event
                if event.kind == "text":
                    self._held[event.part], self._said[event.part] = "", 0
            case TextDelta() if event.part in self._held:
                self._text(event, later, out)
                return
            case PartClosed() if event.part in self._open:
                held = self._held.pop(event.part, "")
                del self._open[event.part]
                if held:
                    out.append(TextDelta(event.part, held))
            case Finished():
                if event.choice in self._stopped:
                    return
                self._running -= 1
        if not (isinstance(event, _OF_A_PART) and event.part in self._gone):
            out.append(event)

    def _text(self, event: TextDelta, later: Sequence[Event], out: list[Event]) -> None:
        text = self._held[event.part] + event.text
        found = self._first(text)
        end = found[0] if found else len(text) - self._possible(text)
        self._held[event.part] = text[end:]
        self._said[event.part] += end
        if end:
            out.append(event if end == len(event.text) == len(text) else TextDelta(event.part, text[:end]))
        if found:
            self._stop(event.part, found[1], later, out)

    def _first(self, text: str) -> tuple[int, str] | None:
        """Return the match that is complete first, as a server that looks after each token would find it."""
        starts = [(text.find(one), one) for one in self._sequences]
        matches = [(start + len(one), start, one) for start, one in starts if start >= 0]
        return min(matches)[1:] if matches else None

    def _possible(self, text: str) -> int:
        """Return how many characters at the end may be the beginning of a sequence."""
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            if text[start] in self._firsts:
                tail = text[start:]
                if any(one.startswith(tail) for one in self._sequences):
                    return len(tail)
        return 0

    def _stop(self, part: int, sequence: str, later: Sequence[Event], out: list[Event]) -> None:
        choice = self._open[part].choice
        out.extend(self._belonging(part, later))
        for number in [number for number, opened in self._open.items() if opened.choice == choice]:
            del self._open[number]
            self._held.pop(number, None)
            self._gone.add(number)
            out.append(PartClosed(number))
        self._stopped.add(choice)
        out.append(Finished("stop_sequence", choice, sequence, sequence))
        self._running -= 1
        if self._running <= 0:
            out.extend([event for event in later if isinstance(event, UsageReported)][-1:])
            out.append(Ended())
            self._ended = True

    def _belonging(self, part: int, later: Sequence[Event]) -> list[Event]:
        """Return what already came and belongs to the text that stays: sources, and probabilities of its tokens."""
        kept: list[Event] = []
        room = self._said[part]
        for event in later:
            if isinstance(event, Cited) and event.part == part and (event.citation.end or 0) <= self._said[part]:
                kept.append(event)
            elif isinstance(event, LogprobsGiven) and event.part == part:
                tokens = []
                for token in event.tokens:
                    room -= len(str(token.get("token", "")))
                    if room < 0:
                        break
                    tokens.append(token)
                kept += [LogprobsGiven(part, tuple(tokens))] if tokens else []
        return kept


class FirstCallOnly:
    """Leave out all calls but each answer's first, for a caller who asked for one at a time (D76)."""

    def __init__(self) -> None:
        self._calling: set[int] = set()  # choices
        self._gone: set[int] = set()
        self._numbers: dict[int, int] = {}

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events without later calls; the parts that stay are numbered without gaps."""
        out: list[Event] = []
        for event in events:
            if isinstance(event, PartOpened) and not self._stays(event):
                self._gone.add(event.part)
                continue
            if isinstance(event, PartOpened):
                self._numbers[event.part] = event.part - len(self._gone)
            elif not isinstance(event, _OF_A_PART):
                out.append(event)
                continue
            elif event.part in self._gone:
                continue
            number = self._numbers.get(event.part, event.part)
            out.append(event if number == event.part else msgspec.structs.replace(event, part=number))
        return out

    def _stays(self, opened: PartOpened) -> bool:
        if opened.kind != "call":
            return True
        first = opened.choice not in self._calling
        self._calling.add(opened.choice)
        return first


class CutPrefill:
    """Take off the beginning that the caller wrote and the model repeats (D33); other beginnings stay as they are."""

    def __init__(self, text: str) -> None:
        self._prefill = text
        self._held: dict[int, str] = {}  # text parts that have only repeated so far
        self._begun: set[int] = set()  # choices

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events without the repetition."""
        if not self._held and self._begun and not any(isinstance(event, PartOpened) for event in events):
            return list(events)
        out: list[Event] = []
        for event in events:
            if isinstance(event, PartOpened) and event.kind == "text" and event.choice not in self._begun:
                self._begun.add(event.choice)
                self._held[event.part] = ""
            elif isinstance(event, TextDelta) and event.part in self._held:
                self._text(event, out)
                continue
            elif isinstance(event, PartClosed) and event.part in self._held:
                held = self._held.pop(event.part)
                out += [TextDelta(event.part, held)] if held and held != self._prefill else []
            out.append(event)
        return out

    def _text(self, event: TextDelta, out: list[Event]) -> None:
        text = self._held[event.part] + event.text
        if len(text) <= len(self._prefill) and self._prefill.startswith(text):
            self._held[event.part] = text
            return
        del self._held[event.part]
        rest = text.removeprefix(self._prefill)
        if rest:
            out.append(TextDelta(event.part, rest))
