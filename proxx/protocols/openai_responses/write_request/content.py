"""The hub's parts -> content parts of input items."""

from collections.abc import Iterable
from typing import Any

from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Audio, File, Image, Opaque, Part, Refusal, Text
from proxx.protocols.openai_responses.citations import annotation
from proxx.protocols.openai_responses.dialect import NAME, OPENAI

DOCUMENT = "document.pdf"
BREAKPOINT = {"mode": "explicit"}


class Content:
    """Writes content parts; `marks` tells whether the upstream takes cache marks on them."""

    __slots__ = ("_losses", "_marks")

    def __init__(self, losses: Losses, *, marks: bool) -> None:
        self._losses, self._marks = losses, marks

    def given(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """Return what was given to the model: parts of a message or of a tool's output. Empty text gives none."""
        return [one for part in parts for one in self._given(part)]

    def said(self, part: Text | Refusal) -> dict[str, Any]:
        """Return what the model said."""
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        length = len(part.text)
        notes = [note for note in (annotation(one, length=length) for one in part.citations) if note is not None]
        return {"type": "output_text", "text": part.text} | ({"annotations": notes} if notes else {})

    def _given(self, part: Part) -> list[dict[str, Any]]:
        match part:
            case Text(text=text) | Refusal(text=text):
                cache = part.cache if isinstance(part, Text) else None
                return [self._marked({"type": "input_text", "text": text}, cache)] if text else []
            case Image():
                return [self._marked(self._image(part), part.cache)]
            case File():
                return [self._marked(self._file(part), part.cache)]
            case Audio():
                self._losses.refuse("input_audio", "this dialect carries no sound")
            case Opaque():
                return self._opaque(part)
        return []

    def _opaque(self, part: Opaque) -> list[dict[str, Any]]:
        if part.dialect == NAME:
            return [part.raw]
        kind = part.raw.get("type")
        self._losses.drop(f"content[].{kind}" if kind else "content[]", "unknown to this dialect")
        return []

    def _image(self, part: Image) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "input_image", "detail": part.detail or "auto"}
        if part.file_id:
            return said | {"file_id": self._own_file(part)}
        if part.data:
            return said | {"image_url": f"data:{part.media_type or 'image/png'};base64,{part.data}"}
        return said | {"image_url": part.url}

    def _file(self, part: File) -> dict[str, Any]:
        if part.context:
            self._losses.drop("document.context", "this dialect has no place for it")
        if part.file_id:
            return {"type": "input_file", "file_id": self._own_file(part)}
        if part.url:
            return {"type": "input_file", "file_url": part.url}
        if part.text:
            text = f"{part.title or part.filename}\n\n{part.text}" if part.title or part.filename else part.text
            return {"type": "input_text", "text": text}
        data = f"data:{part.media_type or 'application/pdf'};base64,{part.data}"
        return {"type": "input_file", "filename": part.filename or part.title or DOCUMENT, "file_data": data}

    def _own_file(self, part: Image | File) -> str:
        if part.dialect not in OPENAI:
            self._losses.refuse("file_id", "the file was given to another provider")
        return part.file_id

    def _marked(self, said: dict[str, Any], cache: object) -> dict[str, Any]:
        return said | {"prompt_cache_breakpoint": BREAKPOINT} if cache is not None and self._marks else said
