"""How Anthropic says no: its envelope and its rows of the table in refusals.py."""

import time
from collections.abc import Callable
from functools import partial

from tests.upstreams.answer import Refusal, seconds

Make = Callable[[float | None], Refusal]


def anthropic(status: int, type: str, message: str, *headers: tuple[str, str]) -> Refusal:
    """Return a refusal in Anthropic's envelope; the request id is filled in when it is answered."""
    body = {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_sim_0000000000000001"}
    return Refusal(status, body, headers)


def invalid(message: str) -> Refusal:
    """Return Anthropic's 400 for a request it cannot take."""
    return anthropic(400, "invalid_request_error", message)


def _limited(after: float | None) -> Refusal:
    reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + (2 if after is None else after)))
    return anthropic(
        429,
        "rate_limit_error",
        "This request would exceed the rate limit of your organization.",
        ("retry-after", seconds(after)),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", reset),
    )


def _plan(after: float | None) -> Refusal:
    """Return the refusal of a subscription whose window is used up."""
    rest = 3600 if after is None else after
    reset = str(int(time.time() + rest))
    return anthropic(
        429,
        "rate_limit_error",
        "This request would exceed your account's rate limit. Please try again later.",
        ("retry-after", seconds(rest)),
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", reset),
        ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
        ("anthropic-ratelimit-unified-5h-status", "rejected"),
        ("anthropic-ratelimit-unified-5h-reset", reset),
        ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
    )


def _busy(status: int, type: str, message: str, after: float | None, *, announced: bool = False) -> Refusal:
    return anthropic(status, type, message, *((("retry-after", seconds(after)),) if announced else ()))


_PLAIN: dict[str, tuple[int, str, str]] = {
    "400": (400, "invalid_request_error", "messages.0.content: Input should be a valid list"),
    "400-context": (400, "invalid_request_error", "prompt is too long: 215000 tokens > 200000 maximum"),
    "400-limits": (
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or "
        "`max_tokens` and try again",
    ),
    "400-policy": (400, "invalid_request_error", "Output blocked by content filtering policy"),
    "400-parameter": (400, "invalid_request_error", "`temperature` is deprecated for this model."),
    "400-credit": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
    ),
    "401": (401, "authentication_error", "invalid x-api-key"),
    "401-bearer": (401, "authentication_error", "Invalid bearer token"),
    "401-missing": (401, "authentication_error", "x-api-key header is required"),
    "402": (402, "billing_error", "There is an issue with your billing or payment information."),
    "403": (403, "permission_error", "Your API key does not have permission to use the specified resource."),
    "404": (404, "not_found_error", "model: the model you asked for"),
    "405": (405, "invalid_request_error", "Method Not Allowed"),
    "409": (409, "conflict_error", "The resource is in use by another request."),
    "413": (413, "request_too_large", "Request exceeds the maximum size"),
    "422": (422, "invalid_request_error", "The request could not be processed."),
    "500": (500, "api_error", "Internal server error"),
    "503": (503, "api_error", "Service temporarily unavailable"),
    "504": (504, "timeout_error", "The request timed out while processing."),
    "529": (529, "overloaded_error", "Overloaded"),
}

TABLE: dict[str, Make] = {
    **{f"{name}-anthropic": partial(lambda row, _: anthropic(*row), row) for name, row in _PLAIN.items()},
    "403-retry-anthropic": lambda after: _busy(403, "permission_error", "Not just now.", after, announced=True),
    "429-anthropic": _limited,
    "429-quota-anthropic": lambda _: anthropic(
        429, "rate_limit_error", "You have reached your specified API usage limits. You will regain access next month."
    ),
    "429-plan-anthropic": _plan,
    "503-retry-anthropic": lambda after: _busy(503, "api_error", "Try again later.", after, announced=True),
}
