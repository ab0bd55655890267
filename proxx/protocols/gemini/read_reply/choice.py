"""One candidate's parts -> events: which part is open, what belongs to it, and when it is closed.

A part stays open until another kind follows, for its signature may come in a later part without text.
"""

from typing import Any

import msgspec

from proxx.protocols.framing.compact import compacted
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.gemini.read_reply.finish import finished
from proxx.protocols.gemini.read_reply.logprobs import read_logprobs
from proxx.protocols.gemini.read_reply.sources import cited, fetched, hosted_part, members, queries_of, searched
from proxx.protocols.gemini.read_reply.wire import Candidate, FunctionCall, InlineData, Part, anything
from proxx.protocols.hub import ids
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Event,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    TextDelta,
)
from proxx.protocols.hub.media import medium, sniffed, standard
from proxx.protocols.hub.parts import Blob
from proxx.protocols.hub.parts import Part as HubPart

DIALECT = "gemini"

_string = msgspec.json.Decoder(str)


class Numbers:
    """What the candidates of one reply share: the next part's number, ids that are taken, and whose signatures these
    are."""

    __slots__ = ("family", "part", "reply_id", "taken")

    def __init__(self, family: str) -> None:
        self.family = family
        self.part = 0
        self.reply_id = ""
        self.taken: set[str] = set()

    def next(self) -> int:
        """Return the number of a part that is about to be opened."""
        self.part += 1
        return self.part - 1

    def call_id(self, given: str | None, part: int) -> str:
        """Return the id of a call: the given one, unless another call of this reply has it."""
        made = given or ids.made(self.reply_id, part)
        while made in self.taken:
            made = ids.made(self.reply_id, part, made)
        self.taken.add(made)
        return made


class Choice:
    """One candidate while it grows."""

    __slots__ = (
        "_citations", "_grounding", "_nameless", "_numbers", "_signed", "_texts", "_urls", "called", "finish", "index",
        "kind", "message", "part", "said", "searches",
    )  # fmt: skip

    def __init__(self, index: int, numbers: Numbers) -> None:
        self.index = index
        self._numbers = numbers
        self.kind = ""  # of the open part
        self.part = -1
        self._signed = False  # whether the open part has its signature
        self._texts: list[str] = []  # of the open text part
        self.called = self.said = self._nameless = False
        self.finish = self.message = ""
        self.searches = 0
        self._grounding: dict[str, Any] = {}
        self._citations: dict[str, Any] = {}
        self._urls: dict[str, Any] = {}

    def take(self, candidate: Candidate, events: list[Event]) -> None:
        """Add to `events` what one object says of this candidate."""
        if candidate.content is not None:
            for part in candidate.content.parts or ():
                self._take_part(part, events)
        if candidate.finish:
            self.finish, self.message = candidate.finish, candidate.finish_message or self.message
        if candidate.grounding:
            self._grounding = members(candidate.grounding) or self._grounding
        if candidate.citations:
            self._citations = members(candidate.citations) or self._citations
        if candidate.urls:
            self._urls = members(candidate.urls) or self._urls
        if candidate.logprobs and self.kind == "text":
            tokens = read_logprobs(members(candidate.logprobs))
            if tokens:
                events.append(LogprobsGiven(self.part, tokens))

    def finished(self) -> Finished:
        """Return how this candidate ended."""
        if self._nameless:
            return Finished("malformed_call", self.index, self.finish)
        return finished(self.finish, self.message, choice=self.index, called=self.called)

    def close(self, events: list[Event]) -> None:
        """Close what is open; tell the sources, which Gemini gives at the end."""
        if self.kind == "text":
            text = "".join(self._texts)
            events += [Cited(self.part, one) for one in cited(self._grounding, self._citations, text)]
        self._shut(events)
        self.searches = queries_of(self._grounding)
        for hosted in (searched(self._grounding, self.index), fetched(self._urls, self.index)):
            if hosted is not None:
                self._whole(hosted, events)

    def _take_part(self, part: Part, events: list[Event]) -> None:
        if part.text:
            kind = "reasoning" if part.thought else "text"
            if self.kind != kind or self._signed:
                self._open(PartOpened(self._numbers.next(), kind, self.index), events)
            self.said = True
            if part.thought:
                events.append(ReasoningDelta(self.part, part.text))
            else:
                self._texts.append(part.text)
                events.append(TextDelta(self.part, part.text))
        elif part.call is not None:
            self._call(part.call, events)
        elif part.inline is not None:
            if not part.thought:
                self._inline(part.inline, events)
        elif part.text is None:
            self._hosted(part, events)
        if part.signature:
            self._sign(part.signature, events)

    def _sign(self, signature: str, events: list[Event]) -> None:
        if self.part < 0:
            self._open(PartOpened(self._numbers.next(), "reasoning", self.index), events)
        elif self._signed:
            return  # a trailing part repeats what was given, or says less
        self._signed = True
        events.append(BlobGiven(self.part, Blob("thought", signature, DIALECT, self._numbers.family)))

    def _call(self, call: FunctionCall, events: list[Event]) -> None:
        if not call.name:
            self._nameless = self.said = True
            return
        number = self._numbers.next()
        id = self._numbers.call_id(call.id, number)
        self._open(PartOpened(number, "call", self.index, id, call.name), events)
        self.called = self.said = True
        events.append(ArgsDelta(number, _args(bytes(call.args))))

    def _inline(self, inline: InlineData, events: list[Event]) -> None:
        data = standard(inline.data or "")
        if data:
            self._whole(medium(sniffed(data, inline.mime_type or ""), data, filename=inline.display_name or ""), events)

    def _hosted(self, part: Part, events: list[Event]) -> None:
        for kind, name, raw in (
            ("code", "executableCode", part.code),
            ("code", "codeExecutionResult", part.code_result),
            ("tool", "toolCall", part.tool_call),
            ("tool", "toolResponse", part.tool_response),
        ):
            found = members(raw)
            if found:
                self._whole(hosted_part(kind, self._numbers.part, {name: found}), events)

    def _whole(self, part: HubPart, events: list[Event]) -> None:
        opened = PartOpened(self._numbers.next(), "whole", self.index)
        self._open(opened, events)
        self.said = True
        events.append(PartClosed(opened.part, part))
        self.part, self.kind = -1, ""

    def _open(self, opened: PartOpened, events: list[Event]) -> None:
        self._shut(events)
        self.part, self.kind, self._signed = opened.part, opened.kind, False
        events.append(opened)

    def _shut(self, events: list[Event]) -> None:
        if self.part >= 0:
            events.append(PartClosed(self.part))
        self.part, self.kind = -1, ""
        self._texts = []


def _args(raw: bytes) -> str:
    """Return the arguments as the model wrote them, without the indentation of whole replies; an object inside a
    string is taken out of it."""
    if raw in (b"", b"null"):
        return "{}"
    if raw[:1] != b'"':
        return compacted(raw)
    try:
        inner = decode(_string, raw)
        return inner if isinstance(decode(anything, inner.encode(errors="replace")), dict) else raw.decode()
    except FAULTS:
        return raw.decode(errors="replace")
