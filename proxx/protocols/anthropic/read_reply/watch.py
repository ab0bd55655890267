"""A Messages reply that passes by in its own bytes: what it says is noted, nothing is changed but the model's name."""

from typing import Literal

import msgspec

from proxx.protocols.anthropic.read_reply.frames import (
    NOT_AN_EVENT,
    QUIET_HEAD,
    Counts,
    Frame,
    counted,
    error_of,
    is_something,
    read_frame,
    usage_of,
)
from proxx.protocols.anthropic.write_reply.errors import write_stream_error
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.passthrough import DONE, SseWatch, with_data
from proxx.protocols.spec import Seen


class _Something(msgspec.Struct, gc=False):
    """An object, whatever it holds."""


class _QuietDelta(msgspec.Struct, gc=False):
    """An event that brings content and nothing else."""

    type: Literal["content_block_delta"]
    delta: _Something
    error: None = None
    usage: None = None


class _Whole(msgspec.Struct):
    type: str | None = None
    content: list[msgspec.Raw] | None = None
    stop_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    detail: msgspec.Raw = msgspec.Raw()


_quiet = msgspec.json.Decoder(_QuietDelta)
_whole = msgspec.json.Decoder(_Whole)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def watch_stream(*, strip_usage: bool = False, rename: str = "") -> SseWatch:
    """Watch one event stream. `rename` puts that model into message_start; `strip_usage` means nothing here, where
    usage is part of every stream."""
    name = msgspec.json.encode(rename) if rename else b""
    counts: Counts = {}

    def judge(seen: Seen, frame: bytes, data: bytes) -> bytes:
        nonlocal counts
        if data == DONE:
            return b""
        event = read_frame(data)
        if event is None:
            seen.malformed = NOT_AN_EVENT
            return b""
        if is_something(event.error) or event.type == "error":
            seen.error = error_of(event.error, data)
            return frame
        counts = _noted(seen, event, counts)
        if name and event.type == "message_start" and event.message is not None:
            return with_data(frame, data, _renamed(data, name))
        return frame

    return SseWatch(judge, fail=write_stream_error, quiet=_quiet, quiet_head=QUIET_HEAD)


def watch_whole(body: bytes) -> Seen:
    """Read a whole message."""
    seen = Seen()
    try:
        message = decode(_whole, body)
    except FAULTS:
        seen.malformed = "a body that is not a message" if body.strip() else ""
        return seen
    if is_something(message.error) or message.type == "error":
        seen.error = error_of(message.error, body)
    elif message.content is None:
        if is_something(message.detail):
            seen.error = error_of(message.detail, body)
        else:
            seen.malformed = "a body that is not a message"
    else:
        seen.finish = message.stop_reason or ""
        seen.spoke = bool(message.content or message.stop_reason)
        seen.finished = seen.ended = seen.spoke
        seen.usage = usage_of(counted({}, message.usage))
    return seen


def _noted(seen: Seen, event: Frame, counts: Counts) -> Counts:
    match event.type:
        case "content_block_delta":
            seen.spoke = True
        case "content_block_start":
            # Text and thinking begin empty; anything else is said with its beginning.
            if b'"text"' not in bytes(event.content_block) and b'"thinking"' not in bytes(event.content_block):
                seen.spoke = True
        case "message_start" if event.message is not None:
            counts = counted(counts, event.message.usage)
            seen.usage = usage_of(counts)
        case "message_delta":
            if event.delta is not None and event.delta.stop_reason:
                seen.finished = seen.spoke = True
                seen.finish = event.delta.stop_reason
            counts = counted(counts, event.usage)
            seen.usage = usage_of(counts)
        case "message_stop":
            seen.finished = seen.ended = True
    return counts


def _renamed(data: bytes, name: bytes) -> bytes:
    message = decode(_members, data)["message"]
    return replaced(data, b"message", replaced(bytes(message), b"model", name))
