"""Content blocks of the Messages dialect, as they are decoded: in requests and in whole replies alike.

Blocks are told apart by `type`. Arguments and what is passed on unread stay raw, so that they keep their spelling.
"""

from typing import Any, TypeVar

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable

T = TypeVar("T")

DIALECT = "anthropic"
FAMILY = "claude"


class CacheControl(msgspec.Struct):
    """A cache mark."""

    type: str = "ephemeral"
    ttl: str | None = None


class TextBlock(msgspec.Struct, tag="text", tag_field="type"):
    """Text, with its sources."""

    text: str
    cache_control: CacheControl | None = None
    citations: list[dict[str, Any]] | None = None


class Source(msgspec.Struct):
    """Where an image or document comes from: base64, url, file, text or content."""

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""
    file_id: str = ""
    content: msgspec.Raw = msgspec.Raw()


class ImageBlock(msgspec.Struct, tag="image", tag_field="type"):
    """A picture."""

    source: Source
    cache_control: CacheControl | None = None


class CitationsWish(msgspec.Struct):
    """Whether a document may be cited."""

    enabled: bool | None = None


class DocumentBlock(msgspec.Struct, tag="document", tag_field="type"):
    """A document."""

    source: Source
    title: str | None = None
    context: str | None = None
    citations: CitationsWish | None = None
    cache_control: CacheControl | None = None


class SearchResultBlock(msgspec.Struct, tag="search_result", tag_field="type"):
    """A finding of the client's own search."""

    source: str
    title: str
    content: list[msgspec.Raw]
    citations: CitationsWish | None = None
    cache_control: CacheControl | None = None


class ToolUseBlock(msgspec.Struct, tag="tool_use", tag_field="type"):
    """A call."""

    id: str
    name: str
    input: msgspec.Raw = msgspec.Raw()
    cache_control: CacheControl | None = None


class ToolResultBlock(msgspec.Struct, tag="tool_result", tag_field="type"):
    """What a call gave."""

    tool_use_id: str
    content: msgspec.Raw = msgspec.Raw()
    is_error: bool | None = None
    cache_control: CacheControl | None = None


class ToolReferenceBlock(msgspec.Struct, tag="tool_reference", tag_field="type"):
    """A deferred tool that a search has found."""

    tool_name: str


class ThinkingBlock(msgspec.Struct, tag="thinking", tag_field="type"):
    """Thinking, signed."""

    thinking: str = ""
    signature: str | None = None


class RedactedThinkingBlock(msgspec.Struct, tag="redacted_thinking", tag_field="type"):
    """Thinking that only its maker can read."""

    data: str


class CompactionBlock(msgspec.Struct, tag="compaction", tag_field="type"):
    """An earlier conversation in short."""

    content: str | None = None


KnownBlock = (
    TextBlock
    | ImageBlock
    | DocumentBlock
    | SearchResultBlock
    | ToolUseBlock
    | ToolResultBlock
    | ToolReferenceBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | CompactionBlock
)
Block = KnownBlock | dict[str, Any]
KNOWN = frozenset(
    (
        *("text", "image", "document", "search_result", "tool_use", "tool_result", "tool_reference"),
        *("thinking", "redacted_thinking", "compaction"),
    )
)


class _Typed(msgspec.Struct):
    type: str


_block = msgspec.json.Decoder(KnownBlock)
_typed = msgspec.json.Decoder(_Typed)
_raws = msgspec.json.Decoder(str | list[msgspec.Raw] | None)
_object = msgspec.json.Decoder(dict[str, Any])


def read_block(raw: msgspec.Raw, where: str) -> Block:
    """Decode one block; one of a type that is not known here stays a dictionary. Raises `Unreadable`."""
    try:
        known: KnownBlock = decode(_block, bytes(raw))
        return known
    except FAULTS:
        if read_as(_typed, raw, where).type not in KNOWN:
            return read_as(_object, raw, where)
        read_as(_block, raw, where)
        raise


def read_content(raw: msgspec.Raw, where: str) -> str | list[msgspec.Raw]:
    """Decode a content that is text or a list of blocks; missing means no blocks. Raises `Unreadable`."""
    if not bytes(raw):
        return []
    found = read_as(_raws, raw, where)
    return [] if found is None else found


def read_as(decoder: "msgspec.json.Decoder[T]", raw: msgspec.Raw, where: str) -> T:
    """Decode a member of the body; raise `Unreadable`, naming the place, if it is of another type."""
    try:
        return decode(decoder, bytes(raw))
    except msgspec.ValidationError as fault:
        said, _, path = str(fault).partition(" - at `$")
        place = where + path.rstrip("`")
        raise Unreadable(f"{place}: {said[:1].lower()}{said[1:]}.", code="invalid_type", param=place) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None
