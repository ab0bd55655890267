"""Gemini's reasons for the end of an answer -> ours."""

from typing import Any

from proxx.protocols.hub.events import Finished

REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "TOO_MANY_TOOL_CALLS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_OTHER": "content_filter",
    "NO_IMAGE": "content_filter",
    "MALFORMED_FUNCTION_CALL": "malformed_call",
    "UNEXPECTED_TOOL_CALL": "malformed_call",
    "MALFORMED_RESPONSE": "malformed_call",
    "MISSING_THOUGHT_SIGNATURE": "error",
}


def finished(raw: str, message: str, *, choice: int, called: bool) -> Finished:
    """Return how an answer ended. Calls anywhere in it make a plain stop a tool call, but nothing else."""
    reason = REASONS.get(raw.upper(), "other") if raw else "stop"
    if called and reason == "stop":
        reason = "tool_calls"
    details: dict[str, Any] | None = {"explanation": message} if message else None
    return Finished(reason, choice, raw, details=details)


def blocked(reason: str, message: str) -> Finished:
    """Return how an answer ended whose prompt was refused."""
    return Finished("refusal", 0, reason, details={"explanation": message} if message else {"category": reason})
