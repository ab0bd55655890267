"""The shapes of events and items as upstreams send them: only what is read of them."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.openai_responses.dialect import CALL_ITEMS

KINDS = {item: kind for kind, (item, _) in CALL_ITEMS.items()}


class StreamEvent(msgspec.Struct, gc=False):
    """What is read of an event."""

    type: str = ""
    delta: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    item_id: str | None = None
    logprobs: list[dict[str, Any]] | None = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    item: msgspec.Raw = msgspec.Raw()
    part: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    annotation: dict[str, Any] | None = None
    error: msgspec.Raw = msgspec.Raw()


class Piece(msgspec.Struct):
    """One content part or summary part of an item."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class Item(msgspec.Struct):
    """What is read of an output item."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    phase: str | None = None
    execution: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    action: msgspec.Raw = msgspec.Raw()
    actions: msgspec.Raw = msgspec.Raw()
    operation: msgspec.Raw = msgspec.Raw()
    encrypted_content: str | None = None
    summary: list[Piece] | None = None
    content: list[Piece] | None = None


_item = msgspec.json.Decoder(Item)
objects = msgspec.json.Decoder(dict[str, Any])
_words = msgspec.json.Decoder(str)


def read_item(raw: bytes) -> Item | None:
    """Read an item; one of an unknown type only by its type. None for what is no item."""
    try:
        return decode(_item, raw)
    except FAULTS:
        pass
    try:
        kind = decode(objects, raw).get("type")
    except FAULTS:
        return None
    if not isinstance(kind, str) or kind in KINDS or kind in ("message", "reasoning", "compaction"):
        return None
    return Item(kind)


def text_of(raw: bytes) -> str:
    """Return arguments as text: a JSON string's value, or the JSON of an action as it was written."""
    if raw in (b"", b"null"):
        return ""
    if not raw.startswith(b'"'):
        return raw.decode(errors="replace")
    try:
        return decode(_words, raw)
    except FAULTS:
        return ""
