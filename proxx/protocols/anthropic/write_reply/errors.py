"""What the gateway itself says in the Messages dialect: errors, whole and in a stream, and keep-alives.

Claude Code shortens its conversation when it reads one of two sentences, and gives up on any other; so the overflow of
a context, in whatever words a vendor put it, is said in one of these.
"""

import re

import orjson

from proxx.protocols.framing.members import replaced
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Finished

HEARTBEAT = b'event: ping\ndata: {"type":"ping"}\n\n'

TYPES = {
    "invalid_request": "invalid_request_error",
    "context_length": "invalid_request_error",
    "content_policy": "invalid_request_error",
    "auth": "authentication_error",
    "billing": "billing_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "upstream_error": "api_error",
    "upstream_truncated": "api_error",
    "upstream_malformed": "api_error",
    "internal": "api_error",
}
STATUSES = {"overloaded": 529, "billing": 402}

_FAULTS = {
    "malformed_call": ErrorFacts("upstream_malformed", "The model made a call that cannot be read."),
    "error": ErrorFacts("upstream_error", "The provider broke the answer off with an error."),
    "other": ErrorFacts("upstream_malformed", "The provider ended without an answer."),
}
_TOO_LONG = "prompt is too long"
_BOTH = "input length and `max_tokens` exceed context limit"
_LIMIT = re.compile(r"(?:context (?:length|window|limit)|maximum|limit)\D{0,40}?(\d[\d,]{2,})", re.IGNORECASE)
_ASKED = re.compile(r"(\d[\d,]*)(?: tokens)? (?:in|from) the (?:messages|prompt|input)\D*?(\d[\d,]*)[^,;.]*completion")
_ASKED_OF_VLLM = re.compile(r"too large: (\d+)\D.*?context length is (\d+)\D.*?has (\d+) input tokens", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]{2,9}(?![\w-])")  # a size, not the date in a model's name


def write_error(facts: ErrorFacts) -> bytes:
    """Write the error envelope of a whole answer."""
    return orjson.dumps({"type": "error", "error": {"type": TYPES[facts.kind], "message": _message(facts)}})


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write an error into a stream that has begun; it is the stream's last event."""
    return b"event: error\ndata: " + write_error(facts) + b"\n\n"


def fault_of(finish: Finished, *, said: bool) -> ErrorFacts | None:
    """Return what to say of an ending that is none of an answer; None for a good one."""
    return None if said and finish.reason == "other" else _FAULTS.get(finish.reason)


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole message that names another model."""
    return replaced(body, b"model", orjson.dumps(model))


def _message(facts: ErrorFacts) -> str:
    return overflow(facts.message) if facts.kind == "context_length" else facts.message


def overflow(message: str) -> str:
    """Return the overflow of a context in words that Claude Code knows, with the vendor's own numbers where it gave
    them."""
    if _TOO_LONG in message.lower() or _BOTH in message.lower():
        return message
    of_vllm = _ASKED_OF_VLLM.search(message)
    if of_vllm:
        return _both(_number(of_vllm[3]), _number(of_vllm[1]), _number(of_vllm[2]))
    limit, asked = _LIMIT.search(message), _ASKED.search(message)
    if limit and asked:
        return _both(_number(asked[1]), _number(asked[2]), _number(limit[1]))
    sizes = sorted({_number(found) for found in _NUMBER.findall(message)}, reverse=True)
    if len(sizes) >= 2:
        return f"{_TOO_LONG}: {sizes[0]} tokens > {sizes[1]} maximum"
    return f"{_TOO_LONG}: {message}"


def _both(into: int, out: int, limit: int) -> str:
    if into >= limit:  # a shorter answer would not help
        return f"{_TOO_LONG}: {into} tokens > {limit} maximum"
    return f"{_BOTH}: {into} + {out} > {limit}, decrease input length or `max_tokens` and try again"


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))
