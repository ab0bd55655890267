"""How OpenAI says no on Responses and on the ChatGPT backend, where that differs from Chat Completions.

Rows of the table in refusals.py. The backend speaks OpenAI's envelope for most things, and `{"detail": ...}` for what
its own front refuses.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.upstreams.answer import Refusal, seconds

Make = Callable[[float | None], Refusal]
HTML = "text/html; charset=UTF-8"


def envelope(status: int, message: str, type: str | None, code: str | None, param: str | None = None) -> Refusal:
    """Return a refusal in OpenAI's envelope."""
    return Refusal(status, {"error": {"message": message, "type": type, "param": param, "code": code}})


def detail(text: Any, status: int = 400) -> Refusal:
    """Return a refusal of the backend's front: one sentence, or a list of validation faults."""
    return Refusal(status, {"detail": text})


def used_up(rest: float) -> tuple[tuple[str, str], ...]:
    """Return the headers of a plan whose window is used up."""
    return (
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-at", str(int(time.time() + rest))),
    )


def _plan(after: float | None) -> Refusal:
    rest = 3600 if after is None else after
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": "plus",
        "resets_at": int(time.time() + rest),
        "resets_in_seconds": math.ceil(rest),
    }
    return Refusal(429, {"error": error}, used_up(rest))


def _limited(after: float | None) -> Refusal:
    wait = f"{2 if after is None else after:g}s"
    text = f"Rate limit reached for this model on tokens per min (TPM). Please try again in {wait}."
    return envelope(429, text, "tokens", "rate_limit_exceeded")


def _not_included(_: float | None) -> Refusal:
    error = {"type": "usage_not_included", "message": "The plan does not include this model.", "plan_type": "free"}
    return Refusal(429, {"error": error})


def _overloaded(after: float | None) -> Refusal:
    made = envelope(503, "Our servers are currently overloaded. Please try again later.", None, "server_is_overloaded")
    return made if after is None else Refusal(503, made.body, (("retry-after", seconds(after)),))


def _bot_page(_: float | None) -> Refusal:
    page = "<html><head><title>Just a moment...</title></head><body>Enable JavaScript and cookies</body></html>"
    return Refusal(403, page, content_type=HTML)


_INVALID = "invalid_request_error"
_BOTH: dict[str, tuple[int, str, str | None, str | None, str | None]] = {
    "400": (400, "The request was refused: 'input' holds something odd.", _INVALID, None, "input"),
    "400-context": (
        400,
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        _INVALID,
        "context_length_exceeded",
        "input",
    ),
    "400-policy": (
        400,
        "Invalid prompt: it was flagged as violating the usage policy.",
        _INVALID,
        "invalid_prompt",
        None,
    ),
    "400-cyber": (400, "This request was flagged for cyber risk.", _INVALID, "cyber_policy", None),
    "402": (402, "Insufficient credits: add more to continue.", "insufficient_quota", "insufficient_credits", None),
    "404": (
        404,
        "The model does not exist or you do not have access to it.",
        _INVALID,
        "model_not_found",
        "model",
    ),
    "405": (405, "Method not allowed.", _INVALID, "method_not_allowed", None),
    "409": (409, "The resource is in use by another request.", "conflict_error", None, None),
    "413": (413, "The request is larger than allowed.", _INVALID, None, None),
    "422": (422, "The request could not be processed.", _INVALID, None, None),
    "500": (500, "An error occurred while processing your request.", "server_error", "server_error", None),
    "503": (503, "The server is currently overloaded.", "server_error", "server_is_overloaded", None),
    "529": (529, "The server is currently overloaded.", "server_error", "slow_down", None),
}
_RESPONSES: dict[str, tuple[int, str, str | None, str | None, str | None]] = {
    "400-parameter": (
        400,
        "Unsupported parameter: 'temperature' is not supported with this model.",
        _INVALID,
        "unsupported_parameter",
        "temperature",
    ),
    "401": (401, "Incorrect API key provided: sk-sim-****.", _INVALID, "invalid_api_key", None),
    "403": (403, "Your account may not use this resource.", "permission_error", None, None),
}


def _made(row: tuple[int, str, str | None, str | None, str | None], _: float | None) -> Refusal:
    return envelope(*row)


TABLE: dict[str, Make] = {
    **{f"{name}-{manner}": partial(_made, row) for name, row in _BOTH.items() for manner in ("responses", "codex")},
    **{f"{name}-responses": partial(_made, row) for name, row in _RESPONSES.items()},
    "400-parameter-codex": lambda _: detail("Unsupported parameter: max_output_tokens"),
    "401-codex": lambda _: envelope(
        401, "Provided authentication token is expired. Please try signing in again.", None, "token_expired"
    ),
    "401-missing-codex": lambda _: detail("Unauthorized", 401),
    "403-codex": _bot_page,
    "403-retry-codex": _bot_page,
    "429-codex": _limited,
    "429-plan-codex": _plan,
    "429-quota-codex": _plan,
    "429-included-codex": _not_included,
    "503-retry-codex": _overloaded,
}
