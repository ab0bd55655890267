"""How real providers say no, each in its own manner: a table of status, headers and body by name.

`refusal("429", manner="openai")` is the plain one; `refusal("429-gemini", ...)` names another provider's manner.
Texts are our own where nobody reads them; members, codes and what clients search for are the providers'. `after` is
the rest in seconds that the refusal announces, where its manner announces any.
"""

import math
import time
from collections.abc import Callable
from email.utils import formatdate

from tests.upstreams import anthropic_refusals, gemini_refusals, ollama_refusals, responses_refusals
from tests.upstreams.answer import Refusal, seconds

HTML = "text/html; charset=UTF-8"
PLAIN = "text/plain; charset=utf-8"

Make = Callable[[float | None], Refusal]


class UnknownRefusal(KeyError):
    """A name that is not in the table."""


def refusal(name: str, *, manner: str, after: float | None = None) -> Refusal:
    """Return the refusal of that name: `429`, `429-quota`, or `429-gemini` for another provider's manner."""
    make = TABLE.get(f"{name}-{manner}") or TABLE.get(name)
    if make is None:
        raise UnknownRefusal(name)
    return make(after)


def known(name: str, *, manner: str) -> bool:
    """Say whether there is a refusal of that name in that manner."""
    return name in TABLE or f"{name}-{manner}" in TABLE


def names() -> list[str]:
    """Return every name; those without a provider's name follow the manner of the dialect that is asked."""
    return sorted(TABLE)


def openai(
    status: int, message: str, type: str, code: str | int | None, *headers: tuple[str, str], param: str | None = None
) -> Refusal:
    """Return a refusal in OpenAI's envelope."""
    body = {"error": {"message": message, "type": type, "param": param, "code": code}}
    return Refusal(status, body, headers)


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Refusal:
    """Return OpenAI's 400 for a request it cannot take."""
    return openai(400, message, "invalid_request_error", code, param=param)


def _limits(after: float | None) -> tuple[tuple[str, str], ...]:
    rest = 2.0 if after is None else after
    return (
        ("retry-after", seconds(after)),
        ("retry-after-ms", str(round(rest * 1000))),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", f"{rest:g}s"),
        ("x-ratelimit-limit-tokens", "200000"),
        ("x-ratelimit-remaining-tokens", "199000"),
        ("x-ratelimit-reset-tokens", "300ms"),
    )


def _rate_limited(after: float | None, *headers: tuple[str, str]) -> Refusal:
    wait = f"{2 if after is None else after:g}s"
    text = f"Rate limit reached for this model in organization org-sim on requests per min (RPM): try again in {wait}."
    return openai(429, text, "requests", "rate_limit_exceeded", *headers)


def _server(status: int, message: str, *headers: tuple[str, str], code: str | None = None) -> Refusal:
    return openai(status, message, "server_error", code, *headers)


def _zai(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"error": {"code": code, "message": message}})


def _openrouter(after: float | None) -> Refusal:
    reset = str(round((time.time() + (2 if after is None else after)) * 1000))
    headers = {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    meta = {"headers": headers, "provider_name": None}
    body = {"error": {"message": "Rate limit exceeded: free-models-per-min.", "code": 429, "metadata": meta}}
    return Refusal(429, body, tuple(headers.items()))


def _plan(after: float | None) -> Refusal:
    rest = 3600 if after is None else after
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit of the plan has been reached.",
        "plan_type": "plus",
        "resets_at": int(time.time() + rest),
        "resets_in_seconds": math.ceil(rest),
    }
    return Refusal(429, {"error": error})


def _html(status: int, title: str) -> Refusal:
    page = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<h1>{status} {title}</h1>\r\n"
    return Refusal(status, f"{page}<hr><center>sim</center>\r\n</body>\r\n</html>\r\n", content_type=HTML)


TABLE: dict[str, Make] = {
    **anthropic_refusals.TABLE,
    **gemini_refusals.TABLE,
    **ollama_refusals.TABLE,
    **responses_refusals.TABLE,
    "529-openai": anthropic_refusals.TABLE["529-anthropic"],
    # The caller's fault.
    "400-openai": lambda _: invalid("The request was refused: 'messages' holds something odd.", param="messages"),
    "400-context": lambda _: invalid(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        param="messages",
        code="context_length_exceeded",
    ),
    "400-policy": lambda _: invalid("The prompt was flagged by the content policy.", code="content_policy_violation"),
    "400-parameter": lambda _: invalid(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param="max_tokens",
        code="unsupported_parameter",
    ),
    "404-openai": lambda _: openai(
        404, "The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"
    ),
    "405-openai": lambda _: openai(405, "Method not allowed.", "invalid_request_error", "method_not_allowed"),
    "409-openai": lambda _: openai(409, "The resource is in use by another request.", "conflict_error", None),
    "413-openai": lambda _: openai(413, "The request is larger than allowed.", "invalid_request_error", None),
    "422-openai": lambda _: openai(422, "The request could not be processed.", "invalid_request_error", None),
    # The credential's fault.
    "401-openai": lambda _: openai(
        401, "Incorrect API key provided: sk-sim-****.", "invalid_request_error", "invalid_api_key"
    ),
    "402-openai": lambda _: openai(
        402, "Insufficient credits: add more to continue.", "insufficient_quota", "insufficient_credits"
    ),
    "403-openai": lambda _: openai(403, "Your account may not use this resource.", "permission_error", None),
    "403-retry": lambda after: openai(
        403, "Your account may not use this just now.", "permission_error", None, ("retry-after", seconds(after))
    ),
    # Too much, in everybody's manner.
    "429-openai": lambda after: _rate_limited(after, *_limits(after)),
    "429-responses": lambda after: _rate_limited(after, *_limits(after)),
    "429-bare": lambda _: Refusal(429, ""),
    "429-date": lambda after: _rate_limited(
        after, ("retry-after", formatdate(time.time() + (2 if after is None else after), usegmt=True))
    ),
    "429-text": _rate_limited,
    "429-quota": lambda _: openai(
        429, "You exceeded your current quota, check your plan and billing.", "insufficient_quota", "insufficient_quota"
    ),
    "429-plan": _plan,
    "429-zai": lambda _: _zai(429, "1302", "Rate limit reached for requests: too many at the same time"),
    "429-zai-balance": lambda _: _zai(429, "1113", "Insufficient balance or no resource package"),
    "429-zai-plan": lambda _: _zai(429, "1308", "Usage limit reached for the 5 hour window"),
    "429-openrouter": _openrouter,
    # The provider's fault.
    "500-openai": lambda _: _server(500, "The server had an error while processing your request."),
    "502": lambda _: _html(502, "Bad Gateway"),
    "503-openai": lambda _: _server(503, "The server is currently overloaded.", code="server_is_overloaded"),
    "503-retry": lambda after: _server(
        503, "The server is currently overloaded.", ("retry-after", seconds(after)), code="slow_down"
    ),
    "504": lambda _: _html(504, "Gateway Time-out"),
    "520": lambda _: _html(520, "Web server is returning an unknown error"),
    "503-text": lambda _: Refusal(503, "upstream connect error or disconnect/reset before headers", (), PLAIN),
}
