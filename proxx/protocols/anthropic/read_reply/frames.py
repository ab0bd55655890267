"""The events of a Messages stream as they are decoded, and what both ways of reading one make of its members."""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.shapes import Block
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.counts import count, doubtful, tier
from proxx.protocols.hub.events import Finished, Usage

QUIET_HEAD = b"event: content_block_delta\ndata: "
NOT_AN_EVENT = "an event that is not one of a Messages stream"

_NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what imitators write where there is nothing
_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
}
_KNOWN_EVENTS = frozenset(
    ("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error")
)
Counts = dict[str, Any]


class Message(msgspec.Struct):
    """The message inside message_start."""

    id: str | None = None
    model: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


class Delta(msgspec.Struct):
    """What is added: to a block, or to the message."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    citation: dict[str, Any] | None = None
    content: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None


class QuietText(msgspec.Struct, tag="text_delta", tag_field="type", gc=False):
    """More text."""

    text: str


class QuietArgs(msgspec.Struct, tag="input_json_delta", tag_field="type", gc=False):
    """More of a call's arguments."""

    partial_json: str


class QuietThinking(msgspec.Struct, tag="thinking_delta", tag_field="type", gc=False):
    """More thinking."""

    thinking: str


class QuietEvent(msgspec.Struct, tag="content_block_delta", tag_field="type"):
    """An event that brings more of a block and nothing else."""

    index: int
    delta: QuietText | QuietArgs | QuietThinking


class Frame(msgspec.Struct):
    """Any event of a stream."""

    type: str = ""
    index: int = 0
    delta: Delta | None = None
    content_block: msgspec.Raw = msgspec.Raw()
    message: Message | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class OpenBlock:
    """One block while its deltas arrive: `kind` and number of its part, and what it said so far."""

    __slots__ = ("block", "citations", "kind", "part", "said", "texts")

    def __init__(self, kind: str, part: int, block: Block | None) -> None:
        self.kind, self.part, self.block = kind, part, block
        self.texts: list[str] = []
        self.said = 0
        self.citations: list[dict[str, Any]] = []


class _Typed(msgspec.Struct):
    type: str = ""


_frame = msgspec.json.Decoder(Frame)
_typed = msgspec.json.Decoder(_Typed)
_anything = msgspec.json.Decoder()


def read_frame(data: bytes) -> Frame | None:
    """Decode an event; None for what is none. An event of an unknown type has its type only."""
    try:
        return decode(_frame, data)
    except msgspec.ValidationError:
        return _unknown(data)
    except FAULTS:
        return None


def _unknown(data: bytes) -> Frame | None:
    try:
        kind = decode(_typed, data).type
    except FAULTS:
        return None
    return None if kind in _KNOWN_EVENTS else Frame(kind)


def error_of(raw: msgspec.Raw, data: bytes) -> dict[str, object]:
    """Return an error as an object, whatever imitators make of it."""
    try:
        found = decode(_anything, bytes(raw) if is_something(raw) else data)
    except FAULTS:
        found = None
    return found if isinstance(found, dict) else {"message": str(found or "The provider reported an error.")}


def is_something(raw: msgspec.Raw) -> bool:
    """Tell whether a member is there and not empty."""
    return bytes(raw) not in _NOTHING


def counted(before: Counts, raw: msgspec.Raw) -> Counts:
    """Return the token counts so far with those of one more usage object: the last value counts, but a zero replaces
    nothing."""
    if not is_something(raw):
        return before
    try:
        read = decode(_anything, bytes(raw))
    except FAULTS:
        return before
    if not isinstance(read, dict):
        return before
    return before | {name: value for name, value in read.items() if value or name not in before}


def usage_of(counts: Counts) -> Usage | None:
    """Return the usage that the counts amount to; None if they say nothing."""
    fresh, said = count(counts.get("input_tokens")), count(counts.get("output_tokens"))
    odd = doubtful(counts, _object(counts, "cache_creation"))
    if fresh is None and said is None:
        return Usage(doubtful=True) if odd else None
    read, written = count(counts.get("cache_read_input_tokens")), count(counts.get("cache_creation_input_tokens"))
    shares, details = _object(counts, "cache_creation"), _object(counts, "output_tokens_details")
    short, long = count(shares.get("ephemeral_5m_input_tokens")), count(shares.get("ephemeral_1h_input_tokens"))
    if written is None and (short is not None or long is not None):
        written = (short or 0) + (long or 0)
    return Usage(
        input_total=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_total=said,
        cache_read=read,
        cache_write=written,
        reasoning=count(details.get("thinking_tokens")),
        cache_write_5m=short,
        cache_write_1h=long,
        web_searches=count(_object(counts, "server_tool_use").get("web_search_requests")),
        tier=tier(counts.get("speed")) or tier(counts.get("service_tier")),
        doubtful=odd,
    )


def finish_of(reason: str | None, sequence: str | None, details: dict[str, Any] | None, *, said: str) -> Finished:
    """Return why the message ended; `said` is what it holds: calls, something, or nothing (empty)."""
    known = _REASONS.get(reason or "", "stop" if said else "other")
    if known == "stop" and said == "calls":
        known = "tool_calls"
    return Finished(known, 0, reason or "", sequence, details)


def parsed(text: str) -> Any:
    """Return what the pieces of a hosted call's input amount to; the text itself if it is no JSON."""
    try:
        return decode(_anything, text.encode(errors="replace"))
    except FAULTS:
        return text


def _object(counts: Counts, name: str) -> Counts:
    found = counts.get(name)
    return found if isinstance(found, dict) else {}
