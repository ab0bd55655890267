"""Events -> a Messages stream. One block is open at a time; each begins only when there is something to say in it.

The end is told when the reply has ended, for the true usage, which clients read there, may come after the reason.
"""

from collections.abc import Sequence

import msgspec
import orjson

from proxx.protocols.anthropic.write_reply.blocks import (
    Json,
    citation_json,
    ending,
    name_of,
    signature_of,
    thinking_block,
    usage_json,
    whole_blocks,
)
from proxx.protocols.anthropic.write_reply.errors import fault_of, write_stream_error
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Ended,
    Event,
    Finished,
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

_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":'
_DELTA_END = b"}}\n\n"
_FIELDS = {"text": (b"text_delta", b"text"), "thinking": (b"thinking_delta", b"thinking")}
_CALL = (b"input_json_delta", b"partial_json")
_BETWEEN_PIECES = "\n\n"


class MessagesWriter:
    """Writes one stream."""

    __slots__ = (
        *("_begun", "_blob", "_finish", "_foreign", "_index", "_kind", "_occasion", "_over", "_part", "_piece"),
        *("_prefix", "_said", "_searches", "_sequencer", "_usage"),
    )

    def __init__(self, occasion: Occasion) -> None:
        self._occasion = occasion
        self._sequencer = Sequencer()
        self._begun = self._over = self._said = False
        self._usage: Usage | None = None
        self._finish: Finished | None = None
        self._index = 0  # of the block that is open, or comes next
        self._part, self._kind, self._prefix = -1, "", b""
        self._blob: Blob | None = None
        self._piece = -1  # of a summary: -2 where thinking came first
        self._searches = 0
        self._foreign: set[int] = set()  # parts of further choices, which this dialect does not have

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the frames of these events, possibly none."""
        first = events[0] if len(events) == 1 else None
        if type(first) is TextDelta and first.part == self._part and self._prefix:  # the usual case
            return self._prefix + orjson.dumps(first.text) + _DELTA_END
        out: list[bytes] = []
        told = self._sequencer(events)
        for place, event in enumerate(told):
            if not self._over:
                self._take(event, told[place + 1 :] if type(event) is PartOpened else (), out)
        return b"".join(out)

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        self._over = True
        self._prefix = b""
        return write_stream_error(facts)

    def _take(self, event: Event, later: Sequence[Event], out: list[bytes]) -> None:
        match event:
            case TextDelta() | ArgsDelta() | ReasoningDelta() | SummaryDelta():
                if event.part == self._part:
                    self._say(event, out)
            case PartOpened():
                self._open(event, later, out)
            case PartClosed():
                self._close(event, out)
            case BlobGiven() if event.part == self._part:
                self._blob = event.blob
            case Cited() if event.part == self._part:
                citation = citation_json(event.citation, searched=self._searches > 0)
                if citation is not None:
                    self._begin_block(out)
                    out.append(self._delta({"type": "citations_delta", "citation": citation}))
            case Started():
                self._usage = event.usage
                self._begin(out)
            case UsageReported(usage=usage):
                self._usage = usage
            case Finished(choice=0):
                self._finish = event
            case Ended():
                self._end(out)

    def _begin(self, out: list[bytes]) -> None:
        if self._begun:
            return
        self._begun = True
        message: Json = {
            "id": f"msg_{self._occasion.id}",
            "type": "message",
            "role": "assistant",
            "model": self._occasion.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": usage_json(self._usage, estimate=self._occasion.input_estimate),
        }
        out.append(frame("message_start", {"type": "message_start", "message": message}))

    def _open(self, event: PartOpened, later: Sequence[Event], out: list[bytes]) -> None:
        self._begin(out)
        if event.choice:
            return
        self._part, self._blob, self._piece, self._prefix = event.part, None, -1, b""
        self._kind = {"reasoning": "thinking", "refusal": "text"}.get(event.kind, event.kind)
        if self._kind == "call":
            self._said = True
            self._sign_call(event.part, later, out)
            name = name_of(event.name, event.namespace)
            self._start({"type": "tool_use", "id": event.id, "name": name, "input": {}}, out)
            self._prefix_for(_CALL)

    def _sign_call(self, part: int, later: Sequence[Event], out: list[bytes]) -> None:
        # A call has no place for a blob, so it goes before it, as thinking without text.
        given = [event.blob for event in later if isinstance(event, BlobGiven) and event.part == part]
        if given:
            self._whole(thinking_block("", given[-1]), out)

    def _say(self, event: TextDelta | ArgsDelta | ReasoningDelta | SummaryDelta, out: list[bytes]) -> None:
        text = event.text
        if isinstance(event, SummaryDelta):
            if self._piece == -2:
                return
            text = _BETWEEN_PIECES + text if -1 < self._piece != event.index else text
            self._piece = event.index
        elif isinstance(event, ReasoningDelta):
            if self._piece >= 0:
                return
            self._piece = -2
        if text:
            self._begin_block(out)
            out += (self._prefix, orjson.dumps(text), _DELTA_END)

    def _begin_block(self, out: list[bytes]) -> None:
        if self._prefix:
            return
        if self._kind == "thinking":
            self._start({"type": "thinking", "thinking": "", "signature": ""}, out)
        else:
            self._said = True
            self._start({"type": "text", "text": ""}, out)
        self._prefix_for(_FIELDS[self._kind])

    def _prefix_for(self, field: tuple[bytes, bytes]) -> None:
        self._prefix = _DELTA % (self._index, *field)

    def _close(self, event: PartClosed, out: list[bytes]) -> None:
        if event.part != self._part:
            return
        if event.whole is not None:
            if isinstance(event.whole, Hosted) and event.whole.kind == "web_search":
                self._searches += 1
            for block in whole_blocks(event.whole, self._occasion, self._index):
                self._whole(block, out)
        elif self._kind == "thinking":
            self._close_thinking(out)
        elif self._prefix:
            self._stop(out)
        self._part, self._prefix = -1, b""

    def _close_thinking(self, out: list[bytes]) -> None:
        if self._prefix:
            out.append(self._delta({"type": "signature_delta", "signature": signature_of(self._blob)}))
            self._stop(out)
        elif self._blob is not None:
            self._whole(thinking_block("", self._blob), out)

    def _whole(self, block: Json, out: list[bytes]) -> None:
        """Tell a whole block, in the pieces in which clients expect its kind."""
        self._prefix = b""
        deltas: list[Json] = []
        match block["type"]:
            case "thinking":
                deltas = [{"type": "signature_delta", "signature": block["signature"]}]
                block = block | {"signature": ""}
            case "server_tool_use" | "mcp_tool_use":
                deltas = [{"type": "input_json_delta", "partial_json": msgspec.json.encode(block["input"]).decode()}]
                block = block | {"input": {}}
            case "compaction":
                deltas = [{"type": "compaction_delta", "content": block["content"]}]
                block = block | {"content": None}
        self._start(block, out)
        out += [self._delta(delta) for delta in deltas]
        self._stop(out)

    def _start(self, block: Json, out: list[bytes]) -> None:
        out.append(
            frame("content_block_start", {"type": "content_block_start", "index": self._index, "content_block": block})
        )

    def _delta(self, delta: Json) -> bytes:
        return frame("content_block_delta", {"type": "content_block_delta", "index": self._index, "delta": delta})

    def _stop(self, out: list[bytes]) -> None:
        out.append(frame("content_block_stop", {"type": "content_block_stop", "index": self._index}))
        self._index += 1

    def _end(self, out: list[bytes]) -> None:
        self._begin(out)
        self._over = True
        finish = self._finish or Finished("other")
        fault = fault_of(finish, said=self._said)
        if fault is not None:
            out.append(write_stream_error(fault))
            return
        usage = usage_json(self._usage, estimate=self._occasion.input_estimate, searches=self._searches)
        out.append(frame("message_delta", {"type": "message_delta", "delta": ending(finish), "usage": usage}))
        out.append(frame("message_stop", {"type": "message_stop"}))


def stream_writer(occasion: Occasion) -> MessagesWriter:
    """Return a writer for one stream."""
    return MessagesWriter(occasion)


def frame(name: str, data: Json) -> bytes:
    """Return one event with both its lines: clients of this dialect need the name."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"
