"""What whole replies and streams say alike: finish reasons, usage, sources, thinking that must come back, pictures."""

from typing import Any

from proxx.protocols.hub import blobs
from proxx.protocols.hub.estimate import tokens_of_text
from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.names import BETWEEN
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Blob, Image

Json = dict[str, Any]

DECLINED = "The model declined to answer."

_REASONS = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_window": "length",
    "pause": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "other": "stop",
}
FAILED = ("malformed_call", "error")  # these are no answers


def finish_reason(finish: Finished, *, old_functions: bool, visible: bool) -> str:
    """Return chat's word for how a choice ended; `error` for one that is no answer."""
    if finish.reason in FAILED or (finish.reason == "other" and not visible):
        return "error"
    reason = _REASONS[finish.reason]
    return "function_call" if reason == "tool_calls" and old_functions else reason


def explanation(finish: Finished) -> str:
    """Return why an answer was refused, for a client that was told nothing else."""
    details = finish.details or {}
    return next((str(details[name]) for name in ("explanation", "message", "category") if details.get(name)), DECLINED)


def tool_name(name: str, namespace: str) -> str:
    """Return a tool's name as a chat client can say it."""
    return namespace + BETWEEN + name if namespace else name


def usage_object(usage: Usage | None, occasion: Occasion, said: str) -> Json:
    """Return the usage; what nobody reported is estimated from the request and from what was said."""
    usage = usage or Usage()
    into = occasion.input_estimate if usage.input_total is None else usage.input_total
    output = tokens_of_text(said) if usage.output_total is None else usage.output_total
    into_details: Json = {"cached_tokens": usage.cache_read or 0, "audio_tokens": usage.audio_in or 0}
    if usage.cache_write is not None:
        into_details["cache_write_tokens"] = usage.cache_write
    return {
        "prompt_tokens": into,
        "completion_tokens": output,
        "total_tokens": into + output,
        "prompt_tokens_details": into_details,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning or 0,
            "audio_tokens": usage.audio_out or 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def reasoning_details(text: str, summary: list[str], blob: Blob) -> list[Json]:
    """Return thinking that its maker wants back, in the place where routers keep it; read_request/thinking.py reads
    it."""
    wrapped = blobs.wrap(blob)
    items: list[Json] = [{"type": "reasoning.summary", "summary": piece} for piece in summary]
    if text:
        items.append({"type": "reasoning.text", "text": text, "signature": wrapped})
    else:
        items.append({"type": "reasoning.encrypted", "data": wrapped})
    return items


def thinking_blocks(text: str, blob: Blob) -> list[Json]:
    """Return the same in litellm's form."""
    wrapped = blobs.wrap(blob)
    if blob.kind == "redacted":
        return [{"type": "redacted_thinking", "data": wrapped}]
    return [{"type": "thinking", "thinking": text, "signature": wrapped}]


def picture(image: Image) -> Json:
    """Return a picture that the model made, in the form that routers and their clients agreed on."""
    url = image.url or f"data:{image.media_type};base64,{image.data}"
    return {"type": "image_url", "image_url": {"url": url}}
