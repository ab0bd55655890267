"""Turns -> contents: roles that alternate, calls right after a user's turn, results right after their calls."""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxx.protocols.gemini.write_request.parts import GemPart, PartWriter
from proxx.protocols.hub.history import NO_RESULT, merged, repaired
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Compaction, Refusal, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.request import Request

PLACEHOLDER = "."  # where a turn must be and nobody said anything
_ROLES = {"user": "user", "assistant": "model"}


def write_contents(request: Request, writer: PartWriter, losses: Losses) -> dict[str, Any]:
    """Return `contents`, and `systemInstruction` if there is one."""
    contents = _contents(request.turns, writer, losses)
    system = [{"text": text} for turn in request.instructions for text in _texts(turn, losses)]
    if not any(content["role"] == "user" for content in contents):
        # A conversation of instructions alone is the user's word; else somebody must have begun it.
        contents.insert(0, {"role": "user", "parts": (not contents and system) or [{"text": PLACEHOLDER}]})
        system = [] if len(contents) == 1 else system
    elif any("functionCall" in part for part in contents[0]["parts"]):
        contents.insert(0, {"role": "user", "parts": [{"text": PLACEHOLDER}]})
    return {"systemInstruction": {"parts": system}, "contents": contents} if system else {"contents": contents}


def _contents(turns: Sequence[Turn], writer: PartWriter, losses: Losses) -> list[dict[str, Any]]:
    told = [_in_place(turn, losses) for turn in _answered(repaired(turns, losses), losses)]
    contents: list[dict[str, Any]] = []
    for turn in merged(told):
        role = _ROLES[turn.role]
        parts: list[GemPart] = writer.model(turn.parts) if role == "model" else writer.user(turn.parts)
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:  # what stood between them was empty
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    return contents


def _answered(turns: tuple[Turn, ...], losses: Losses) -> tuple[Turn, ...]:
    """Return the turns with results for calls of the very last one, which Gemini wants as much as all others."""
    calls = [part for part in turns[-1].parts if isinstance(part, ToolCall)] if turns else []
    if not calls or turns[-1].role != "assistant":
        return turns
    losses.drop("messages[].tool_results", "a call had no result and got an empty one")
    results = [
        ToolResult(one.id, (Text(NO_RESULT),), one.name, one.namespace, one.kind, is_error=True) for one in calls
    ]
    return (*turns, Turn("user", tuple(results)))


def _in_place(turn: Turn, losses: Losses) -> Turn:
    """Return a system turn in the middle as the user's, marked, where it stands."""
    if turn.role in _ROLES:
        return turn
    losses.drop("messages[].role", "a later system message is sent as marked user text")
    said = "\n".join(_texts(turn, losses))
    parts = (Text(f"<system-reminder>\n{said}\n</system-reminder>"),) if said else ()
    return msgspec.structs.replace(turn, role="user", parts=parts)


def _texts(turn: Turn, losses: Losses) -> list[str]:
    texts = []
    for part in turn.parts:
        if not isinstance(part, Text | Refusal | Compaction):
            losses.refuse("messages[].content", "instructions take text only")
        if part.text:
            texts.append(part.text)
    return texts
