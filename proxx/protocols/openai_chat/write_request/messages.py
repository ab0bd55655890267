"""Turns -> messages: instructions first, results right after their calls, pictures of results after all of them."""

import re
from collections.abc import Sequence
from typing import Any

from proxx.protocols.hub import freeform
from proxx.protocols.hub.parts import File, Image, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn
from proxx.protocols.openai_chat.slots import write_source
from proxx.protocols.openai_chat.write_request.ask import Ask
from proxx.protocols.openai_chat.write_request.content import content, is_readable, joined, mark, plain
from proxx.protocols.openai_chat.write_request.thinking import (
    signature,
    text_signature,
    thinking_parts,
    write_earlier,
)

Json = dict[str, Any]

BLANK_LINE = "\n\n"
_NO_SYSTEM = re.compile(r"(?:.*/)?o1-(?:mini|preview)")


def write_messages(ask: Ask, turns: Sequence[Turn]) -> list[Json]:
    """Return the messages of a repaired history, its instructions in front."""
    messages = [message for turn in (*ask.request.instructions, *turns) for message in _messages(ask, turn)]
    return _alternating(messages) if "alternate_roles" in ask.quirks else messages


def _messages(ask: Ask, turn: Turn) -> list[Json]:
    match turn.role:
        case "assistant":
            written = [_assistant(ask, turn)]
        case "user":
            written = _user(ask, turn)
        case _:
            written = [{"role": _role(ask, turn.role), "content": joined(ask, turn.parts, by=BLANK_LINE)}]
    if turn.name and "mistral_members" not in ask.quirks:
        for message in written:
            if message["role"] != "tool":
                message["name"] = turn.name
    return written


def _role(ask: Ask, role: str) -> str:
    if "no_system_role" in ask.quirks or _NO_SYSTEM.match(ask.target.model):
        return "user"
    return role if ask.platform else "system"


def _user(ask: Ask, turn: Turn) -> list[Json]:
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
    written, shown = [], []
    for result in results:
        message, media = _result(ask, result)
        written.append(message)
        shown += media
    if shown:
        written.append({"role": "user", "content": content(ask, shown)})
    if rest or not results:
        written.append({"role": "user", "content": content(ask, rest)})
    return written


def _result(ask: Ask, result: ToolResult) -> tuple[Json, list[Part]]:
    """Return a tool message, and what must be shown after all of them because tool messages hold words only."""
    id = ask.call_id(result.call_id)
    lines: list[str] = []
    shown: list[Part] = []
    for part in result.parts:
        if isinstance(part, Image) or (isinstance(part, File) and not is_readable(part)):
            kind = "image" if isinstance(part, Image) else "document"
            lines.append(f"[{kind} in the next user message]")
            shown += [Text(f"The {kind} that tool call {id} returned:"), part]
        else:
            lines.append(plain(part))
    text = "\n".join(lines)
    if result.is_error and not text.startswith("Error"):
        text = f"Error: {text}"
    return {"role": "tool", "tool_call_id": id, "content": text, **mark(ask, result.cache)}, shown


def _assistant(ask: Ask, turn: Turn) -> Json:
    calls = [part for part in turn.parts if isinstance(part, ToolCall)]
    refusal = "".join(part.text for part in turn.parts if isinstance(part, Refusal)) if ask.platform else ""
    words = [part for part in turn.parts if not isinstance(part, Reasoning | ToolCall)]
    if refusal:
        words = [part for part in words if not isinstance(part, Refusal)]
    message: Json = {"role": "assistant", "content": _said(ask, turn, words, nothing=bool(calls or refusal))}
    if refusal:
        message["refusal"] = refusal
    message |= write_earlier(ask, turn.parts)
    if ask.platform:
        message |= _annotations(words)
    if calls:
        message["tool_calls"] = [_call(ask, call, first=not place) for place, call in enumerate(calls)]
    else:
        message |= text_signature(ask, turn.parts)
    return message


def _said(ask: Ask, turn: Turn, words: Sequence[Part], *, nothing: bool) -> str | list[Json] | None:
    thoughts = thinking_parts(ask, turn.parts)
    said = joined(ask, words, by="") if words else ""
    if thoughts:
        return [*thoughts, *([{"type": "text", "text": said}] if isinstance(said, str) else said)]
    if not said and nothing and "string_content" not in ask.quirks:
        return None
    return said


def _call(ask: Ask, call: ToolCall, *, first: bool) -> Json:
    name = ask.names.upstream(call.name, call.namespace)
    written: Json = {"id": ask.call_id(call.id), "type": "function"}
    if call.kind == "custom" and ask.platform:
        written |= {"type": "custom", "custom": {"name": name, "input": call.args}}
    else:
        written["function"] = {"name": name, "arguments": freeform.sent_args(call) or "{}"}
    return {**written, **signature(ask, call, first=first)}


def _annotations(words: Sequence[Part]) -> Json:
    cited = [citation for part in words if isinstance(part, Text) for citation in part.citations]
    return {"annotations": [write_source(citation) for citation in cited]} if cited else {}


def _alternating(messages: list[Json]) -> list[Json]:
    told: list[Json] = []
    for message in messages:
        before = told[-1] if told else None
        if before is None or before["role"] != message["role"] or message["role"] == "tool" or "tool_calls" in before:
            told.append(message)
            continue
        told[-1] = {**before, **message, "content": _both(before["content"], message["content"])}
    return told


def _both(before: Any, after: Any) -> Any:
    if isinstance(before, str | None) and isinstance(after, str | None):
        return BLANK_LINE.join(text for text in (before, after) if text)
    listed = [[{"type": "text", "text": one}] if isinstance(one, str) else one or [] for one in (before, after)]
    return listed[0] + listed[1]
