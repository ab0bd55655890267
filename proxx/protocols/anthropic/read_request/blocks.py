"""Content blocks -> parts. For requests and whole replies; only the origin of bare blobs differs, which the caller says
with `family`: the model's in a reply, nothing in a request, where it was Anthropic's as far as anyone can tell.
"""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.hosted import hosted_of, joined, searches_tools
from proxx.protocols.anthropic.read_request.shapes import (
    DIALECT,
    CacheControl,
    CompactionBlock,
    DocumentBlock,
    ImageBlock,
    KnownBlock,
    RedactedThinkingBlock,
    SearchResultBlock,
    Source,
    TextBlock,
    ThinkingBlock,
    ToolReferenceBlock,
    ToolResultBlock,
    ToolUseBlock,
    read_block,
    read_content,
)
from proxx.protocols.hub.blobs import PREFIX, received
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.media import data_url
from proxx.protocols.hub.parts import (
    Blob,
    CacheMark,
    Citation,
    Compaction,
    File,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)

UNSIGNED = "unsigned"  # the family of the wrapped blob that stands where thinking came without a signature

_USER = (TextBlock, ImageBlock, DocumentBlock, SearchResultBlock, ToolResultBlock)
_ASSISTANT = (TextBlock, ToolUseBlock, ThinkingBlock, RedactedThinkingBlock, CompactionBlock, ImageBlock, DocumentBlock)
_RESULT = (TextBlock, ImageBlock, DocumentBlock, SearchResultBlock, ToolReferenceBlock)
_ALLOWED = {"user": _USER, "assistant": _ASSISTANT, "system": (TextBlock,)}


def read_parts(raw: msgspec.Raw, where: str, *, role: str, family: str = "") -> tuple[Part, ...]:
    """Read the content of one message; raise `Unreadable` naming the block at fault."""
    content = read_content(raw, where)
    if isinstance(content, str):
        return (Text(content),)
    parts: list[Part] = []
    for place, one in enumerate(content):
        at = f"{where}[{place}]"
        block = read_block(one, at)
        if isinstance(block, dict):
            parts += _strange(block, family)
        elif isinstance(block, _ALLOWED[role]):
            parts += parts_of(block, at, family)
        else:
            raise Unreadable(f"{at}: this block cannot stand in a message of role '{role}'.", param=at)
    return tuple(_signed_calls(joined(parts)))


def _strange(block: dict[str, Any], family: str) -> list[Part]:
    if not family and searches_tools(block):
        return []  # its tool is not declared to anybody: all that it could find is
    found = hosted_of(block)
    return [found if found is not None else Opaque(block, DIALECT)]


def citation_of(raw: dict[str, Any], text: str) -> Citation:
    """Return one source of a text block, which is cited as a whole."""
    url = raw.get("url") or raw.get("source")
    title = raw.get("title") or raw.get("document_title")
    ours = str(raw.get("encrypted_index", "")).startswith(PREFIX)  # written by us for another vendor's source
    return Citation(
        url=url if isinstance(url, str) else "",
        title=title if isinstance(title, str) else "",
        start=0,
        end=len(text),
        cited_text=str(raw.get("cited_text") or ""),
        raw=None if ours else raw,
        dialect="" if ours else DIALECT,
    )


def reasoning_of(text: str, signature: str, family: str) -> Reasoning:
    """Return a thinking block as it was before we or its maker signed it."""
    blob = _blob("signature", signature, family) if signature else None
    if blob is None or blob.family == UNSIGNED:
        return Reasoning(text)
    if blob.dialect == "openai_responses":  # its items are not to be changed: what was a summary is one again
        return Reasoning("", (text,) if text else (), blob, blob.item_id)
    return Reasoning(text, (), blob, blob.item_id)


def redacted(data: str, family: str) -> Reasoning:
    """Return a block of redacted thinking."""
    return Reasoning(blob=_blob("redacted", data, family))


def _blob(kind: str, value: str, family: str) -> Blob:
    # In a reply it is the upstream's own, even if that wrapped it: it wants it back as it was.
    return Blob(kind, value, DIALECT, family) if family else received(value, kind=kind, dialect=DIALECT)


def mark_of(control: CacheControl | None) -> CacheMark | None:
    """Return the cache mark of a block."""
    return None if control is None else CacheMark(control.ttl or "")


def parts_of(block: KnownBlock, where: str, family: str) -> list[Part]:
    """Return one block as parts, of which there are several only for documents in pieces."""
    match block:
        case TextBlock(text=text):
            citations = tuple(citation_of(one, text) for one in block.citations or ())
            return [Text(text, citations, cache=mark_of(block.cache_control))]
        case ThinkingBlock():
            return [reasoning_of(block.thinking, block.signature or "", family)]
        case RedactedThinkingBlock(data=data):
            return [redacted(data, family)]
        case ToolUseBlock():
            return [_call(block, where)]
        case ToolResultBlock():
            return [_result(block, where)]
        case ImageBlock():
            return [_image(block.source, where, mark_of(block.cache_control))]
        case DocumentBlock():
            return _document(block, where)
        case SearchResultBlock():
            return [_found(block, where)]
        case ToolReferenceBlock(tool_name=name):
            return [Text(f"tool {name} is available")]
        case CompactionBlock(content=content):
            return [Compaction(content or "")]


def _call(block: ToolUseBlock, where: str) -> ToolCall:
    args = bytes(block.input).decode(errors="replace") or "{}"
    if not args.lstrip().startswith("{"):
        raise Unreadable(f"{where}.input must be an object.", code="invalid_type", param=f"{where}.input")
    return ToolCall(block.id, block.name, args, cache=mark_of(block.cache_control))


def _result(block: ToolResultBlock, where: str) -> ToolResult:
    at = f"{where}.content"
    content = read_content(block.content, at)
    parts: list[Part] = []
    if isinstance(content, str):
        parts = [Text(content)] if content else []
    else:
        for place, raw in enumerate(content):
            inner = read_block(raw, f"{at}[{place}]")
            if isinstance(inner, _RESULT):
                parts += parts_of(inner, f"{at}[{place}]", "")
            elif isinstance(inner, dict):
                parts.append(Opaque(inner, DIALECT))
            else:
                raise Unreadable(f"{at}[{place}]: this block cannot stand in a tool result.", param=at)
    return ToolResult(block.tool_use_id, tuple(parts), is_error=block.is_error, cache=mark_of(block.cache_control))


def _image(source: Source, where: str, cache: CacheMark | None) -> Image:
    match source.type:
        case "base64":
            return Image(data=source.data, media_type=source.media_type, cache=cache)
        case "url":
            inside = data_url(source.url)
            if inside is not None:
                return Image(data=inside[1], media_type=inside[0], cache=cache)
            return Image(url=source.url, cache=cache)
        case "file":
            return Image(file_id=source.file_id, dialect=DIALECT, cache=cache)
    raise _unknown_source(source, where)


def _document(block: DocumentBlock, where: str) -> list[Part]:
    source, cites = block.source, block.citations.enabled if block.citations else None
    title, context, cache = block.title or "", block.context or "", mark_of(block.cache_control)
    about: dict[str, Any] = {"title": title, "context": context, "citations": cites, "cache": cache}
    match source.type:
        case "base64":
            return [File(data=source.data, media_type=source.media_type or "application/pdf", **about)]
        case "text":
            return [File(text=source.data, media_type=source.media_type or "text/plain", **about)]
        case "url":
            return [File(url=source.url, media_type="application/pdf", **about)]
        case "file":
            return [File(file_id=source.file_id, dialect=DIALECT, **about)]
        case "content":
            return _pieces(read_parts(source.content, f"{where}.source.content", role="user"), about)
    raise _unknown_source(source, where)


def _pieces(parts: tuple[Part, ...], about: dict[str, Any]) -> list[Part]:
    texts = [part.text for part in parts if isinstance(part, Text)]
    document = File(text="\n\n".join(texts), media_type="text/plain", **about)
    return [document, *(part for part in parts if not isinstance(part, Text))]


def _found(block: SearchResultBlock, where: str) -> File:
    texts = [read_block(raw, f"{where}.content[{place}]") for place, raw in enumerate(block.content)]
    return File(
        text="\n\n".join(one.text for one in texts if isinstance(one, TextBlock)),
        media_type="text/plain",
        title=block.title,
        context=f"Source: {block.source}",
        citations=block.citations.enabled if block.citations else None,
        cache=mark_of(block.cache_control),
    )


def _unknown_source(source: Source, where: str) -> Unreadable:
    at = f"{where}.source.type"
    return Unreadable(f"{at}: '{source.type}' is no source of this block.", param=at)


def _signed_calls(parts: list[Part]) -> list[Part]:
    """Give calls the blobs that were written before them as thinking without text."""
    told: list[Part] = []
    for part in parts:
        before = told[-1] if told else None
        if isinstance(part, ToolCall) and isinstance(before, Reasoning) and _signs_a_call(before):
            told[-1] = msgspec.structs.replace(part, blob=before.blob)
        else:
            told.append(part)
    return told


def _signs_a_call(part: Reasoning) -> bool:
    blob: Blob | None = part.blob
    return blob is not None and blob.kind == "thought" and not part.text
