"""How Google says no: its envelope with details, and its rows of the table in refusals.py."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.upstreams.answer import Refusal

Make = Callable[[float | None], Refusal]
RPC = "type.googleapis.com/google.rpc."


def gemini(status: int, name: str, message: str, *details: dict[str, Any]) -> Refusal:
    """Return a refusal in Google's envelope."""
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = list(details)
    return Refusal(status, {"error": error})


def invalid(message: str, *details: dict[str, Any]) -> Refusal:
    """Return Google's 400 for a request it cannot take."""
    return gemini(400, "INVALID_ARGUMENT", message, *details)


def unreadable(violations: list[tuple[str, str]]) -> Refusal:
    """Return the 400 of the JSON parser: (field, description) for everything it did not understand."""
    found = [{"field": field, "description": text} if field else {"description": text} for field, text in violations]
    detail = {"@type": f"{RPC}BadRequest", "fieldViolations": found}
    return invalid("\n".join(text for _, text in violations), detail)


def _info(reason: str) -> dict[str, Any]:
    service = {"service": "generativelanguage.googleapis.com"}
    return {"@type": f"{RPC}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": service}


def _limited(after: float | None, quota: str) -> Refusal:
    rest = 39 if after is None else after
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
        "quotaId": quota,
        "quotaValue": "10",
    }
    failure = {"@type": f"{RPC}QuotaFailure", "violations": [violation]}
    retry = {"@type": f"{RPC}RetryInfo", "retryDelay": f"{rest:g}s"}
    return gemini(429, "RESOURCE_EXHAUSTED", f"You exceeded your quota. Please retry in {rest:g}s.", failure, retry)


def _busy(after: float | None) -> Refusal:
    retry = {"@type": f"{RPC}RetryInfo", "retryDelay": f"{2 if after is None else after:g}s"}
    return gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later.", retry)


_PLAIN: dict[str, tuple[int, str, str]] = {
    "400": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "400-context": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "400-policy": (400, "INVALID_ARGUMENT", "The prompt was refused for its content."),
    "400-parameter": (400, "INVALID_ARGUMENT", "Thinking level is not supported for this model."),
    "400-location": (400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    "401": (
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
    ),
    # Google itself never sends 402 and 422; what stands before it for others does, in its envelope.
    "402": (402, "FAILED_PRECONDITION", "Billing is not enabled for this project."),
    "403": (403, "PERMISSION_DENIED", "The caller does not have permission."),
    "403-missing": (
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
        "other form of API consumer identity to call this API.",
    ),
    "404": (404, "NOT_FOUND", "models/x is not found for API version v1beta, or is not supported for generateContent."),
    "405": (405, "UNIMPLEMENTED", "The method is not allowed here."),
    "409": (409, "ABORTED", "The operation was aborted."),
    "413": (413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
    "422": (422, "INVALID_ARGUMENT", "The request could not be processed."),
    "499": (499, "CANCELLED", "The operation was cancelled."),
    "500": (500, "INTERNAL", "An internal error has occurred. Please retry."),
    "503": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "504": (504, "DEADLINE_EXCEEDED", "The request timed out. Please try again."),
}

TABLE: dict[str, Make] = {
    **{f"{name}-gemini": partial(lambda row, _: gemini(*row), row) for name, row in _PLAIN.items()},
    "400-key-gemini": lambda _: invalid("API key not valid. Please pass a valid API key.", _info("API_KEY_INVALID")),
    "403-retry-gemini": lambda _: gemini(403, "PERMISSION_DENIED", "Not just now."),
    "429-gemini": lambda after: _limited(after, "GenerateRequestsPerMinutePerProjectPerModel"),
    "429-gemini-day": lambda after: _limited(after, "GenerateRequestsPerDayPerProjectPerModel"),
    "429-quota-gemini": lambda after: _limited(after, "GenerateRequestsPerDayPerProjectPerModel"),
    "503-retry-gemini": _busy,
    "529-gemini": lambda _: gemini(529, "UNAVAILABLE", "The model is overloaded. Please try again later."),
}
