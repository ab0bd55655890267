"""How an answer ended and what it cost, in Gemini's words."""

from typing import Any

from proxx.protocols.hub.events import Finished, Usage

RAW = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY"}
    | {"IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "NO_IMAGE"}
)
REASONS = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "context_window": "MAX_TOKENS",
    "pause": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "malformed_call": "MALFORMED_FUNCTION_CALL",
    "other": "OTHER",
    "error": "OTHER",
}


def finish_members(finish: Finished, unsound: str = "") -> dict[str, Any]:
    """Return the members that say how a candidate ended; `unsound` says why a call of it could not be written."""
    if unsound:
        return {"finishReason": REASONS["malformed_call"], "finishMessage": unsound}
    reason = REASONS[finish.reason]
    if finish.reason == "content_filter" and finish.raw in RAW:
        reason = finish.raw
    said = (finish.details or {}).get("explanation")
    return (
        {"finishReason": reason, "finishMessage": said} if isinstance(said, str) and said else {"finishReason": reason}
    )


def usage_object(usage: Usage) -> dict[str, Any]:
    """Return the counts: thoughts beside the answer, what a tool put in beside the prompt."""
    hosted, thoughts = usage.hosted_prompt or 0, usage.reasoning or 0
    read, written = usage.input_total or 0, usage.output_total or 0
    counts: dict[str, Any] = {
        "promptTokenCount": max(0, read - hosted),
        "candidatesTokenCount": max(0, written - thoughts),
        "totalTokenCount": read + written,
    }
    if usage.cache_read:
        counts["cachedContentTokenCount"] = usage.cache_read
    if thoughts:
        counts["thoughtsTokenCount"] = thoughts
    if hosted:
        counts["toolUsePromptTokenCount"] = hosted
    for name, audio, images in (
        ("promptTokensDetails", usage.audio_in, usage.image_in),
        ("candidatesTokensDetails", usage.audio_out, usage.image_out),
        ("cacheTokensDetails", usage.audio_cached, None),
    ):
        if said := [{"modality": kind, "tokenCount": n} for kind, n in (("AUDIO", audio), ("IMAGE", images)) if n]:
            counts[name] = said
    return counts
