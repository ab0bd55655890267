"""Errors as Google writes them: a numeric code, a message, a status in capitals, and details with a type."""

import math

import orjson

from proxx.protocols.hub.errors import ErrorFacts

RPC = "type.googleapis.com/google.rpc."
DOMAIN = "proxx"

STATUSES = {
    "invalid_request": (400, "INVALID_ARGUMENT"),
    "context_length": (400, "INVALID_ARGUMENT"),
    "content_policy": (400, "FAILED_PRECONDITION"),
    "auth": (401, "UNAUTHENTICATED"),
    "billing": (429, "RESOURCE_EXHAUSTED"),
    "permission": (403, "PERMISSION_DENIED"),
    "not_found": (404, "NOT_FOUND"),
    "too_large": (413, "INVALID_ARGUMENT"),
    "rate_limit": (429, "RESOURCE_EXHAUSTED"),
    "overloaded": (503, "UNAVAILABLE"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
    "upstream_error": (502, "INTERNAL"),
    "upstream_truncated": (502, "INTERNAL"),
    "upstream_malformed": (502, "INTERNAL"),
    "internal": (500, "INTERNAL"),
}


def error_object(facts: ErrorFacts) -> bytes:
    """Return the object that says an error, whole or as the last one of a stream."""
    code, status = STATUSES[facts.kind]
    error: dict[str, object] = {"code": code, "message": facts.message, "status": status}
    details: list[dict[str, object]] = []
    if facts.code:
        details.append({"@type": f"{RPC}ErrorInfo", "reason": facts.code.upper(), "domain": DOMAIN})
    if facts.param:
        violation = {"field": facts.param, "description": facts.message}
        details.append({"@type": f"{RPC}BadRequest", "fieldViolations": [violation]})
    if facts.retry_after is not None:
        details.append({"@type": f"{RPC}RetryInfo", "retryDelay": f"{max(1, math.ceil(facts.retry_after))}s"})
    if details:
        error["details"] = details
    return orjson.dumps({"error": error})


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write an error into an event stream that has begun; it is the stream's last event."""
    return b"data: " + error_object(facts) + b"\r\n\r\n"
