"""Events -> a Gemini stream: events of `data: ` and one object each and nothing else, or one array of the objects.

Calls are held back until they are complete. The reason for the end stands only in the last object, with the usage.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.framing.json_array import ArrayWriter
from proxx.protocols.gemini.write_reply.ending import finish_members, usage_object
from proxx.protocols.gemini.write_reply.errors import error_object
from proxx.protocols.gemini.write_reply.parts import GemPart, Sources, call_part, logprobs_result, signed, whole_parts
from proxx.protocols.hub.arguments import NoObject
from proxx.protocols.hub.errors import ErrorFacts
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
    Started,
    SummaryDelta,
    TextDelta,
    Usage,
    UsageReported,
)
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Blob, Hosted
from proxx.protocols.hub.sequence import Sequencer

CUT_CALL = ErrorFacts("upstream_truncated", "The answer reached its limit inside a tool call.")
FAILED = ErrorFacts("upstream_error", "The provider failed before the answer was complete.")

_HEAD = b'{"candidates":[{"content":{"parts":['
_TEXT = _HEAD + b'{"text":'
_THOUGHT = _HEAD + b'{"thought":true,"text":'


def hides_thoughts(occasion: Occasion) -> bool:
    """Tell whether the client said that it does not want to see thinking."""
    return occasion.request is not None and occasion.request.reasoning.show == "none"


class _Said:
    """What is known of one candidate until its end."""

    __slots__ = ("finish", "sources", "tokens", "unsound")

    def __init__(self) -> None:
        self.sources = Sources()
        self.tokens: list[dict[str, Any]] = []
        self.finish: Finished | None = None
        self.unsound = ""


class StreamWriter:
    """Writes one stream."""

    __slots__ = (
        "_args", "_array", "_blob", "_hidden", "_names", "_open", "_over", "_said", "_sequence", "_summary", "_tails",
        "_usage",
    )  # fmt: skip

    def __init__(self, occasion: Occasion) -> None:
        self._array = ArrayWriter() if occasion.form == "array" else None
        self._sequence = Sequencer()
        self._hidden = hides_thoughts(occasion)
        model, id = orjson.dumps(occasion.model), orjson.dumps(occasion.id)
        self._names = b',"modelVersion":' + model + b',"responseId":' + id + b"}"
        self._tails: dict[int, bytes] = {}
        self._open = PartOpened(-1, "text")
        self._args: list[str] = []
        self._blob: Blob | None = None
        self._summary = 0
        self._said: dict[int, _Said] = {}
        self._usage: Usage | None = None
        self._over = False

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the objects of these events, possibly none."""
        return b"".join([self._written(event) for event in self._sequence(events)])

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the object that ends the stream with an error; may be the first thing that is written."""
        if self._over:
            return b""
        self._over = True
        return self._framed(error_object(facts)) + (self._array.end() if self._array else b"")

    def _written(self, event: Event) -> bytes:
        kind = type(event)
        if self._over:
            return b""
        if kind is TextDelta:
            return self._text(event.text)  # type: ignore[union-attr]
        if kind is ReasoningDelta:
            return self._thought(event.text)  # type: ignore[union-attr]
        return self._other(event)

    def _other(self, event: Event) -> bytes:
        match event:
            case ArgsDelta():
                self._args.append(event.text)
            case PartOpened():
                self._open, self._args, self._blob, self._summary = event, [], None, -1
                self._of(event.choice)
            case PartClosed():
                return self._closed(event)
            case SummaryDelta():
                between = "\n\n" if self._summary not in (-1, event.index) else ""
                self._summary = event.index
                return self._thought(between + event.text)
            case BlobGiven():
                self._blob = event.blob
            case Cited():
                self._of(self._open.choice).sources.cited(event.part, event.citation)
            case LogprobsGiven():
                self._of(self._open.choice).tokens.extend(event.tokens)
            case Started(usage=usage) | UsageReported(usage=usage):
                self._usage = usage or self._usage
            case Finished():
                self._of(event.choice).finish = event
            case Ended():
                return self._end()
        return b""

    def _text(self, text: str) -> bytes:
        self._of(self._open.choice).sources.said(self._open.part, text)
        return self._framed(_TEXT + orjson.dumps(text) + self._tail())

    def _thought(self, text: str) -> bytes:
        if self._hidden:
            return b""
        return self._framed(_THOUGHT + orjson.dumps(text) + self._tail())

    def _closed(self, event: PartClosed) -> bytes:
        opened, blob = self._open, self._blob
        parts: list[GemPart] = []
        if opened.kind == "call":
            try:
                parts.append(call_part(opened.id, opened.name, "".join(self._args), blob))
            except NoObject as fault:
                self._of(opened.choice).unsound = str(fault)
        elif isinstance(event.whole, Hosted) and event.whole.kind == "web_search":
            self._of(opened.choice).sources.searched(event.whole)
        elif event.whole is not None:
            parts = whole_parts(event.whole)
        elif blob is not None and not (self._hidden and opened.kind == "reasoning" and blob.kind == "signature"):
            # What signs a text that the client does not get would sign nothing.
            parts.append(signed({"thought": True, "text": ""} if opened.kind == "reasoning" else {"text": ""}, blob))
        if not parts:
            return b""
        return self._framed(_HEAD + b",".join([encoded(part) for part in parts]) + self._tail()[1:])

    def _end(self) -> bytes:
        said = sorted(self._said.items())
        for _, one in said:
            if one.finish is not None and one.finish.reason == "error":
                return self.fail(FAILED)
            if one.unsound and one.finish is not None and one.finish.reason == "length":
                return self.fail(CUT_CALL)
        self._over = True
        last: dict[str, Any] = {"candidates": [_last(index, one) for index, one in said]}
        if self._usage is not None:
            last["usageMetadata"] = usage_object(self._usage)
        return self._framed(encoded(last)[:-1] + self._names) + (self._array.end() if self._array else b"")

    def _of(self, choice: int) -> _Said:
        said = self._said.get(choice)
        if said is None:
            said = self._said[choice] = _Said()
        return said

    def _tail(self) -> bytes:
        choice = self._open.choice
        tail = self._tails.get(choice)
        if tail is None:
            tail = b'}],"role":"model"},"index":%d}]' % choice + self._names
            self._tails[choice] = tail
        return tail

    def _framed(self, data: bytes) -> bytes:
        if self._array is not None:
            return self._array.element(data)
        return b"data: " + data + b"\r\n\r\n"


def _last(index: int, said: _Said) -> dict[str, Any]:
    content = {"parts": [{"text": ""}], "role": "model"}
    candidate: dict[str, Any] = {"content": content, "index": index}
    return candidate | ending(said.finish or Finished("other"), said.unsound, said.sources, said.tokens)


def ending(finish: Finished, unsound: str, sources: Sources, tokens: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the members of a candidate that stand beside its content at the end."""
    found = finish_members(finish, unsound)
    grounding = sources.metadata()
    if grounding:
        found["groundingMetadata"] = grounding
    if tokens:
        found["logprobsResult"] = logprobs_result(tokens)
    return found
