"""Parts -> content blocks of a request. Thinking goes back only to those who signed it; media that Claude cannot take
are refused, never left out."""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.shapes import DIALECT
from proxx.protocols.hub.arguments import history_object
from proxx.protocols.hub.blobs import fits
from proxx.protocols.hub.freeform import sent_args
from proxx.protocols.hub.ids import ANTHROPIC, fitted
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.media import data_url, is_text, sniffed, standard, text_of
from proxx.protocols.hub.names import NameTable
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
from proxx.protocols.hub.searches import as_text
from proxx.protocols.hub.target import Target

Json = dict[str, Any]

PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
PDF = "application/pdf"
THOUGHTS = ("thinking", "redacted_thinking")
UNMARKABLE = THOUGHTS  # blocks that cannot carry a cache mark


class BlockWriter:
    """Writes the parts of one request's turns. `files` tells whether a file of Anthropic's store was named."""

    def __init__(self, target: Target, names: NameTable, losses: Losses) -> None:
        self._losses, self._names = losses, names
        self._family = target.facts.family or target.provider
        self._thinks = target.facts.thinking != "none"
        self.files = False

    def blocks(self, parts: tuple[Part, ...]) -> list[Json]:
        """Return the blocks of one turn; a mark on what is left out moves to the block before it."""
        told: list[Json] = []
        for part in parts:
            blocks = self._blocks(part)
            told += blocks
            mark = getattr(part, "cache", None)
            if mark is not None:
                self._mark(told, mark)
        return told

    def _mark(self, told: list[Json], mark: CacheMark) -> None:
        for block in reversed(told):
            if block["type"] not in UNMARKABLE:
                block["cache_control"] = control_of(mark)
                return

    def _blocks(self, part: Part) -> list[Json]:
        if isinstance(part, Audio):
            self._losses.refuse("messages[].audio", "this dialect takes no sound")
        match part:
            case Text():
                return self._text(part)
            case Refusal(text=text):
                return self._text(Text(text))
            case ToolCall():
                return [self._call(part)]
            case ToolResult():
                return [self._result(part)]
            case Reasoning():
                return self._thinking(part)
            case Image():
                return [self._image(part)]
            case File():
                return self._file(part)
            case Hosted():
                return self._hosted(part)
            case Compaction():
                return self._compaction(part)
            case Opaque():
                return self._opaque(part)

    def _text(self, part: Text) -> list[Json]:
        if not part.text.strip():
            return []
        block: Json = {"type": "text", "text": part.text}
        cited = [one.raw for one in part.citations if one.raw is not None and one.dialect == DIALECT]
        return [block | {"citations": cited}] if cited else [block]

    def _call(self, part: ToolCall) -> Json:
        args = history_object(sent_args(part), part.name, self._losses)
        return {
            "type": "tool_use",
            "id": fitted(part.id, pattern=ANTHROPIC),
            "name": self._names.upstream(part.name, part.namespace),
            "input": msgspec.Raw(args.encode()),
        }

    def _result(self, part: ToolResult) -> Json:
        block: Json = {"type": "tool_result", "tool_use_id": fitted(part.call_id, pattern=ANTHROPIC)}
        inner = self.blocks(part.parts)
        if len(inner) == 1 and set(inner[0]) == {"type", "text"}:
            block["content"] = inner[0]["text"]
        elif inner:
            block["content"] = inner
        return block | {"is_error": True} if part.is_error else block

    def _thinking(self, part: Reasoning) -> list[Json]:
        blob = part.blob
        if blob is None or not self._thinks or not fits(blob, dialect=DIALECT, family=self._family):
            return []
        if blob.kind == "redacted":
            return [{"type": "redacted_thinking", "data": blob.value}]
        return [{"type": "thinking", "thinking": part.text or "\n\n".join(part.summary), "signature": blob.value}]

    def _image(self, part: Image) -> Json:
        if part.file_id:
            return {"type": "image", "source": self._stored(part.file_id, part.dialect)}
        found = data_url(part.url) if part.url else (part.media_type, part.data)
        if found is None:
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        return self._picture(*found)

    def _picture(self, declared: str, data: str) -> Json:
        media_type = sniffed(data, declared)
        if media_type == PDF:
            return {"type": "document", "source": {"type": "base64", "media_type": PDF, "data": data}}
        if media_type not in PICTURES:
            self._losses.refuse("messages[].image", f"{media_type} is not one of JPEG PNG GIF WebP")
        source = {"type": "base64", "media_type": media_type, "data": standard(data) or data}
        return {"type": "image", "source": source}

    def _file(self, part: File) -> list[Json]:
        source = self._source(part)
        if source is None:
            return []
        if source["type"] == "image":
            return [source]
        block: Json = {"type": "document", "source": source}
        if part.title or part.filename:
            block["title"] = part.title or part.filename
        if part.context:
            block["context"] = part.context
        if part.citations is not None:
            block["citations"] = {"enabled": part.citations}
        return [block]

    def _source(self, part: File) -> Json | None:
        """Return a document's source, or a whole image block for a file that is a picture; None for an empty one."""
        if part.file_id:
            return self._stored(part.file_id, part.dialect)
        if part.text:
            return _plain(part.text)
        found = data_url(part.url) if part.url else (part.media_type, part.data)
        if found is None:
            return {"type": "url", "url": part.url}
        declared, data = found
        if not data:
            return None
        media_type = sniffed(data, declared)
        if media_type == PDF:
            return {"type": "base64", "media_type": PDF, "data": standard(data) or data}
        if media_type.startswith("image/"):
            return self._picture(media_type, data)
        if not is_text(media_type):
            self._losses.refuse("messages[].file", f"{media_type} is neither PDF nor text nor a picture")
        return _plain(text_of(data))

    def _stored(self, file_id: str, dialect: str) -> Json:
        if dialect != DIALECT:
            self._losses.refuse("messages[].file_id", "it names a file in another vendor's store")
        self.files = True
        return {"type": "file", "file_id": file_id}

    def _hosted(self, part: Hosted) -> list[Json]:
        if part.raw and part.dialect == DIALECT:
            return [_copied(block) for block in part.raw]
        return self._text(Text(as_text(part)))

    def _opaque(self, part: Opaque) -> list[Json]:
        if part.dialect == DIALECT:
            return [_copied(part.raw)]
        self._losses.drop("messages[].content", f"{part.raw.get('type', 'a part')} is unknown to this dialect")
        return []

    def _compaction(self, part: Compaction) -> list[Json]:
        if not part.text:
            self._losses.drop("messages[].compaction", "only its own vendor can read it")
        return self._text(Text(part.text))


def control_of(mark: CacheMark) -> Json:
    """Return a cache mark as this dialect writes it."""
    return {"type": "ephemeral", "ttl": mark.ttl} if mark.ttl else {"type": "ephemeral"}


def _copied(block: Json) -> Json:
    # Marks are changed in place later, and the request is not ours to change.
    return {name: value for name, value in block.items() if name != "cache_control" or value}


def _plain(text: str) -> Json | None:
    return {"type": "text", "media_type": "text/plain", "data": text} if text.strip() else None
