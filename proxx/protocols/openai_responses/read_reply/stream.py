"""A Responses event stream -> events. Events are known by `data.type`, items by `output_index`.

Other servers leave out event lines, item ids, rungs of the ladder, or the output in the last event; unknown events are
passed over.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.sse import FrameCutter, data_of, frames
from proxx.protocols.hub.events import Broken, Ended, Event, Failed, Started, TextDelta, Usage, UsageReported
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.read_reply.items import GrowingItem, Telling
from proxx.protocols.openai_responses.read_reply.resource import (
    FAILURES,
    NOTHING,
    Resource,
    error_of,
    finish_of,
    read_resource,
    read_usage,
    stated_error,
)
from proxx.protocols.openai_responses.read_reply.shapes import Piece, StreamEvent

DONE = b"[DONE]"
NO_EVENT = "an event that is not one of a Responses stream"

_FIELDS = (b":", b"data", b"event", b"id", b"retry")
_TEXT_DELTA: Final = "response.output_text.delta"


class _Type(msgspec.Struct):
    type: str = ""


_event = msgspec.json.Decoder(StreamEvent)
_type = msgspec.json.Decoder(_Type)
_piece = msgspec.json.Decoder(Piece)


class ReplyReader:
    """Reads one stream."""

    __slots__ = ("_cutter", "_items", "_last", "_over", "_places", "_started", "_telling")

    def __init__(self, target: Target, call_id: str) -> None:
        self._cutter = FrameCutter()
        self._telling = Telling(family=target.facts.family, call_id=call_id)
        self._items: dict[int, GrowingItem] = {}  # by output_index
        self._places: dict[str, int] = {}  # output_index by item id, for events that name only that
        self._last = -1
        self._started = self._over = False

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""
        if self._over:
            return []
        block = self._cutter.feed(piece)
        if block.find(b"\n\n") == len(block) - 2:  # the usual case: one event a read
            self._read(block)
        else:
            for frame in frames(block):
                self._read(frame)
        return self._told()

    def close(self) -> list[Event]:
        """Take a last event that lacks its blank line; what is open stays open, for nothing ended it."""
        rest = self._cutter.rest
        if rest.strip() and not self._over and _decoded(data_of(rest).strip()) is not None:
            self._read(rest)
        return self._told()

    def _told(self) -> list[Event]:
        told, self._telling.events = self._telling.events, []
        return told

    def _read(self, frame: bytes) -> None:
        if self._over:
            return
        data = data_of(frame).strip()
        if data and data != DONE:
            self._take(data)
        elif not data and not _is_harmless(frame):
            self._break("bytes that are no event")

    def _take(self, data: bytes) -> None:
        event = _decoded(data)
        if event is None:
            if not _is_unknown(data):
                self._break(NO_EVENT)
            return
        if not event.type and bytes(event.error) in NOTHING:
            self._break(NO_EVENT)
            return
        if event.type in ("", "error"):
            self._fail(stated_error(bytes(event.error), data))
            return
        if not self._started:
            self._start(event)
        if event.type == _TEXT_DELTA:
            self._text(event)
            return
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event)

    def _start(self, event: StreamEvent) -> None:
        self._started = True
        about = read_resource(bytes(event.response)) if event.type in _STATES else None
        about = about or Resource()
        created = int(about.created_at) if about.created_at else None
        self._telling.events.append(Started(about.id or "", about.model or "", created))

    def _text(self, event: StreamEvent) -> None:
        item, index, delta = self._item(event), event.content_index or 0, event.delta
        if not delta:
            return
        number = item.text_part(index)
        if number is not None:
            item.said[("text", index)].append(delta)
            self._telling.events.append(TextDelta(number, delta))
        else:
            item.more("text", index, delta)
        if event.logprobs:
            item.score(index, event.logprobs)

    def _item(self, event: StreamEvent) -> GrowingItem:
        place = event.output_index
        if place is None:
            place = self._places.get(event.item_id or "", self._last)
        item = self._items.get(place)
        return item if item is not None else self._new_item(place)

    def _new_item(self, place: int) -> GrowingItem:
        self._last = max(self._last, place)
        self._items[place] = item = GrowingItem(self._telling)
        return item

    def _added(self, event: StreamEvent) -> None:
        place = self._last + 1 if event.output_index is None else event.output_index
        item = self._items.get(place) or self._new_item(place)
        if not item.begin(bytes(event.item)):
            self._break(NO_EVENT)
        elif item.id:
            self._places[item.id] = place

    def _item_done(self, event: StreamEvent) -> None:
        place = event.output_index
        if place is None:
            place = self._unfinished(bytes(event.item))
        item = self._items.get(place) or self._new_item(place)
        if not item.done and not item.end(bytes(event.item)):
            self._break(NO_EVENT)

    def _unfinished(self, raw: bytes) -> int:
        about = read_resource(raw)  # items have ids where resources have theirs
        place = self._places.get(about.id or "" if about else "")
        if place is not None:
            return place
        last = self._items.get(self._last)
        return self._last if last is not None and not last.done else self._last + 1

    def _piece_done(self, event: StreamEvent) -> None:
        try:
            piece = decode(_piece, bytes(event.part) or b"{}")
        except FAULTS:
            return  # a part of an unknown shape: the whole item will say what it is
        if piece.type in ("output_text", "refusal", "reasoning_text"):
            self._item(event).piece(event.content_index or 0, piece)

    def _cite(self, event: StreamEvent) -> None:
        if event.annotation is not None:
            self._item(event).cite(event.content_index or 0, event.annotation)

    def _text_done(self, event: StreamEvent) -> None:
        item, index = self._item(event), event.content_index or 0
        item.rest("text", index, event.text)

    def _end(self, event: StreamEvent) -> None:
        resource = read_resource(bytes(event.response))
        if resource is None:
            self._break(NO_EVENT)
            return
        status = resource.status or event.type.removeprefix("response.")
        if status in FAILURES:
            self._fail(error_of(bytes(resource.error)))
            return
        for place, raw in enumerate(resource.output or ()):
            item = self._items.get(place) or self._new_item(place)
            if not item.done and not item.end(bytes(raw)):
                self._break(NO_EVENT)
                return
        for item in self._items.values():
            item.close()
        if event.type == "response.incomplete":
            resource.status = "incomplete"
        finish(self._telling, resource)
        self._over = True

    def _failed(self, event: StreamEvent) -> None:
        resource = read_resource(bytes(event.response)) or Resource()
        self._fail(error_of(bytes(resource.error), bytes(event.error)))

    def _fail(self, error: dict[str, object]) -> None:
        self._telling.events.append(Failed(error))
        self._over = True

    def _break(self, why: str) -> None:
        self._telling.events.append(Broken(why))
        self._over = True


def finish(telling: Telling, resource: Resource) -> None:
    """Tell how a response ended: the reason, the usage, the end."""
    refused = telling.refused and not telling.said
    telling.events.append(finish_of(resource, called=telling.called, refused=refused))
    usage = read_usage(bytes(resource.usage), bytes(resource.service_tier))
    if telling.searches:
        usage = msgspec.structs.replace(usage or Usage(), web_searches=telling.searches)
    if usage is not None:
        telling.events.append(UsageReported(usage))
    telling.events.append(Ended())


def _decoded(data: bytes) -> StreamEvent | None:
    try:
        return decode(_event, data)
    except FAULTS:
        return None


def _is_unknown(data: bytes) -> bool:
    """Tell whether this is a sound event of a type that is not read here: its members may have any shape."""
    try:
        kind = decode(_type, data).type
    except FAULTS:
        return False
    return bool(kind) and kind not in _HANDLERS and kind not in _STATES and kind not in (_TEXT_DELTA, "error")


def _is_harmless(frame: bytes) -> bool:
    return all(not line or line.startswith(_FIELDS) for line in frame.splitlines())


def _more(channel: str, place: str) -> Callable[[ReplyReader, StreamEvent], None]:
    def take(reader: ReplyReader, event: StreamEvent) -> None:
        index = getattr(event, place) or 0 if place else 0
        reader._item(event).more(channel, index, event.delta or "")

    return take


def _rest(channel: str, place: str, member: str) -> Callable[[ReplyReader, StreamEvent], None]:
    def take(reader: ReplyReader, event: StreamEvent) -> None:
        index = getattr(event, place) or 0 if place else 0
        reader._item(event).rest(channel, index, getattr(event, member))

    return take


_STATES = ("response.created", "response.in_progress", "response.queued", "response.completed", "response.incomplete")
_HANDLERS: dict[str, Callable[[ReplyReader, StreamEvent], None]] = {
    "response.output_item.added": ReplyReader._added,
    "response.output_item.done": ReplyReader._item_done,
    "response.content_part.done": ReplyReader._piece_done,
    "response.output_text.done": ReplyReader._text_done,
    "response.output_text.annotation.added": ReplyReader._cite,
    "response.output_text_annotation.added": ReplyReader._cite,
    "response.refusal.delta": _more("refusal", "content_index"),
    "response.refusal.done": _rest("refusal", "content_index", "refusal"),
    "response.function_call_arguments.delta": _more("args", ""),
    "response.function_call_arguments.done": _rest("args", "", "arguments"),
    "response.custom_tool_call_input.delta": _more("args", ""),
    "response.custom_tool_call_input.done": _rest("args", "", "input"),
    "response.reasoning_summary_text.delta": _more("summary", "summary_index"),
    "response.reasoning_summary_text.done": _rest("summary", "summary_index", "text"),
    "response.reasoning_text.delta": _more("thought", "content_index"),
    "response.reasoning_text.done": _rest("thought", "content_index", "text"),
    "response.completed": ReplyReader._end,
    "response.incomplete": ReplyReader._end,
    "response.failed": ReplyReader._failed,
    "response.cancelled": ReplyReader._failed,
}
