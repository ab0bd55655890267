"""Turns -> input items, in their order."""

from collections.abc import Iterable
from typing import Any

import orjson

from proxx.protocols.hub import ids
from proxx.protocols.hub.blobs import fits
from proxx.protocols.hub.freeform import sent_args
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import (
    Compaction,
    Hosted,
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
from proxx.protocols.openai_responses.dialect import CALL_ID, CALL_ITEMS, NAME
from proxx.protocols.openai_responses.write_request.content import Content
from proxx.protocols.openai_responses.write_request.results import written_result
from proxx.protocols.openai_responses.write_request.tools import Tools
from proxx.protocols.openai_responses.write_request.vendor import is_codex, knows_vendor_words


class Items:
    """Writes the turns of one request."""

    def __init__(self, request: Request, target: Target, tools: Tools, losses: Losses) -> None:
        self._target, self._tools, self._losses = target, tools, losses
        own = request.dialect == NAME
        self._ids = own and not is_codex(target)  # nothing is kept there: it refuses ids of items
        self._content = Content(losses, marks=own and knows_vendor_words(target) and not is_codex(target))
        self._plain_results = not own

    def write(self, turns: Iterable[Turn]) -> list[dict[str, Any]]:
        """Return the items. Reasoning that nothing of its own step follows is left out: it would be refused."""
        items = [item for turn in turns for item in self._turn(turn)]
        kept: list[dict[str, Any]] = []
        followed = False
        for item in reversed(items):
            is_reasoning = item["type"] == "reasoning"
            if not is_reasoning or followed:
                kept.append(item)
            if not is_reasoning:
                followed = _is_the_models(item)
        kept.reverse()
        return kept

    def message(self, role: str, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """Return one message of anybody but the model; nothing if it would be empty."""
        content = self._content.given(parts)
        return [{"type": "message", "role": role, "content": content}] if content else []

    def _turn(self, turn: Turn) -> list[dict[str, Any]]:
        if turn.role == "assistant":
            return self._step(turn)
        if turn.role != "user":
            return self.message("developer", turn.parts)
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        items = [self._result(part) for part in results]
        own_items = [part.raw for part in turn.parts if isinstance(part, Opaque) and _is_item(part)]
        others = [part for part in turn.parts if not isinstance(part, ToolResult) and not _is_item(part)]
        return [*items, *own_items, *self.message("user", others)]

    def _step(self, turn: Turn) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        said: list[dict[str, Any]] = []
        for part in turn.parts:
            text = self._said(part)
            if text is not None:
                said += text
                continue
            written = self._item(part)
            if written and said:
                items.append(_message(said, turn.phase))
                said = []
            items += written
        return [*items, *([_message(said, turn.phase)] if said else [])]

    def _said(self, part: Part) -> list[dict[str, Any]] | None:
        """Return what is text of the model's message; None for what is an item of its own."""
        if isinstance(part, Text | Refusal):
            return [self._content.said(part)] if part.text else []
        if isinstance(part, Hosted) and part.dialect != NAME:
            told = as_text(part)
            return [{"type": "output_text", "text": told}] if told else []
        return None

    def _item(self, part: Part) -> list[dict[str, Any]]:
        match part:
            case ToolCall():
                return [self._call(part)]
            case Reasoning():
                return self._reasoning(part)
            case Hosted():
                return [self._without_id(item) for item in part.raw]
            case Compaction():
                return self._compaction(part)
            case Opaque() if part.dialect == NAME:
                return [self._without_id(part.raw)]
        kind = part.raw.get("type", "") if isinstance(part, Opaque) else type(part).__name__.lower()
        self._losses.drop(f"messages[].{kind}", "the model's own words cannot hold it in this dialect")
        return []

    def _call(self, call: ToolCall) -> dict[str, Any]:
        call_id = ids.fitted(call.id, pattern=CALL_ID)
        kind = self._tools.kind_of(call.kind)
        if kind not in ("function", "custom"):
            action = _action(call)
            if action is not None:
                item = {"type": CALL_ITEMS[kind][0], "call_id": call_id, "status": "completed"} | action
                return item | self._id(call, kind)
            kind = "function"
        item = {"type": CALL_ITEMS[kind][0], "call_id": call_id, **self._tools.name_of(call)}
        if kind == "custom":
            item["input"] = call.args
        else:
            item["arguments"] = sent_args(call) or "{}"
        return item | self._id(call, kind)

    def _id(self, call: ToolCall, kind: str) -> dict[str, str]:
        prefix = {"function": "fc_", "custom": "ctc_"}.get(kind, "")
        return {"id": call.item_id} if self._ids and call.item_id and call.item_id.startswith(prefix) else {}

    def _result(self, part: ToolResult) -> dict[str, Any]:
        call_id = ids.fitted(part.call_id, pattern=CALL_ID)
        kind = self._tools.kind_of(part.kind)
        if kind == "local_shell" and is_codex(self._target):
            kind = "function"  # the way its own client answers
        content = self._content.given(part.parts)
        return written_result(part, kind, call_id, content, plain=self._plain_results)

    def _reasoning(self, part: Reasoning) -> list[dict[str, Any]]:
        blob = part.blob
        if blob is None or blob.kind != "encrypted" or not fits(blob, dialect=NAME, family=self._target.facts.family):
            return []  # without its seal it could not be carried over; thoughts never become an answer's text
        item: dict[str, Any] = {"type": "reasoning"}
        id = blob.item_id or part.item_id
        if id.startswith("rs_") and not is_codex(self._target):
            item["id"] = id
        item["summary"] = [{"type": "summary_text", "text": text} for text in part.summary]
        if part.text:
            item["content"] = [{"type": "reasoning_text", "text": part.text}]
        return [item | {"encrypted_content": blob.value}]

    def _compaction(self, part: Compaction) -> list[dict[str, Any]]:
        blob = part.blob
        if part.text:
            return self.message("developer", (Text(part.text),))
        if blob is None or not fits(blob, dialect=NAME, family=self._target.facts.family):
            self._losses.refuse("compaction", "only the provider that shortened the conversation can read it")
        item = {"type": "compaction", "encrypted_content": blob.value}
        return [item | ({"id": blob.item_id} if self._ids and blob.item_id else {})]

    def _without_id(self, item: dict[str, Any]) -> dict[str, Any]:
        return item if self._ids else {name: value for name, value in item.items() if name != "id"}


def _message(content: list[dict[str, Any]], phase: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": content} | ({"phase": phase} if phase else {})


def _is_item(part: Part) -> bool:
    """Tell whether an unknown thing among a user's parts is an item of its own, not content of a message."""
    if not isinstance(part, Opaque) or part.dialect != NAME:
        return False
    return str(part.raw.get("type", "")).endswith(("_output", "_response"))


def _is_the_models(item: dict[str, Any]) -> bool:
    return item.get("role", "assistant") == "assistant" and not str(item["type"]).endswith("_output")


def _action(call: ToolCall) -> dict[str, Any] | None:
    try:
        read = orjson.loads(call.args or "{}")
    except orjson.JSONDecodeError:
        return None
    member = CALL_ITEMS[call.kind][1]
    if call.kind == "computer" and isinstance(read, list):
        member = "actions"
    elif not isinstance(read, dict):
        return None
    said: dict[str, Any] = {member: orjson.Fragment(call.args or "{}")}
    if call.kind == "local_shell" and "type" not in read:
        said = {member: {"type": "exec", **read}}
    return said | ({"execution": "client"} if call.kind == "tool_search" else {})
