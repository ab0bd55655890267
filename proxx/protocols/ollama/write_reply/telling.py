"""What a reply comes to in Ollama's one message: pieces of its content, its thinking, its images; whole calls.

Streamed and whole answers are both told by this, so that they agree.
"""

from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.arguments import NoObject, object_of
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    Event,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.parts import Image, Part

GAP = "\n\n"  # between texts, or summaries, that are separate things in the upstream's dialect (D189)

MALFORMED = ErrorFacts("upstream_malformed", "The model called a tool with arguments that are not a JSON object.")
_ENDINGS = {
    "malformed_call": MALFORMED,
    "error": ErrorFacts("upstream_error", "The provider ended the answer with an error."),
}
_REASONS = {"length": "length", "context_window": "length"}
_LOCAL = ("load", "unload")

Piece = tuple[str, Any]


class _Growing:
    __slots__ = ("args", "closed", "id", "name")

    def __init__(self, opened: PartOpened) -> None:
        self.id, self.name = opened.id, opened.name
        self.args: list[str] = []
        self.closed = False


class Telling:
    """One reply on its way into Ollama's message. `error` is set once it cannot be told to its end."""

    __slots__ = (
        "_between",
        "_calls",
        "_number",
        "_refused",
        "_summary",
        "done_reason",
        "error",
        "gap",
        "told",
        "usage",
    )

    def __init__(self) -> None:
        self.told = False  # some text
        self.gap = ""  # what stands before the next text
        self.usage: Usage | None = None
        self.done_reason = "stop"
        self.error: ErrorFacts | None = None
        self._between = False  # something else than text came after the last text
        self._calls: dict[int, _Growing] = {}
        self._number = 0
        self._refused = False  # in words of the answer
        self._summary: tuple[int, int] | None = None

    def take(self, event: Event) -> list[Piece]:
        """Return what an event adds: pieces of content or thinking (text), tool_calls and images (JSON bytes),
        logprobs (a tuple)."""
        match event:
            case TextDelta(text=text):
                return [("content", self.spaced(text))]
            case ReasoningDelta(text=text):
                return [("thinking", text)]
            case SummaryDelta():
                return [("thinking", self._summed(event))]
            case LogprobsGiven(tokens=tokens):
                return [("logprobs", tokens)]
            case ArgsDelta() if event.part in self._calls:
                self._calls[event.part].args.append(event.text)
            case PartOpened():
                self._opened(event)
            case PartClosed():
                return self._closed(event)
            case UsageReported(usage=usage) | Started(usage=usage) if usage is not None:
                self.usage = usage
            case Finished():
                return self._finished(event)
        return []

    def spaced(self, text: str) -> str:
        """Return a piece of text with what must stand before it."""
        self.told = True
        if self.gap:
            text, self.gap = self.gap + text, ""
        return text

    def _opened(self, event: PartOpened) -> None:
        if event.kind in ("text", "refusal"):
            self.gap = GAP if self.told and (self._between or event.phase) else ""
            self._between = False
            self._refused = self._refused or event.kind == "refusal"
            return
        self._between = True
        if event.kind == "call":
            self._calls[event.part] = _Growing(event)

    def _summed(self, event: SummaryDelta) -> str:
        place = (event.part, event.index)
        before, self._summary = self._summary, place
        return GAP + event.text if before is not None and before != place else event.text

    def _closed(self, event: PartClosed) -> list[Piece]:
        if event.part in self._calls:
            self._calls[event.part].closed = True
            return self._ready()
        return _shown(event.whole) if event.whole is not None else []

    def _ready(self) -> list[Piece]:
        """Return the calls that are complete and have no open one before them."""
        pieces: list[Piece] = []
        while self._calls and self.error is None:
            part, call = next(iter(self._calls.items()))
            if not call.closed:
                break
            del self._calls[part]
            try:
                args = object_of("".join(call.args), call.name)
            except NoObject:
                self.error = MALFORMED
                break
            function = {"index": self._number, "name": call.name, "arguments": orjson.Fragment(args)}
            pieces.append(("tool_calls", encoded({"id": call.id, "function": function})))
            self._number += 1
        return pieces

    def _finished(self, event: Finished) -> list[Piece]:
        self.error = self.error or _ENDINGS.get(event.reason)
        self.done_reason = event.raw if event.raw in _LOCAL else _REASONS.get(event.reason, "stop")
        why = (event.details or {}).get("explanation")
        if event.reason != "refusal" or self._refused or not isinstance(why, str) or not why:
            return []
        self.gap = GAP if self.told else ""
        return [("content", self.spaced(why))]  # the dialect has no refusals: else it would look like an answer (D56)


def _shown(part: Part) -> list[Piece]:
    match part:
        case Image(data=data) if data:
            return [("images", orjson.dumps(data))]
        case Image(url=url) if url:
            return [("content", url)]
    return []
