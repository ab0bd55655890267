"""Thinking: how an upstream is told to think, and how its earlier thinking goes back to it.

Only upstreams that ask for their thinking get it back, and only their own: what another vendor wrote stays away.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.hub import blobs
from proxx.protocols.hub.parts import Part, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.reasoning import FIELD, gemini_thinking, openai_effort
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.slots import write_signature
from proxx.protocols.openai_chat.write_request.ask import Ask

Json = dict[str, Any]

# Google's documented stand-in for a signature that is lost.
NO_SIGNATURE = "skip_thought_signature_validator"

_SNAKE = {"thinkingBudget": "thinking_budget", "thinkingLevel": "thinking_level", "includeThoughts": "include_thoughts"}


def write_wish(ask: Ask, turns: Sequence[Turn], *, forces_tool: bool) -> Json:
    """Return the members that say how much to think."""
    wish, quirks = ask.request.reasoning, ask.quirks
    effort = wish.effort
    if _unanswerable(ask, turns):
        ask.losses.drop(FIELD, "earlier thinking is missing and so it is switched off")
        effort = "off"
    elif forces_tool and "no_forced_thinking" in quirks and effort != "off":
        if effort:
            ask.losses.drop(FIELD, "it does not think when a tool is forced")
        effort = "off"
    if "reasoning_object" in quirks:
        return _object(ask)
    if "google_signatures" in quirks:
        said = gemini_thinking(ask.request, ask.target, ask.losses)
        config = {_SNAKE[name]: value for name, value in said.items()}
        return {"extra_body": {"google": {"thinking_config": config}}} if config else {}
    if not effort:
        return {}
    switches = _switches(ask, on=effort != "off")
    knows = ask.target.facts.efforts or "effort_if_known" not in quirks
    if "no_reasoning_effort" in quirks or not knows:
        if not switches and effort not in ("off", "dynamic"):
            ask.losses.drop(FIELD, "it cannot be told how much to think")
        return switches
    if switches and effort == "off":
        return switches
    word = openai_effort(ask.request, ask.target, ask.losses)
    return {**switches, **({"reasoning_effort": word} if word else {})}


def _switches(ask: Ask, *, on: bool) -> Json:
    switches: Json = {}
    if "thinking_switch" in ask.quirks:
        switches["thinking"] = {"type": "enabled" if on else "disabled"}
    if "glm_thinking" in ask.quirks and ask.family == "glm":
        switches["enable_thinking"] = on
    if "template_thinking" in ask.quirks:
        switches["chat_template_kwargs"] = {"enable_thinking": on}
    return switches


def _object(ask: Ask) -> Json:
    wish = ask.request.reasoning
    said: Json = {}
    if wish.effort == "off":
        said["enabled"] = False
    elif wish.budget is not None and wish.budget > 0:
        said["max_tokens"] = wish.budget
    elif wish.effort == "dynamic":
        said["enabled"] = True
    elif wish.effort:
        said["effort"] = openai_effort(ask.request, ask.target, ask.losses) or wish.effort
    if wish.show == "none":
        said["exclude"] = True
    return {"reasoning": said} if said else {}


def _unanswerable(ask: Ask, turns: Sequence[Turn]) -> bool:
    """Tell whether a call of the step that is still going on lacks the thinking that the upstream wants back."""
    if not {"wants_reasoning_content", "thinking_switch"} <= ask.quirks:
        return False
    for turn in reversed(turns):
        if turn.role == "user" and not any(isinstance(part, ToolResult) for part in turn.parts):
            return False
        if any(isinstance(part, ToolCall) for part in turn.parts) and not _thinking(ask, turn.parts):
            return True
    return False


def write_earlier(ask: Ask, parts: Sequence[Part]) -> Json:
    """Return the members of an assistant message that carry its thinking."""
    if "wants_reasoning_content" in ask.quirks:
        text = _thinking(ask, parts)
        return {"reasoning_content": text} if text else {}
    if "reasoning_details" in ask.quirks:
        return _details(parts)
    return {}


def thinking_parts(ask: Ask, parts: Sequence[Part]) -> list[Json]:
    """Return thinking as parts of a content list, for those who keep it there."""
    if "thinking_parts" not in ask.quirks or not _own_text(parts):
        return []
    return [{"type": "thinking", "thinking": [{"type": "text", "text": _own_text(parts)}]}]


def signature(ask: Ask, call: ToolCall, *, first: bool) -> Json:
    """Return the member that carries what Google's model signed a call with; the first of a step needs one."""
    if "google_signatures" not in ask.quirks:
        return {}
    blob = call.blob
    if blob is None or not blobs.fits(blob, dialect="gemini", family=ask.family):
        blob = ask.target.restored.get(call.id)
    if blob is not None and blob.kind == "thought":
        return _signed(blob.value)
    return _signed(NO_SIGNATURE) if first and ask.target.facts.thinking == "level" else {}


def text_signature(ask: Ask, parts: Sequence[Part]) -> Json:
    """Return the member that carries what Google's model signed a text with."""
    if "google_signatures" not in ask.quirks:
        return {}
    found = [part.blob for part in parts if isinstance(part, Text) and part.blob is not None]
    own = [blob for blob in found if blobs.fits(blob, dialect="gemini", family=ask.family)]
    return _signed(own[-1].value) if own else {}


def _signed(value: str) -> Json:
    return {"extra_content": write_signature(value)}


def _thinking(ask: Ask, parts: Sequence[Part]) -> str:
    """Return the upstream's own thinking; what the client could not carry was kept by the calls that followed it."""
    text = _own_text(parts)
    kept = [ask.target.restored.get(part.id) for part in parts if isinstance(part, ToolCall)] if not text else []
    own = (blob.value for blob in kept if blob is not None and blob.dialect == NAME and blob.kind == "thinking")
    return next(own, text)


def _own_text(parts: Sequence[Part]) -> str:
    thoughts = [
        part for part in parts if isinstance(part, Reasoning) and (part.blob is None or part.blob.dialect == NAME)
    ]
    return "".join(
        part.text
        or "\n\n".join(part.summary)
        or (part.blob.value if part.blob and part.blob.kind == "thinking" else "")
        for part in thoughts
    )


def _details(parts: Sequence[Part]) -> Json:
    details: list[Any] = []
    for part in parts:
        blob = part.blob if isinstance(part, Reasoning) else None
        if blob is not None and blob.dialect == NAME and blob.kind == "encrypted":
            try:
                listed = orjson.loads(blob.value)
            except orjson.JSONDecodeError:
                continue
            details += listed if isinstance(listed, list) else []
    if details:
        return {"reasoning_details": details}
    text = _own_text(parts)
    return {"reasoning": text} if text else {}
