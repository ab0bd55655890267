"""The blocks of a Messages stream -> parts: one open block for each index; hosted calls wait for their result."""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_reply.frames import Delta, OpenBlock, QuietArgs, QuietEvent, QuietText, parsed
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
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Event,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    TextDelta,
)
from proxx.protocols.hub.parts import Blob, Compaction, Hosted, Opaque, Part

_REPEATED_FROM = 16  # characters: a delta that says all thinking so far once more, not a word that comes twice
_object = msgspec.json.Decoder(dict[str, Any])


class BlockReader:
    """Reads the blocks of one stream. `said` is what it holds so far: calls, something, or nothing (empty)."""

    __slots__ = ("_blocks", "_family", "_held", "_parts", "said")

    def __init__(self, family: str) -> None:
        self.said = ""
        self._family = family
        self._blocks: dict[int, OpenBlock] = {}
        self._parts = 0
        self._held: list[Part] = []  # a hosted call whose result may come next

    def open(self, index: int, raw: msgspec.Raw, told: list[Event]) -> None:
        """Begin a block; raise `Unreadable` for what is none."""
        block = read_block(raw, "content_block")
        self.close(index, told)
        match block:
            case TextBlock():
                opened = self._opened(index, "text", block, told)
                self._text(opened, block.text, told)
                opened.citations += block.citations or []
            case ThinkingBlock():
                opened = self._opened(index, "reasoning", block, told)
                self._thinking(opened, block.thinking, told)
                self._sign(opened, "signature", block.signature or "", told)
            case RedactedThinkingBlock(data=data):
                self._sign(self._opened(index, "reasoning", block, told), "redacted", data, told)
            case ToolUseBlock():
                self._opened(index, "call", block, told)
                self.said = "calls"
            case CompactionBlock() | dict():
                self._blocks[index] = OpenBlock("whole", -1, block)
            case _:  # blocks of requests, which no answer holds
                self._blocks[index] = OpenBlock("whole", -1, decode(_object, bytes(raw)))

    def more(self, event: QuietEvent, told: list[Event]) -> bool:
        """Take what nearly every event is, more of an open block; tell whether there is such a block."""
        opened = self._blocks.get(event.index)
        if opened is None:
            return False
        delta = event.delta
        if isinstance(delta, QuietText):
            self._text(opened, delta.text, told)
        elif isinstance(delta, QuietArgs):
            self._args(opened, delta.partial_json, told)
        else:
            self._thinking(opened, delta.thinking, told)
        return True

    def add(self, index: int, delta: Delta, told: list[Event]) -> None:
        """Take one delta of any type."""
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

    def end(self, told: list[Event]) -> None:
        """Close what is still open."""
        for index in sorted(self._blocks):
            self.close(index, told)
        self._release(told)

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
        self.said = self.said or "something"
        return self._parts - 1

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

    def close(self, index: int, told: list[Event]) -> None:
        """End a block, if it is open."""
        opened = self._blocks.pop(index, None)
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
