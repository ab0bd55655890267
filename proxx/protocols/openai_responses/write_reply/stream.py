"""Events -> a Responses stream: every rung of the ladder, whatever the upstream's own stream had."""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxx.protocols.hub import ids
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.estimate import tokens_of_text
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
    Usage,
    UsageReported,
)
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Blob, Compaction, Part
from proxx.protocols.hub.sequence import Sequencer
from proxx.protocols.openai_responses.dialect import NAME, ON_TEXT, SUMMARY_BY
from proxx.protocols.openai_responses.write_reply.failure import stated
from proxx.protocols.openai_responses.write_reply.items import CallItem, MessageItem, ReasoningItem
from proxx.protocols.openai_responses.write_reply.ladder import Ladder
from proxx.protocols.openai_responses.write_reply.resource import Resource, written_usage
from proxx.protocols.openai_responses.write_reply.wholes import action_item, whole_items

INCOMPLETE = {
    "length": "max_output_tokens",
    "context_window": "max_output_tokens",
    "pause": "max_output_tokens",
    "content_filter": "content_filter",
}
_CUT_OFF = "The model's answer ended in a call that is none."
_UNTOLD = "The provider ended its answer without saying why."
_NO_SUMMARY = "The model gave no summary."


class ReplyWriter:
    """Writes one reply. One part is open at a time: `_part` is its number, `_item` what it is written into."""

    def __init__(self, occasion: Occasion) -> None:
        request = occasion.request
        self._occasion = occasion
        self._resource = Resource(occasion)
        self._ladder = Ladder(occasion.id)
        self._sequencer = Sequencer()
        self._show = request.reasoning.show if request is not None else ""
        self._compacts = request is not None and request.state.compact
        self._part = -1
        self._item: MessageItem | ReasoningItem | CallItem | None = None
        self._message: MessageItem | None = None  # open between its parts, too
        self._action: PartOpened | None = None
        self._words: list[str] = []  # what was said: for an action, a summary, an estimate
        self._args: list[str] = []
        self._blobs: dict[int, Blob] = {}
        self._trailing: list[Blob] = []
        self._finish: Finished | None = None
        self._usage: Usage | None = None
        self._begun = self._over = self._refused = False
        self.whole = b""  # the resource, once it is complete

    def write(self, events: Sequence[Event]) -> bytes:
        """Return the frames of these events."""
        if len(events) == 1:
            event = events[0]
            if type(event) is TextDelta and event.part == self._part and type(self._item) is MessageItem:
                self._words.append(event.text)
                return self._item.say(event.text)
        if self._over:
            return b""
        told = [] if self._begun else [self._begin()]
        ready = self._sequencer(events)
        for event in ready:
            if type(event) is BlobGiven:
                self._blobs[event.part] = event.blob
        for event in ready:
            told.append(self._write(event))
        return b"".join(told)

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the frames that end the stream with an error, with what was complete by then."""
        if self._over:
            return b""
        begun = b"" if self._begun else self._begin()
        return begun + self._end("failed", error=stated(facts))

    def _begin(self) -> bytes:
        self._begun = True
        resource = self._resource.written("in_progress")
        created = self._ladder.resource(b"response.created", resource)
        return created + self._ladder.resource(b"response.in_progress", resource)

    def _write(self, event: Event) -> bytes:
        match event:
            case TextDelta() | ArgsDelta() | ReasoningDelta() | SummaryDelta():
                return self._delta(event)
            case PartOpened(choice=0):
                return b"" if self._compacts else self._open(event)
            case PartClosed():
                return self._close(event)
            case Cited() if event.part == self._part and isinstance(self._item, MessageItem):
                return self._item.cite(event.citation)
            case LogprobsGiven() if event.part == self._part and isinstance(self._item, MessageItem):
                self._item.score(event.tokens)
            case BlobGiven() if event.part == self._part and isinstance(self._item, ReasoningItem):
                self._item.seal(event.blob)
            case UsageReported():
                self._usage = event.usage
            case Finished(choice=0):
                self._finish = event
            case Ended():
                return self._ended()
        return b""

    def _delta(self, event: TextDelta | ArgsDelta | ReasoningDelta | SummaryDelta) -> bytes:
        if not isinstance(event, ReasoningDelta | SummaryDelta):
            self._words.append(event.text)
        if event.part != self._part or not event.text:
            return b""
        if self._action is not None:
            self._args.append(event.text)
            return b""
        if isinstance(self._item, ReasoningItem):
            if isinstance(event, SummaryDelta):
                return self._item.sum_up(event.index, event.text)
            return self._item.think(event.text)
        return self._item.say(event.text) if self._item is not None else b""

    def _open(self, event: PartOpened) -> bytes:
        self._part = event.part
        if event.kind in ("text", "refusal"):
            return self._open_text(event)
        closed = self._close_message("completed")
        if event.kind == "reasoning":
            self._item = ReasoningItem(self._ladder, given=event.item_id, show=self._show)
            return closed + self._item.open()
        if event.kind != "call":
            return closed
        sealed = self._sealed(event.part, owner=self._call_id(event))
        if event.tool_kind not in ("function", "custom"):
            self._action, self._args = event, []
            return closed + sealed
        self._item = CallItem(
            self._ladder,
            kind=event.tool_kind,
            given=event.item_id,
            call_id=self._call_id(event),
            name=event.name,
            namespace=event.namespace,
        )
        return closed + sealed + self._item.open()

    def _call_id(self, event: PartOpened) -> str:
        return event.id or ids.made(self._occasion.id, event.part)

    def _open_text(self, event: PartOpened) -> bytes:
        opened = b""
        message = self._message
        if message is None or message.phase != event.phase or (event.item_id and message.key != event.item_id):
            opened = self._close_message("completed")
            message = self._message = MessageItem(self._ladder, given=event.item_id, phase=event.phase)
            opened += message.open()
        self._refused = self._refused or event.kind == "refusal"
        self._item = message
        return opened + message.open_part(refusal=event.kind == "refusal")

    def _close(self, event: PartClosed) -> bytes:
        if event.whole is not None:
            return self._whole(event.whole)
        if event.part != self._part:
            return b""
        item, action, part = self._item, self._action, self._part
        self._item, self._action, self._part = None, None, -1
        if action is not None:
            opened = {"call_id": self._call_id(action), "name": action.name, "given": action.item_id}
            return action_item(self._ladder, action.tool_kind, "".join(self._args), **opened)
        if isinstance(item, MessageItem):
            if part in self._blobs:
                self._trailing.append(self._blobs[part])
            return item.close_part()
        if isinstance(item, CallItem) and part in self._blobs:
            return item.close() + self._sealed(part, owner="")
        return item.close() if item is not None else b""

    def _whole(self, part: Part) -> bytes:
        if self._compacts and not isinstance(part, Compaction):
            return b""
        return self._close_message("completed") + whole_items(self._ladder, part)

    def _sealed(self, part: int, *, owner: str) -> bytes:
        """Return a reasoning item that holds what a call was signed with by a vendor whose calls have seals."""
        blob = self._blobs.pop(part, None)
        if blob is None or blob.dialect == NAME:
            return b""
        return self._seal_item(msgspec.structs.replace(blob, item_id=owner))

    def _seal_item(self, blob: Blob) -> bytes:
        item = ReasoningItem(self._ladder, given="", show="")
        item.seal(blob)
        return item.open() + item.close()

    def _close_message(self, status: str) -> bytes:
        message, self._message = self._message, None
        if message is None:
            return b""
        closed = [message.close(status)]
        for blob in self._trailing:
            if blob.dialect != NAME:
                closed.append(self._seal_item(msgspec.structs.replace(blob, item_id=ON_TEXT)))
        self._trailing = []
        return b"".join(closed)

    def _ended(self) -> bytes:
        finish = self._finish or Finished("other")
        if self._compacts:
            return self._compacted()
        incomplete = INCOMPLETE.get(finish.reason, "")
        told = b""
        if finish.reason == "refusal" and not self._refused:
            told, incomplete = self._refuse(finish)
        told += self._close_message("incomplete" if incomplete else "completed")
        if finish.reason in ("malformed_call", "error"):
            return told + self._end("failed", error={"code": "upstream_malformed", "message": _CUT_OFF})
        if finish.reason == "other" and not self._ladder.output:
            return told + self._end("failed", error={"code": "upstream_malformed", "message": _UNTOLD})
        return told + self._end("incomplete" if incomplete else "completed", incomplete=incomplete)

    def _refuse(self, finish: Finished) -> tuple[bytes, str]:
        """Say a refusal that came without words: in those of its explanation, else as a filter's cut."""
        explanation = (finish.details or {}).get("explanation")
        if self._words or not isinstance(explanation, str) or not explanation:
            return b"", "content_filter"
        message = self._message = MessageItem(self._ladder, given="", phase="")
        opened = message.open() + message.open_part(refusal=True)
        return opened + message.say(explanation) + message.close_part(), ""

    def _compacted(self) -> bytes:
        """End a conversation's shortening: exactly one item, the upstream's own or a sealed summary."""
        told, summary = b"", "".join(self._words).strip()
        if not self._ladder.output and summary:
            told = whole_items(self._ladder, Compaction(blob=Blob("compaction", summary, SUMMARY_BY)))
        if not self._ladder.output:
            return self._end("failed", error={"code": "upstream_malformed", "message": _NO_SUMMARY})
        return told + self._end("completed")

    def _end(self, status: str, *, error: dict[str, str] | None = None, incomplete: str = "") -> bytes:
        self._over = True
        self._item, self._part = None, -1
        usage: dict[str, Any] | None = None
        if status != "failed" or self._usage is not None:
            estimate = 0 if self._usage and self._usage.output_total is not None else tokens_of_text(self._all_words())
            usage = written_usage(self._usage, input_estimate=self._occasion.input_estimate, output_estimate=estimate)
        self.whole = self._resource.written(
            status, output=self._ladder.output, usage=usage, error=error, incomplete=incomplete
        )
        return self._ladder.resource(f"response.{status}".encode(), self.whole)

    def _all_words(self) -> str:
        return "".join(self._words)
