"""A whole Messages reply -> Reply."""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_reply.frames import counted, finish_of, usage_of
from proxx.protocols.anthropic.read_request.blocks import read_parts
from proxx.protocols.anthropic.read_request.shapes import FAMILY
from proxx.protocols.framing.lenient import decode
from proxx.protocols.hub.parts import Part, ToolCall
from proxx.protocols.hub.reply import Choice, Reply
from proxx.protocols.hub.target import Target


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    usage: msgspec.Raw = msgspec.Raw()


_message = msgspec.json.Decoder(_Message)


def read_whole(body: bytes, target: Target, call_id: str) -> Reply:
    """Read a whole message; raise `ValueError` for what is none (`watch_whole` says so first). Ids of calls are the
    upstream's own, so `call_id` is not needed."""
    message = decode(_message, body)
    parts = read_parts(message.content, "content", role="assistant", family=family_of(target))
    finish = finish_of(message.stop_reason, message.stop_sequence, message.stop_details, said=said_by(parts))
    return Reply(
        (Choice(parts, finish),),
        message.id or "",
        message.model or "",
        None,
        usage_of(counted({}, message.usage)),
    )


def family_of(target: Target) -> str:
    """Return whose models take back what this upstream signs."""
    return target.facts.family or target.provider or FAMILY


def said_by(parts: tuple[Part, ...]) -> str:
    """Return whether parts hold calls, something else, or nothing."""
    if any(isinstance(part, ToolCall) for part in parts):
        return "calls"
    return "something" if parts else ""
