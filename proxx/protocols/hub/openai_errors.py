"""Errors in OpenAI's words: type and code of each class, for both of its dialects."""

from proxx.protocols.hub.errors import ErrorFacts

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


def code_of(facts: ErrorFacts) -> str | None:
    """Return the vendor's own code where there is one, else the usual one of the class."""
    return facts.code or TYPES[facts.kind][1]


def error_object(facts: ErrorFacts) -> dict[str, str | None]:
    """Return the `error` member of an error body."""
    return {"message": facts.message, "type": TYPES[facts.kind][0], "param": facts.param, "code": code_of(facts)}
