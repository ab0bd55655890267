"""A Messages stream -> events. One decoding per event; blocks are told apart by their index."""

from collections.abc import Callable
from typing import Any

import msgspec

from proxx.protocols.anthropic.read_reply.frames import (
    NOT_AN_EVENT,
    Counts,
    Delta,
    Frame,
    OpenBlock,
    counted,
    error_of,
    finish_of,
    is_something,
    parsed,
    read_frame,
    usage_of,
)
from proxx.protocols.anthropic.read_reply.whole import family_of
from proxx.protocols.anthropic.read_request.blocks import citation_of
from proxx.protocols.anthropic.read_request.hosted import hosted_of, joined
from proxx.protocols.anthropic.read_request.shapes import (
    DIALECT,
    Block,
    CompactionBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    read_block,
)
from proxx.protocols.framing.lenient import decode
from proxx.protocols.framing.sse import FrameCutter, data_of, frames
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Broken,
    Cited,
    Ended,
    Event,
    Failed,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageReported,
)
from proxx.protocols.hub.parts import Blob, Compaction, Hosted, Opaque, Part
from proxx.protocols.hub.target import Target
from proxx.protocols.passthrough import DONE

_REPEATED_FROM = 16  # characters: a delta that says all thinking so far once more, not a word that comes twice
_object = msgspec.json.Decoder(dict[str, Any])


class MessagesReader:
    """Reads one stream."""

    __slots__ = ("_blocks", "_counts", "_cutter", "_delta", "_family", "_held", "_over", "_parts", "_said", "_started")

    def __init__(self, family: str) -> None:
        self._cutter = FrameCutter()
        self._family = family
        self._blocks: dict[int, OpenBlock] = {}
        self._parts = 0
        self._held: list[Part] = []  # a hosted call whose result may come next
        self._counts: Counts = {}
        self._delta = Delta()
        self._said = ""
        self._started = self._over = False

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""
        block = self._cutter.feed(piece)
        if not block:
            return []
        told: list[Event] = []
        for frame in frames(block):
            self._read(frame, told)
        return told

    def close(self) -> list[Event]:
        """Say that the upstream has ended; a last frame may lack its blank line."""
        told: list[Event] = []
        rest = self._cutter.rest
        if rest.strip() and read_frame(data_of(rest).strip()) is not None:
            self._read(rest.rstrip(b"\r\n") + b"\n\n", told)
        return told

    def _read(self, frame: bytes, told: list[Event]) -> None:
        data = data_of(frame).strip()
        if self._over or not data or data == DONE:
            return
        event = read_frame(data)
        if event is None:
            self._broken(told)
            return
        if not self._started:
            self._start(event, told)
        if event.type == "content_block_delta" and event.delta is not None:
            self._add(event.index, event.delta, told)
        elif is_something(event.error) or event.type == "error":
            self._over = True
            told.append(Failed(error_of(event.error, data)))
        else:
            taken = _TAKERS.get(event.type)
            if taken is not None:
                taken(self, event, told)

    def _broken(self, told: list[Event]) -> None:
        self._over = True
        told.append(Broken(NOT_AN_EVENT))

    def _start(self, event: Frame, told: list[Event]) -> None:
        message = event.message
        if event.type == "message_start" and message is not None:
            self._counts = counted(self._counts, message.usage)
            told.append(Started(message.id or "", message.model or "", None, usage_of(self._counts)))
        elif event.type in _SAYING:  # imitators forget to begin
            told.append(Started())
        else:
            return
        self._started = True

    def _open(self, event: Frame, told: list[Event]) -> None:
        try:
            block = read_block(event.content_block, "content_block")
        except Unreadable:
            self._broken(told)
            return
        if event.index in self._blocks:
            self._close(event, told)
        match block:
            case TextBlock():
                opened = self._opened(event.index, "text", block, told)
                self._text(opened, block.text, told)
                opened.citations += block.citations or []
            case ThinkingBlock():
                opened = self._opened(event.index, "reasoning", block, told)
                self._thinking(opened, block.thinking, told)
                self._sign(opened, "signature", block.signature or "", told)
            case RedactedThinkingBlock(data=data):
                self._sign(self._opened(event.index, "reasoning", block, told), "redacted", data, told)
            case ToolUseBlock():
                self._opened(event.index, "call", block, told)
                self._said = "calls"
            case CompactionBlock() | dict():
                self._blocks[event.index] = OpenBlock("whole", -1, block)
            case _:  # blocks of requests, which no answer holds
                self._blocks[event.index] = OpenBlock("whole", -1, decode(_object, bytes(event.content_block)))

    def _opened(self, index: int, kind: str, block: Block | None, told: list[Event]) -> OpenBlock:
        self._release(told)
        opened = self._blocks[index] = OpenBlock(kind, self._next(), block)
        if isinstance(block, ToolUseBlock):
            told.append(PartOpened(opened.part, kind, 0, block.id, block.name))
        else:
            told.append(PartOpened(opened.part, kind))
        return opened

    def _next(self) -> int:
        self._parts += 1
        self._said = self._said or "something"
        return self._parts - 1

    def _add(self, index: int, delta: Delta, told: list[Event]) -> None:
        opened = self._blocks.get(index)
        if opened is None:  # imitators forget to open what they say
            kind = {"text_delta": "text", "thinking_delta": "reasoning"}.get(delta.type)
            if kind is None:
                return
            opened = self._opened(index, kind, None, told)
        match delta.type:
            case "text_delta":
                self._text(opened, delta.text, told)
            case "input_json_delta":
                self._args(opened, delta.partial_json, told)
            case "thinking_delta":
                self._thinking(opened, delta.thinking, told)
            case "signature_delta":
                self._sign(opened, "signature", delta.signature, told)
            case "citations_delta" if delta.citation is not None:
                opened.citations.append(delta.citation)
            case "compaction_delta":
                opened.texts.append(delta.content or "")

    def _text(self, opened: OpenBlock, text: str, told: list[Event]) -> None:
        if text and opened.kind == "text":
            opened.said += len(text)
            told.append(TextDelta(opened.part, text))

    def _args(self, opened: OpenBlock, text: str, told: list[Event]) -> None:
        if not text:
            return
        opened.said += len(text)
        if opened.kind == "call":
            told.append(ArgsDelta(opened.part, text))
        else:
            opened.texts.append(text)

    def _thinking(self, opened: OpenBlock, text: str, told: list[Event]) -> None:
        if not text or opened.kind != "reasoning":
            return
        if len(text) == opened.said >= _REPEATED_FROM and text == "".join(opened.texts):
            return  # some upstreams say the whole once more at the end
        opened.said += len(text)
        opened.texts.append(text)
        told.append(ReasoningDelta(opened.part, text))

    def _sign(self, opened: OpenBlock, kind: str, value: str, told: list[Event]) -> None:
        if value and opened.kind == "reasoning":
            told.append(BlobGiven(opened.part, Blob(kind, value, DIALECT, self._family)))

    def _close(self, event: Frame, told: list[Event]) -> None:
        opened = self._blocks.pop(event.index, None)
        if opened is None:
            return
        if opened.kind == "whole":
            self._closed_whole(opened, told)
            return
        if isinstance(opened.block, ToolUseBlock) and not opened.said:
            told.append(ArgsDelta(opened.part, bytes(opened.block.input).decode(errors="replace") or "{}"))
        for raw in opened.citations:
            citation = citation_of(raw, "")
            told.append(Cited(opened.part, msgspec.structs.replace(citation, end=opened.said)))
        told.append(PartClosed(opened.part))

    def _closed_whole(self, opened: OpenBlock, told: list[Event]) -> None:
        block = opened.block
        if isinstance(block, dict):
            if opened.texts:
                block = block | {"input": parsed("".join(opened.texts))}
            hosted = hosted_of(block)
            if hosted is not None:
                self._hosted(hosted, told)
                return
            part: Part = Opaque(block, DIALECT)
        else:
            content = block.content if isinstance(block, CompactionBlock) else None
            part = Compaction("".join(opened.texts) or content or "")
        self._release(told)
        self._tell(part, told)

    def _hosted(self, hosted: Hosted, told: list[Event]) -> None:
        both = joined([*self._held, hosted])
        self._held = both[-1:]
        for part in both[:-1]:
            self._tell(part, told)
        if hosted.status != "in_progress":
            self._release(told)

    def _release(self, told: list[Event]) -> None:
        for part in self._held:
            self._tell(part, told)
        self._held = []

    def _tell(self, part: Part, told: list[Event]) -> None:
        number = self._next()
        told += [PartOpened(number, "whole"), PartClosed(number, part)]

    def _change(self, event: Frame, told: list[Event]) -> None:
        self._counts = counted(self._counts, event.usage)
        if event.delta is not None and event.delta.stop_reason:
            self._delta = event.delta

    def _stop(self, event: Frame, told: list[Event]) -> None:
        for index in sorted(self._blocks):
            self._close(Frame(index=index), told)
        self._release(told)
        last = self._delta
        told.append(finish_of(last.stop_reason, last.stop_sequence, last.stop_details, said=self._said))
        usage = usage_of(self._counts)
        told += [UsageReported(usage)] if usage is not None else []
        told.append(Ended())
        self._over = True


_TAKERS: dict[str, Callable[[MessagesReader, Frame, list[Event]], None]] = {
    "content_block_start": MessagesReader._open,
    "content_block_stop": MessagesReader._close,
    "message_delta": MessagesReader._change,
    "message_stop": MessagesReader._stop,
}
_SAYING = frozenset((*_TAKERS, "content_block_delta"))


def stream_reader(target: Target, call_id: str) -> MessagesReader:
    """Return a reader for one stream. Ids of calls are the upstream's own, so `call_id` is not needed."""
    return MessagesReader(family_of(target))
