"""What the gateway itself says in this dialect: errors, whole and in a stream, and keep-alives."""

import orjson

from proxx.protocols.framing.members import replaced
from proxx.protocols.hub.errors import ErrorFacts

HEARTBEAT = b": keepalive\n\n"

TYPES = {
    "invalid_request": ("invalid_request_error", None),
    "context_length": ("invalid_request_error", "context_length_exceeded"),
    "content_policy": ("invalid_request_error", "content_policy_violation"),
    "auth": ("authentication_error", "invalid_api_key"),
    "billing": ("insufficient_quota", "insufficient_quota"),
    "permission": ("permission_error", None),
    "not_found": ("invalid_request_error", "model_not_found"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit": ("rate_limit_error", "rate_limit_exceeded"),
    "overloaded": ("server_error", "server_is_overloaded"),
    "timeout": ("server_error", "timeout"),
    "upstream_error": ("server_error", "upstream_error"),
    "upstream_truncated": ("server_error", "upstream_truncated"),
    "upstream_malformed": ("server_error", "upstream_malformed"),
    "internal": ("server_error", "internal_error"),
}


def write_error(facts: ErrorFacts) -> bytes:
    """Write the error envelope of a whole answer."""
    return orjson.dumps({"error": _error(facts)})


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write an error into a stream that has begun; it is the stream's last event, no end mark follows."""
    return b"data: " + orjson.dumps({"error": _error(facts)}) + b"\n\n"


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole completion that names another model."""
    return replaced(body, b"model", orjson.dumps(model))


def _error(facts: ErrorFacts) -> dict[str, str | None]:
    kind, usual_code = TYPES[facts.kind]
    return {"message": facts.message, "type": kind, "param": facts.param, "code": facts.code or usual_code}
