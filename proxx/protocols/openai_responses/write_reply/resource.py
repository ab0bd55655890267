"""The response resource: always whole, with every member that clients of this dialect insist on.

What the request asked for is repeated in it, with the service's defaults where it said nothing.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.events import Usage
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Text
from proxx.protocols.hub.request import OutputWish, Request, ToolChoice, ToolRef, ToolSpec
from proxx.protocols.openai_responses.dialect import NAME

_NOTHING_ASKED = Request(NAME, "", ())
_EFFORTS = {"off": "none", "dynamic": None, "": None}


class Resource:
    """The resource of one reply; what does not change is written once."""

    __slots__ = ("_echo", "_head", "_occasion", "id")

    def __init__(self, occasion: Occasion, *, id: str = "") -> None:
        self.id = id or f"resp_{occasion.id}"
        self._occasion = occasion
        self._head = {"id": self.id, "object": "response", "created_at": occasion.created}
        self._echo = encoded(_echo(occasion.request or _NOTHING_ASKED))[1:]

    def written(
        self,
        status: str,
        *,
        output: Sequence[bytes] = (),
        usage: dict[str, Any] | None = None,
        error: dict[str, str] | None = None,
        incomplete: str = "",
    ) -> bytes:
        """Return the resource as it stands; `output` are written items."""
        now = self._occasion.created + self._occasion.elapsed_ns() // 1_000_000_000
        said = orjson.dumps(
            self._head
            | {
                "status": status,
                "completed_at": now if status == "completed" else None,
                "error": error,
                "incomplete_details": {"reason": incomplete} if incomplete else None,
                "model": self._occasion.model,
                "output": [orjson.Fragment(item) for item in output],
                "usage": usage,
            }
        )
        return said[:-1] + b"," + self._echo


def written_usage(usage: Usage | None, *, input_estimate: int, output_estimate: int) -> dict[str, Any]:
    """Return the counts. Clients reckon with all of them: where none was reported, estimates stand."""
    usage = usage or Usage()
    into = usage.input_total if usage.input_total is not None else input_estimate
    out = usage.output_total if usage.output_total is not None else output_estimate
    return {
        "input_tokens": into,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": usage.cache_write or 0,
        },
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": into + out,
    }


def _echo(asked: Request) -> dict[str, Any]:
    first = asked.instructions[0] if asked.instructions else None
    told = [part.text for part in first.parts if isinstance(part, Text)] if first and first.role == "system" else []
    sampling, wish = asked.sampling, asked.reasoning
    summary = asked.extras.get("reasoning", {}).get("summary") or ("auto" if wish.show == "summary" else None)
    return {
        "background": False,
        "conversation": None,
        "frequency_penalty": 0.0,
        "instructions": "\n\n".join(told) or None,
        "max_output_tokens": asked.max_output,
        "max_tool_calls": asked.max_tool_calls,
        "metadata": asked.metadata or {},
        "parallel_tool_calls": asked.parallel is not False,
        "presence_penalty": 0.0,
        "previous_response_id": asked.state.previous_response_id or None,
        "prompt_cache_key": asked.cache.key or None,
        "prompt_cache_retention": asked.extras.get("prompt_cache_retention"),
        "reasoning": {"effort": _EFFORTS.get(wish.effort, wish.effort), "summary": summary},
        "safety_identifier": asked.safety_identifier or None,
        "service_tier": asked.service_tier or "default",
        "store": asked.state.store is not False,
        "temperature": 1.0 if sampling.temperature is None else sampling.temperature,
        "text": {"format": _format(asked.output), "verbosity": asked.output.verbosity or "medium"},
        "tool_choice": _choice(asked.tool_choice, asked.tools),
        "tools": _tools(asked.tools),
        "top_logprobs": sampling.top_logprobs or 0,
        "top_p": 1.0 if sampling.top_p is None else sampling.top_p,
        "truncation": asked.state.truncation or "disabled",
        "user": asked.user_id or None,
    }


def _format(wish: OutputWish) -> dict[str, Any]:
    if wish.format == "json":
        return {"type": "json_object"}
    if wish.format != "schema":
        return {"type": "text"}
    return {
        "type": "json_schema",
        "name": wish.name or "response",
        "description": wish.description or None,
        "schema": wish.schema,
        "strict": bool(wish.strict),
    }


def _tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return the declarations as they came, those of a namespace together, with the members clients look for."""
    told: list[dict[str, Any]] = []
    for tool in tools:
        raw = dict(tool.raw or {"type": tool.kind, "name": tool.name})
        before = told[-1] if told else {}
        if tool.namespace and before.get("type") == "namespace" and before.get("name") == tool.namespace:
            before["tools"] = [*before["tools"], *raw["tools"]]
        else:
            told.append({"parameters": None, "strict": True, **raw} if raw.get("type") == "function" else raw)
    return told


def _choice(choice: ToolChoice | None, tools: Sequence[ToolSpec]) -> Any:
    if choice is None:
        return "auto"
    kinds = {(tool.namespace, tool.name): tool for tool in tools}
    match choice.mode:
        case "named":
            return _ref(choice.tools[0], kinds)
        case "subset":
            listed = [_ref(ref, kinds) for ref in choice.tools]
            return {"type": "allowed_tools", "mode": "required" if choice.must else "auto", "tools": listed}
    return choice.mode


def _ref(ref: ToolRef, tools: dict[tuple[str, str], ToolSpec]) -> dict[str, str]:
    tool = tools.get((ref.namespace, ref.name))
    kind = tool.kind if tool is not None else "function"
    return {"type": kind, "name": ref.name} if kind in ("function", "custom") else {"type": ref.name}
