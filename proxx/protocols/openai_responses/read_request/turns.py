"""Items in a row -> turns: what the model said and called in one step is one turn, results are turns of the user."""

import msgspec

from proxx.protocols.hub.parts import Blob, Part, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.openai_responses.dialect import ON_TEXT


class Turns:
    """Collects turns while items are read in their order."""

    __slots__ = ("_parts", "_phase", "_role", "_spoke", "_turns")

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._role, self._phase, self._spoke = "", "", False
        self._parts: list[Part] = []

    def model(self, *parts: Part) -> None:
        """Add what belongs to the model's step and is no message: reasoning, calls, hosted work."""
        if self._role != "assistant":
            self._begin("assistant")
        self._parts.extend(parts)

    def said(self, parts: tuple[Part, ...], phase: str) -> None:
        """Add an assistant's message. A step with messages of two phases is two turns: each keeps its own."""
        if self._role != "assistant" or (self._spoke and phase != self._phase):
            self._begin("assistant")
        self._parts.extend(parts)
        self._phase, self._spoke = phase, True

    def message(self, role: str, parts: tuple[Part, ...]) -> None:
        """Add a message of anybody else: a turn of its own."""
        self._begin(role)
        self._parts.extend(parts)

    def result(self, part: Part) -> None:
        """Add a tool's output; outputs in a row are one turn."""
        if self._role != "user" or not all(isinstance(other, ToolResult) for other in self._parts):
            self._begin("user")
        self._parts.append(part)

    def all(self) -> list[Turn]:
        """Return the turns so far, without those that hold nothing."""
        self._begin("")
        return [turn for turn in self._turns if turn.parts]

    def _begin(self, role: str) -> None:
        if self._role:
            parts = _with_blobs(self._parts) if self._role == "assistant" else tuple(self._parts)
            self._turns.append(Turn(self._role, parts, phase=self._phase))
        self._role, self._phase, self._spoke, self._parts = role, "", False, []


def _with_blobs(parts: list[Part]) -> tuple[Part, ...]:
    """Give blobs that stand in reasoning items of their own back to the call or text they were made for."""
    places = {part.id: place for place, part in enumerate(parts) if isinstance(part, ToolCall)}
    kept: list[Part | None] = list(parts)
    for place, part in enumerate(parts):
        blob = part.blob if isinstance(part, Reasoning) and not part.text and not part.summary else None
        if blob is None or blob.kind != "thought" or not blob.item_id:
            continue
        owner = _text_before(kept, place) if blob.item_id == ON_TEXT else places.get(blob.item_id)
        if owner is not None:
            kept[owner] = _signed(kept[owner], blob)
            kept[place] = None
    return tuple(part for part in kept if part is not None)


def _text_before(parts: list[Part | None], place: int) -> int | None:
    earlier = range(place - 1, -1, -1)
    return next((number for number in earlier if isinstance(parts[number], Text)), None)


def _signed(part: Part | None, blob: Blob) -> Part | None:
    if isinstance(part, Text | ToolCall) and part.blob is None:
        return msgspec.structs.replace(part, blob=msgspec.structs.replace(blob, item_id=""))
    return part
