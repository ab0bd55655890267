"""Turns -> messages: content is one text, pictures stand beside it, calls carry their arguments as objects."""

from collections.abc import Iterable
from typing import Any

import orjson

from proxx.protocols.hub import media
from proxx.protocols.hub.arguments import history_object
from proxx.protocols.hub.freeform import sent_args
from proxx.protocols.hub.history import merged, repaired
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.parts import (
    Audio,
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
    Turn,
)
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.searches import as_text
from proxx.protocols.hub.target import Target

ALTERNATING = "alternate_roles"  # quirk: the model's template refuses two turns of one role in a row (D34)
ERROR = "Error: "

_NO_PICTURES = "this model cannot see pictures"
_ROLES = {"developer": "system"}

Message = dict[str, Any]


def written_messages(
    request: Request, target: Target, table: NameTable, losses: Losses, *, order: str = ""
) -> list[Message]:
    """Return the messages; `order` is one more instruction. Raises `Inexpressible` for content with no place here."""
    turns = repaired(request.turns, losses)
    writing = _Writing(target, table, losses)
    between = "\n"
    if ALTERNATING in target.quirks:
        turns, between = merged(turns), "\n\n"
    messages = [writing.plain(turn, "\n\n") for turn in request.instructions]
    if order:
        messages.append({"role": "system", "content": order})
    for turn in turns:
        if turn.role == "assistant":
            messages.append(writing.assistant(turn, between))
        elif turn.role == "user":
            messages += writing.user(turn, between)
        else:  # in its place (D30)
            messages.append(writing.plain(turn, "\n\n"))
    return messages


class _Writing:
    """What every message of one request needs to know."""

    def __init__(self, target: Target, table: NameTable, losses: Losses) -> None:
        self._facts = target.facts
        self._table = table
        self._losses = losses

    def plain(self, turn: Turn, between: str) -> Message:
        """Return a turn as one message of text and pictures."""
        message: Message = {"role": _ROLES.get(turn.role, turn.role), "content": self._text(turn.parts, between)}
        images = self._images(turn.parts)
        if images:
            message["images"] = images
        return message

    def user(self, turn: Turn, between: str) -> list[Message]:
        """Return the results of a turn, each as a message of its own, and what else the user says."""
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        others = tuple(part for part in turn.parts if not isinstance(part, ToolResult))
        messages = [self._result(result) for result in results]
        if others or not results:
            messages.append(self.plain(Turn("user", others), between))
        return messages

    def assistant(self, turn: Turn, between: str) -> Message:
        """Return the message of a model's step; content is "" beside calls alone (D36)."""
        message = self.plain(turn, between)
        thoughts = [thought for part in turn.parts if isinstance(part, Reasoning) and (thought := _thought(part))]
        if thoughts and self._facts.thinking != "none":
            message["thinking"] = "\n\n".join(thoughts)
        calls = [self._call(part) for part in turn.parts if isinstance(part, ToolCall)]
        if calls:
            message["tool_calls"] = calls
        return message

    def _call(self, call: ToolCall) -> Message:
        args = history_object(sent_args(call), call.name, self._losses)
        name = self._table.upstream(call.name, call.namespace)
        return {"id": call.id, "function": {"name": name, "arguments": orjson.Fragment(args)}}

    def _result(self, result: ToolResult) -> Message:
        text = self._text(result.parts, "\n")
        if result.is_error and not text.startswith("Error"):
            text = ERROR + text
        message: Message = {"role": "tool", "content": text}
        images = self._images(result.parts)
        if images:
            message["images"] = images
        if result.name:
            message["tool_name"] = self._table.upstream(result.name, result.namespace)
        return message | {"tool_call_id": result.call_id}

    def _text(self, parts: Iterable[Part], between: str) -> str:
        words = [word for part in parts if (word := self._words(part))]
        return between.join(words)

    def _words(self, part: Part) -> str:
        match part:
            case Text(text=text) | Refusal(text=text):
                return text
            case File():
                return self._document(part)
            case Hosted():
                return as_text(part)
            case Compaction(text=text):
                if not text:
                    self._losses.drop("compaction", "only its own vendor can read it")
                return text
            case Audio():
                self._losses.refuse("messages[].audio", "it takes no sound")
            case Opaque():
                self._losses.drop(f"messages[].{part.raw.get('type', 'part')}", "only its own vendor knows it")
        return ""

    def _document(self, file: File) -> str:
        text = file.text
        if file.data and media.is_text(file.media_type):
            text = media.text_of(file.data)
        elif file.data or file.url or file.file_id:
            self._losses.refuse("messages[].file", "it takes no documents but text")
        head = file.title or file.filename
        return "\n".join(one for one in (head, file.context, text) if one)

    def _images(self, parts: Iterable[Part]) -> list[str]:
        return [self._image(part) for part in parts if isinstance(part, Image)]

    def _image(self, image: Image) -> str:
        if self._facts.images is False:
            self._losses.refuse("messages[].image", _NO_PICTURES)
        if not image.data:
            self._losses.refuse("messages[].image", "it takes pictures as data only and no address or file id")
        return image.data


def _thought(part: Reasoning) -> str:
    """Return thinking as text; none of another vendor's, which goes with its blob."""
    if part.blob is not None and part.blob.value and part.blob.dialect != "ollama":
        return ""
    return part.text or "\n\n".join(part.summary)
