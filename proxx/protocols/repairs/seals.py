"""What a provider sealed in an earlier answer and can no longer read, taken out of a written body.

Only seals, and the thinking that is nothing without them, go; what was said and called stays. The body is decoded and
written anew: this is done after a refusal only.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from proxx.protocols.framing.encode import encoded
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.repairs.thinking import without_clearing

Json = dict[str, Any]

# What Google documents for calls without a signature, as bytes in base64 and as text.
DUMMY = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
DUMMY_TEXT = "skip_thought_signature_validator"
_OWN_IDS = ("message", "function_call", "custom_tool_call")  # an id ties them to the reasoning that is gone
_THINKING = ("thinking", "redacted_thinking")

_object = msgspec.json.Decoder(dict[str, Any])


def without_seals(body: bytes, dialect: str) -> bytes:
    """Return the body without seals; the very same if there is none, or it cannot be read."""
    take = _TAKERS.get(dialect)
    if take is None:
        return body
    try:
        asked = decode(_object, body)
        return encoded(asked) if take(asked) else body
    except (TypeError, AttributeError, LookupError, *FAULTS):
        return body


def _of_messages(asked: Json) -> bool:
    turns, found = asked["messages"], False
    for turn in turns:
        blocks = turn.get("content")
        if turn.get("role") != "assistant" or not isinstance(blocks, list):
            continue
        kept = [block for block in blocks if block.get("type") not in _THINKING]
        found = found or len(kept) < len(blocks)
        turn["content"] = kept
    asked["messages"] = [turn for turn in turns if turn.get("content") != []]
    # By a budget no model goes on with calls whose thinking is gone.
    if found and (asked.get("thinking") or {}).get("type") == "enabled" and _answers(asked["messages"][-1]):
        asked["thinking"] = {"type": "disabled"}
        without_clearing(asked)
    return found


def _answers(turn: Json) -> bool:
    blocks = turn.get("content")
    return isinstance(blocks, list) and any(block.get("type") == "tool_result" for block in blocks)


def _of_responses(asked: Json) -> bool:
    items = asked["input"]
    if not isinstance(items, list):
        return False
    kept = [item for item in items if item.get("type") != "reasoning"]
    for item in kept:
        if item.get("type", "message") in _OWN_IDS:
            item.pop("id", None)
    asked["input"] = kept
    return len(kept) < len(items)


def _of_contents(asked: Json) -> bool:
    found = False
    for content in asked["contents"]:
        kept = []
        for part in content.get("parts", ()):
            sealed = [name for name in ("thoughtSignature", "thought_signature") if part.get(name) not in (None, DUMMY)]
            found = found or bool(sealed)
            for name in sealed:
                del part[name]
            if sealed and ("functionCall" in part or "function_call" in part):
                part["thoughtSignature"] = DUMMY
            if not sealed or any(part.values()):
                kept.append(part)
        content["parts"] = kept
    asked["contents"] = [content for content in asked["contents"] if content["parts"]]
    return found


def _of_chat(asked: Json) -> bool:
    found = False
    for turn in asked["messages"]:
        for name in ("reasoning_details", "thinking_blocks"):
            found = turn.pop(name, None) is not None or found
        for call in turn.get("tool_calls") or ():
            google = (call.get("extra_content") or {}).get("google") or {}
            if google.get("thought_signature") not in (None, DUMMY_TEXT):
                google["thought_signature"] = DUMMY_TEXT
                found = True
    return found


_TAKERS: dict[str, Callable[[Json], bool]] = {
    "anthropic": _of_messages,
    "openai_responses": _of_responses,
    "gemini": _of_contents,
    "openai_chat": _of_chat,
}
