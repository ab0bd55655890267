"""The Response resource of OpenAI: all its members, usage, and errors as it holds them."""

from typing import Any

from tests.upstreams.answer import Refusal
from tests.upstreams.said import Counts

# Members that come back as they were asked, with the service's defaults.
ECHOED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
# Codes that `response.error` may have; another one travels as server_error.
CODES = frozenset({
    "server_error", "rate_limit_exceeded", "invalid_prompt", "context_length_exceeded", "insufficient_quota",
    "usage_not_included", "usage_limit_reached", "cyber_policy", "server_is_overloaded", "slow_down",
})  # fmt: skip


def resource(body: dict[str, Any], *, id: str, created: int) -> dict[str, Any]:
    """Return the resource of a request that has just begun."""
    wanted, text = body.get("reasoning") or {}, body.get("text") or {}
    tier = body.get("service_tier")
    return {
        "id": id,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": body["model"],
        "output": [],
        **{name: default if body.get(name) is None else body[name] for name, default in ECHOED.items()},
        "reasoning": {"effort": wanted.get("effort"), "summary": wanted.get("summary")},
        "service_tier": "auto" if tier is None else tier,
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        "usage": None,
    }


def usage(counts: Counts) -> dict[str, Any]:
    """Return token counts as Responses reports them."""
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": counts.cache_write},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.prompt + counts.output,
    }


def error_of(refusal: Refusal) -> dict[str, Any]:
    """Return a refusal's words as an error object with type, code, message and param."""
    body = refusal.body
    inner = body.get("error") if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        text = str(body.get("detail", inner)) if isinstance(body, dict) else str(body)
        inner = {"message": text, "type": "server_error", "code": None}
    code = inner.get("code") or inner.get("type")
    known = {**inner, "type": inner.get("type"), "message": inner.get("message", ""), "param": inner.get("param")}
    return {**known, "code": code if isinstance(code, str) else "server_error"}


def failed_with(error: dict[str, Any]) -> dict[str, str]:
    """Return what `response.error` holds for an error."""
    code = error["code"] if error["code"] in CODES else "server_error"
    return {"code": code, "message": error["message"]}


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    return {
        "type": "function",
        "description": tool.get("description"),
        "name": tool["name"],
        "parameters": tool.get("parameters"),
        "strict": tool.get("strict") is not False,
    }
