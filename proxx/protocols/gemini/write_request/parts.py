"""Hub parts -> Gemini's parts, with the names, signatures and results that its newest models insist on."""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.gemini.write_request.media import medium_part
from proxx.protocols.hub.arguments import history_object
from proxx.protocols.hub.blobs import fits
from proxx.protocols.hub.freeform import sent_args
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.parts import (
    Audio,
    Blob,
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
from proxx.protocols.hub.target import Target

DIALECT = "gemini"
# What Google documents for calls that no Gemini model made: base64 of "skip_thought_signature_validator".
DUMMY = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
NO_CALL_IDS = "no_call_ids"  # quirk: ids of calls are refused as unknown names

GemPart = dict[str, Any]


def is_older(target: Target) -> bool:
    """Tell whether a model is of a generation before Gemini 3; unknown ones are not."""
    return target.facts.thinking in ("none", "budget")


def wants_signatures(target: Target) -> bool:
    """Tell whether a model refuses a first call without its signature."""
    return target.facts.thinking == "level"


class PartWriter:
    """Writes the parts of one request."""

    def __init__(self, target: Target, names: NameTable, losses: Losses) -> None:
        self._target, self._names, self._losses = target, names, losses
        self._nests_media = not is_older(target)
        self._with_ids = NO_CALL_IDS not in target.quirks

    def model(self, parts: Sequence[Part]) -> list[GemPart]:
        """Return a model's parts. Thoughts stay away, their signature goes to the part that follows them."""
        told: list[GemPart] = []
        waiting: Blob | None = None
        called = False
        for part in parts:
            if isinstance(part, Reasoning):
                waiting = self._fitting(part.blob) or waiting
                continue
            if isinstance(part, ToolCall):
                told.append(self._call(part, waiting, first=not called))
                called, waiting = True, None
            elif isinstance(part, Text):
                told += _signed_text(part.text, self._fitting(part.blob) or waiting)
                waiting = None
            else:
                told += self._other(part)
        return told + _signed_text("", waiting)

    def user(self, parts: Sequence[Part]) -> list[GemPart]:
        """Return a user's parts: results first, each a part, then everything else."""
        results: list[GemPart] = []
        media: list[GemPart] = []
        others: list[GemPart] = []
        for part in parts:
            if isinstance(part, ToolResult):
                result, beside = self._result(part)
                results.append(result)
                media += beside
            elif isinstance(part, Text):
                others += [{"text": part.text}] if part.text else []
            else:
                others += self._other(part)
        return [*results, *media, *others]

    def _call(self, call: ToolCall, waiting: Blob | None, *, first: bool) -> GemPart:
        name = self._names.upstream(call.name, call.namespace)
        args = history_object(sent_args(call), call.name, self._losses)
        told: GemPart = {"name": name, "args": orjson.Fragment(args)}
        part: GemPart = {"functionCall": {"id": call.id, **told} if self._with_ids else told}
        blob = self._fitting(call.blob) or waiting or self._fitting(self._target.restored.get(call.id))
        if blob is not None:
            part["thoughtSignature"] = blob.value
        elif first and wants_signatures(self._target):
            part["thoughtSignature"] = DUMMY
        return part

    def _result(self, result: ToolResult) -> tuple[GemPart, list[GemPart]]:
        texts: list[str] = []
        media: list[GemPart] = []
        for part in result.parts:
            if isinstance(part, Image | Audio | File) and not (isinstance(part, File) and part.text):
                media.append(medium_part(part, self._target, self._losses))
            else:
                texts += [one["text"] for one in self._other(part) if "text" in one]
        said = "\n".join(texts)
        told: GemPart = {
            "name": self._names.upstream(result.name, result.namespace),
            "response": {"error" if result.is_error else "output": said},
        }
        if self._with_ids and result.call_id:
            told = {"id": result.call_id, **told}
        if media and self._nests_media:
            return {"functionResponse": {**told, "parts": media}}, []
        return {"functionResponse": told}, media

    def _other(self, part: Part) -> list[GemPart]:
        match part:
            case Text(text=text) | Refusal(text=text) | Compaction(text=text, blob=None):
                return [{"text": text}] if text else []
            case Image() | Audio() | File():
                written = medium_part(part, self._target, self._losses)
                return [] if written == {"text": ""} else [written]
            case Hosted():
                return self._hosted(part)
            case Opaque(dialect="gemini"):
                return [part.raw]
            case Opaque():
                self._losses.drop(f"messages[].{part.raw.get('type', 'content')}", "only its own vendor can read it")
            case Compaction():
                self._losses.drop("messages[].compaction", "only its own vendor can read it")
        return []

    def _hosted(self, hosted: Hosted) -> list[GemPart]:
        if hosted.dialect == DIALECT and hosted.kind in ("code", "hosted"):
            return list(hosted.raw)
        # Another vendor's search is told in words, so that its findings are not lost.
        lines = [f"[{hosted.kind.replace('_', ' ')}: {hosted.query}]" if hosted.query else ""]
        lines += [f"- {hit.title} {hit.url}" if hit.title else f"- {hit.url}" for hit in hosted.hits]
        said = "\n".join(line for line in lines if line)
        return [{"text": said}] if said else []

    def _fitting(self, blob: Blob | None) -> Blob | None:
        if blob is None or blob.kind != "thought":
            return None
        family = self._target.facts.family or "gemini"
        return blob if fits(blob, dialect=DIALECT, family=family) else None


def _signed_text(text: str, blob: Blob | None) -> list[GemPart]:
    if not text and blob is None:
        return []
    return [{"text": text} if blob is None else {"text": text, "thoughtSignature": blob.value}]
