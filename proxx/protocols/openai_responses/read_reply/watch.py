"""A Responses stream that stays in its dialect: its bytes pass, what it says is noted.

The vendor ends a failure with two events, `error` and `response.failed`; coding agents look only for the second. Where
an upstream sends only the first, the second is added.
"""

from typing import Literal

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear, replaced
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.openai_responses.read_reply.resource import (
    FAILURES,
    NOTHING,
    Resource,
    error_of,
    finish_in,
    read_resource,
    stated_error,
    usage_in,
)
from proxx.protocols.openai_responses.read_reply.stream import NO_EVENT
from proxx.protocols.openai_responses.write_reply.failure import failed_event
from proxx.protocols.passthrough import DONE, SseWatch, with_data
from proxx.protocols.spec import Seen

_QUIET_HEAD = b"event: response.output_text.delta\ndata: "
_STATES = frozenset({
    "response.created", "response.in_progress", "response.queued", "response.completed", "response.incomplete",
    "response.failed", "response.cancelled",
})  # fmt: skip
_ENDS = frozenset({"response.completed", "response.incomplete"})


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    sequence_number: int | None = None
    response: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _QuietEvent(msgspec.Struct, gc=False):
    """An event that brings text and nothing else: what decodes as this needs no second look."""

    type: Literal["response.output_text.delta"]
    delta: str
    error: None = None


_event = msgspec.json.Decoder(_Event)
_quiet = msgspec.json.Decoder(_QuietEvent)


def watch_stream(*, strip_usage: bool = False, rename: str = "", form: str = "") -> "ResponsesWatch":
    """Watch one event stream; `rename` puts that model into each resource. The usage is part of the last one."""
    return ResponsesWatch(rename)


class ResponsesWatch(SseWatch):
    """Watches one stream, and knows where it stands, so that a failure can be said in step."""

    __slots__ = ("_about", "_counted", "_rename", "_sequence", "_stated")

    def __init__(self, rename: str) -> None:
        super().__init__(self._judged_event, fail=self._failed, quiet=_quiet, quiet_head=_QUIET_HEAD)
        self._rename = msgspec.json.encode(rename) if rename else b""
        self._about = Resource()
        self._sequence, self._counted = -1, 0
        self._stated: dict[str, object] | None = None

    def close(self) -> bytes:
        """Take a last event; an error that was stated and not followed by a failed response is followed by one."""
        tail = super().close()
        if self._stated is None or self.seen.error is not None or self.seen.ended:
            return tail
        self.seen.error = self._stated
        code, message = self._stated.get("code"), self._stated.get("message")
        facts = ErrorFacts("upstream_error", str(message or ""), code if isinstance(code, str) else None)
        return tail + self._failed(facts)

    def _judged_event(self, seen: Seen, frame: bytes, data: bytes) -> bytes:
        if data == DONE:
            return frame if seen.finished else b""
        event = _decoded(data)
        if event is None:
            seen.malformed = NO_EVENT
            return b""
        self._count(event)
        if not event.type:
            seen.error = error_of(bytes(event.error))
            return frame
        if event.type == "error":
            self._stated = stated_error(bytes(event.error), data)
            return frame
        if event.type in _STATES:
            return self._state(seen, event, frame, data)
        if not seen.spoke:
            seen.spoke = _speaks(event.type)
        return frame

    def _state(self, seen: Seen, event: _Event, frame: bytes, data: bytes) -> bytes:
        raw = bytes(event.response)
        resource = read_resource(raw)
        if resource is None and event.type not in _ENDS:
            return frame
        if resource is None:
            seen.malformed = NO_EVENT
            return b""
        self._about = resource
        seen.reply_id = resource.id or ""
        seen.usage = usage_in(resource) or seen.usage
        if event.type in _ENDS and resource.status not in FAILURES:
            seen.spoke = seen.finished = seen.ended = True
            seen.finish = finish_in(resource)
        elif event.type in _ENDS or resource.status in FAILURES or event.type.endswith(("failed", "cancelled")):
            seen.error = self._stated or error_of(bytes(resource.error))
        return self._renamed(frame, data, raw) if self._rename and resource.model is not None else frame

    def _renamed(self, frame: bytes, data: bytes, raw: bytes) -> bytes:
        try:
            return with_data(frame, data, replaced(data, b"response", replaced(raw, b"model", self._rename)))
        except (Unclear, *FAULTS):
            return frame

    def _count(self, event: _Event) -> None:
        if event.sequence_number is not None:
            self._sequence, self._counted = event.sequence_number, self.seen.frames

    def _failed(self, facts: ErrorFacts) -> bytes:
        # Quiet events are not decoded for their number: each counts as one.
        sequence = self._sequence + 1 + self.seen.frames - self._counted
        about = self._about
        return failed_event(
            facts,
            sequence=sequence,
            id=about.id or "",
            created=int(about.created_at or 0),
            model=about.model or "",
        )


def _speaks(kind: str) -> bool:
    """Tell whether an event shows something of the answer: any piece of it, or an item that is done."""
    return kind.endswith(".delta") or kind == "response.output_item.done"


def _decoded(data: bytes) -> _Event | None:
    try:
        event = decode(_event, data)
    except FAULTS:
        return None
    return event if event.type or bytes(event.error) not in NOTHING else None
