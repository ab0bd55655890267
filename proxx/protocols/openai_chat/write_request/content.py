"""Parts -> the content of one message: a string where one will do, else a list of parts."""

from collections.abc import Iterable, Sequence
from typing import Any

from proxx.protocols.hub import media
from proxx.protocols.hub.parts import (
    Audio,
    CacheMark,
    Compaction,
    File,
    Hosted,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxx.protocols.openai_chat.dialect import NAME, OPENAI
from proxx.protocols.openai_chat.write_request.ask import Ask

Json = dict[str, Any]

_SOUNDS = {"audio/wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_FILENAMES = {"application/pdf": "document.pdf"}


def content(ask: Ask, parts: Iterable[Part]) -> str | list[Json]:
    """Return what parts say, as content of a message; an empty string for none."""
    written = [one for part in parts for one in _written(ask, part)]
    written = [one for one in written if one["type"] != "text" or one["text"]] or written[:1]
    if all(one["type"] == "text" for one in written) and (
        "string_content" in ask.quirks or (len(written) < 2 and not _marked(written))
    ):
        return "\n".join(one["text"] for one in written)
    return written


def joined(ask: Ask, parts: Sequence[Part], *, by: str) -> str | list[Json]:
    """Return texts as one string, or as parts where marks or the client's own form must survive."""
    written = content(ask, parts)
    keeps = ask.request.dialect == NAME and "string_content" not in ask.quirks
    if isinstance(written, str) or keeps or _marked(written):
        return written
    return by.join(one["text"] for one in written)


def plain(part: Part) -> str:
    """Return what of a part can be said in words."""
    match part:
        case Text(text=text) | Refusal(text=text) | Compaction(text=text):
            return text
        case File() if is_readable(part):
            return _document(part)
        case Hosted():
            return hosted_text(part)
    return ""


def is_readable(part: Part) -> bool:
    """Tell whether a document is text, which every upstream takes."""
    return isinstance(part, File) and bool(part.text or (part.data and media.is_text(part.media_type)))


def hosted_text(part: Hosted) -> str:
    """Return in words what a vendor looked up by itself, for one who cannot read its items (D170)."""
    lines = [f"[{part.kind}: {part.query}]" if part.query else f"[{part.kind}]"]
    lines += [f"- {hit.title} {hit.url}".rstrip() for hit in part.hits]
    return "\n".join(lines) + "\n\n"


def mark(ask: Ask, cache: CacheMark | None) -> Json:
    """Return the member that marks a part for caching; nothing where nobody minds it."""
    if cache is None or not ask.marks_cache:
        return {}
    if "cache_breakpoints" in ask.quirks:
        return {"prompt_cache_breakpoint": {"mode": "explicit"}}
    return {"cache_control": {"type": "ephemeral", "ttl": cache.ttl} if cache.ttl else {"type": "ephemeral"}}


def _marked(written: list[Json]) -> bool:
    return any("cache_control" in one or "prompt_cache_breakpoint" in one for one in written)


def _written(ask: Ask, part: Part) -> list[Json]:
    match part:
        case Text():
            return [{"type": "text", "text": part.text, **mark(ask, part.cache)}]
        case Image():
            return [image(ask, part)]
        case File():
            return [_file(ask, part)]
        case Audio():
            return [_audio(ask, part)]
        case Opaque() if part.dialect == NAME:
            return [part.raw]
        case Compaction(text="") | Opaque():
            ask.losses.drop("messages[].content", "a part that only its own vendor can read")
            return []
        case Reasoning() | ToolCall() | ToolResult():
            return []  # they have places of their own
    return [{"type": "text", "text": plain(part)}]


def image(ask: Ask, part: Image) -> Json:
    """Return a picture; refuse one that the model would not see."""
    if "no_images" in ask.quirks or ask.target.facts.images is False:
        ask.losses.refuse("messages[].image", "it does not see pictures")
    if not (part.url or part.data):
        ask.losses.refuse("messages[].image", "a picture by file id belongs to the provider that stores it")
    shown = {"url": part.url or f"data:{part.media_type};base64,{part.data}"}
    if part.detail:
        shown["detail"] = part.detail
    return {"type": "image_url", "image_url": shown, **mark(ask, part.cache)}


def _audio(ask: Ask, part: Audio) -> Json:
    sound = _SOUNDS.get(part.media_type)
    if sound is None:
        ask.losses.refuse("messages[].audio", "only wav and mp3 can be sent")
    return {"type": "input_audio", "input_audio": {"data": part.data, "format": sound}}


def _file(ask: Ask, part: File) -> Json:
    if is_readable(part):
        return {"type": "text", "text": _document(part), **mark(ask, part.cache)}
    if "no_files" in ask.quirks:
        ask.losses.refuse("messages[].file", "it takes no documents")
    if part.media_type.startswith(("video/", "audio/")):
        ask.losses.refuse("messages[].file", "it takes no such medium")
    inner: Json = {}
    if part.filename or not part.file_id:
        inner["filename"] = part.filename or _FILENAMES.get(part.media_type, "document.pdf")
    if part.data:
        inner["file_data"] = f"data:{part.media_type or 'application/pdf'};base64,{part.data}"
    elif part.url and "file_urls" in ask.quirks:
        inner["file_data"] = part.url
    elif part.file_id and part.dialect in OPENAI:
        inner["file_id"] = part.file_id
    else:
        ask.losses.refuse("messages[].file", "a document must be sent with its data")
    return {"type": "file", "file": inner, **mark(ask, part.cache)}


def _document(part: File) -> str:
    text = part.text or media.text_of(part.data)
    title = part.title or part.filename
    return "\n".join(line for line in (title, part.context, text) if line)
