"""How much a model shall think, said again within what its provider has just said that it takes.

The provider's own word is the last: what is known of models by their names did not hold. Only the members about
thinking are decoded and written anew.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from proxx.protocols.framing import members
from proxx.protocols.framing.encode import encoded
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear
from proxx.protocols.hub.reasoning import (
    CLAUDE_BUDGETS,
    GEMINI_BUDGETS,
    SMALLEST_BUDGET,
    budget_within,
    effort_of_budget,
    nearest,
)

Json = dict[str, Any]

_object = msgspec.json.Decoder(dict[str, Any])
_LEVELS = ("low", "high")  # what every Gemini that has levels takes


class Taken(msgspec.Struct, frozen=True):
    """What a provider takes: `allowed` words, `budget` (smallest, largest), the `way` to say it (adaptive, manual,
    level, budget, on) where it said so."""

    allowed: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    way: str = ""


def with_effort(body: bytes, dialect: str, taken: Taken) -> bytes:
    """Return the body with the nearest effort that is taken; the very same if it says none, or cannot be read."""
    names, edit = _EDITS.get(dialect, ((), _nothing))
    try:
        said = {name: _value(body, name.encode()) for name in names if f'"{name}"'.encode() in body}
        said = {name: value for name, value in said.items() if value is not None}
        before = encoded(said)
        if not said or not edit(said, taken) or encoded(said) == before:
            return body
        for name in names:
            body = _put(body, name.encode(), said.get(name))
        return body
    except (Unclear, TypeError, AttributeError, LookupError, *FAULTS):
        return body


def without_clearing(asked: Json) -> None:
    """Take the clearing of thinking out of a Messages body that no longer thinks: it would be refused."""
    managed = asked.get("context_management")
    if not isinstance(managed, dict) or not isinstance(managed.get("edits"), list):
        return
    kept = [edit for edit in managed["edits"] if not str(edit.get("type")).startswith("clear_thinking")]
    if kept:
        managed["edits"] = kept
    else:
        del asked["context_management"]


def cleared(body: bytes) -> bytes:
    """Return a Messages body that no longer thinks without the clearing of thinking. Raises the decoder's faults."""
    said = {"context_management": _value(body, b"context_management")}
    without_clearing(said)
    return _put(body, b"context_management", said.get("context_management"))


def _value(body: bytes, name: bytes) -> Any:
    found = members.spans(body, name)
    return decode(_object, b'{"_":' + body[slice(*found[-1])] + b"}")["_"] if found else None


def _put(body: bytes, name: bytes, value: Any) -> bytes:
    there = members.spans(body, name)
    if value is None:
        return members.without(body, name) if there else body
    if there:
        return members.replaced(body, name, encoded(value))
    return members.with_first(body, b'"' + name + b'":' + encoded(value))


def _closest(word: str, allowed: tuple[str, ...]) -> str:
    """Return the nearest of these words: a model that may be told not to think is told so only if that was asked."""
    off = {"none": "off"}
    effort = off.get(word.lower(), word.lower())
    if effort not in (*GEMINI_BUDGETS, "off"):
        effort = "medium"
    found = nearest(effort, tuple(off.get(one, one) for one in allowed))
    return "none" if found == "off" else found


def _chat(said: Json, taken: Taken) -> bool:
    if not taken.allowed:
        return False
    if isinstance(said.get("reasoning_effort"), str):
        said["reasoning_effort"] = _closest(said["reasoning_effort"], taken.allowed)
    return _responses(said, taken) or "reasoning_effort" in said


def _responses(said: Json, taken: Taken) -> bool:
    wanted = said.get("reasoning")
    if not taken.allowed or not isinstance(wanted, dict) or not isinstance(wanted.get("effort"), str):
        return False
    wanted["effort"] = _closest(wanted["effort"], taken.allowed)
    return True


def _messages(said: Json, taken: Taken) -> bool:
    thinking, output = said.get("thinking") or {}, said.get("output_config") or {}
    match taken.way:
        case "adaptive":
            effort = nearest(effort_of_budget(int(thinking.get("budget_tokens") or SMALLEST_BUDGET)), ())
            said["thinking"] = {"type": "adaptive", **_shown(thinking)}
            said["output_config"] = {"effort": effort, **output}
        case "manual":
            effort = str(output.pop("effort", "") or "medium")
            budget = budget_within(CLAUDE_BUDGETS.get(effort, SMALLEST_BUDGET), int(said["max_tokens"]))
            said["thinking"] = {"type": "enabled", "budget_tokens": budget, **_shown(thinking)} if budget else None
            said["output_config"] = output or None
            if not budget:
                without_clearing(said)
        case "on":
            said["thinking"] = None
            said["output_config"] = {**output, "effort": "low"}
            without_clearing(said)
        case _:
            if not taken.allowed or not isinstance(output.get("effort"), str):
                return False
            output["effort"] = _closest(output["effort"], taken.allowed)
    return True


def _shown(thinking: Json) -> Json:
    return {"display": thinking["display"]} if "display" in thinking else {}


def _gemini(said: Json, taken: Taken) -> bool:
    config = said.get("generationConfig") or said.get("generation_config") or {}
    thinking = config.get("thinkingConfig") or config.get("thinking_config") or {}
    names = {one: next((name for name in both if name in thinking), both[0]) for one, both in _SPELLED.items()}
    budget, level = thinking.get(names["budget"]), thinking.get(names["level"])
    if budget is not None and taken.way in ("level", "on", ""):
        del thinking[names["budget"]]
        if taken.way == "level":
            thinking[names["level"]] = _closest(effort_of_budget(int(budget)), _LEVELS).upper()
        elif taken.budget is not None:
            thinking[names["budget"]] = min(max(int(budget), taken.budget[0]), taken.budget[1])
        return True
    if not isinstance(level, str):
        return False
    if taken.way == "budget":
        del thinking[names["level"]]
        thinking[names["budget"]] = GEMINI_BUDGETS.get(level.lower(), GEMINI_BUDGETS["medium"])
    else:
        others = tuple(one for one in taken.allowed or _LEVELS if one != level.lower())
        thinking[names["level"]] = _closest(level, others).upper()
    return True


def _ollama(said: Json, taken: Taken) -> bool:
    if not isinstance(said["think"], str) or not taken.allowed:
        return False
    said["think"] = _closest(said["think"], taken.allowed)
    return True


def _nothing(said: Json, taken: Taken) -> bool:
    return False


_SPELLED = {
    "budget": ("thinkingBudget", "thinking_budget"),
    "level": ("thinkingLevel", "thinking_level"),
}
_EDITS: Mapping[str, tuple[tuple[str, ...], Callable[[Json, Taken], bool]]] = {
    "openai_chat": (("reasoning_effort", "reasoning"), _chat),
    "openai_responses": (("reasoning",), _responses),
    "anthropic": (("thinking", "output_config", "max_tokens", "context_management"), _messages),
    "gemini": (("generationConfig", "generation_config"), _gemini),
    "ollama": (("think",), _ollama),
}
