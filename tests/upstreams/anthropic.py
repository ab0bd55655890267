"""Anthropic Messages as the service speaks it: reads requests, counts tokens, lists models.

What it refuses is anthropic_checks.py and the files named there; how it answers is anthropic_speaker.py; how it says
no is anthropic_refusals.py. Written from the wire format alone: it shares no line with the gateway's translators.
"""

import json
import re
from typing import Any

from tests.upstreams import anthropic_checks, anthropic_models
from tests.upstreams.answer import Answer, Refused, whole
from tests.upstreams.anthropic_refusals import anthropic, invalid
from tests.upstreams.anthropic_speaker import AnthropicSpeaker
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Ask, Dialect, Endpoint, Page, Tool, World, count_tokens, register
from tests.upstreams.media import has_lone_surrogate

BASE = r"(/api)?(/anthropic|/llm/a)?/v1"
BODY_LIMIT = 32 * 1024 * 1024
IMAGE_TOKENS = 1600


def key(arrival: Arrival) -> str | None:
    """Return the key: x-api-key, or the bearer token if there is none."""
    given = arrival.header("x-api-key")
    if given:
        return given
    scheme, _, token = (arrival.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def read(arrival: Arrival, world: World) -> Ask:
    """Read a request as Anthropic would; raise Refused with its 400."""
    body = _body(arrival)
    anthropic_checks.check(arrival, body, strict=arrival.path.startswith("/v1"))
    thinking = body.get("thinking") or {}
    last = _blocks(body["messages"][-1])
    shape = (body.get("output_config") or {}).get("format") or {}
    return Ask(
        model=body["model"],
        stream=bool(body.get("stream")),
        text=_last_user_text(body["messages"]),
        prompt_tokens=input_tokens(body),
        tools=tuple(Tool(tool["name"], tool["input_schema"]) for tool in _own_tools(body)),
        must_call=_must_call(body.get("tool_choice") or {}),
        tool_result=_result(last),
        limit=body["max_tokens"],
        stops=tuple(body.get("stop_sequences") or ()),
        thinks=thinking.get("type") in ("enabled", "adaptive", "between_tools"),
        schema=shape.get("schema"),
        wishes={
            "thoughts": thinking.get("display") or _display(body["model"]),
            "version": arrival.header("anthropic-version"),
            "betas": arrival.header("anthropic-beta"),
            "parallel": not (body.get("tool_choice") or {}).get("disable_parallel_tool_use", False),
        },
    )


def count(arrival: Arrival, world: World) -> Answer:
    """Count the tokens of a request that is not made."""
    body = _body(arrival)
    anthropic_checks.check(arrival, body, strict=arrival.path.startswith("/v1"), counting=True)
    return whole(200, {"input_tokens": input_tokens(body)})


def input_tokens(body: dict[str, Any]) -> int:
    """Count the tokens of system, tools and messages."""
    system = body.get("system") or ""
    texts = [system if isinstance(system, str) else "".join(block["text"] for block in system)]
    texts += [json.dumps(tool) for tool in body.get("tools") or ()]
    counted = sum(count_tokens(text) for text in texts)
    for message in body["messages"]:
        counted += 4 + sum(_block_tokens(block) for block in _blocks(message))
    return counted + 3


def _block_tokens(block: dict[str, Any]) -> int:
    if block["type"] in ("image", "document"):
        return IMAGE_TOKENS
    return count_tokens(block["text"] if block["type"] == "text" else json.dumps(block))


def _body(arrival: Arrival) -> dict[str, Any]:
    if len(arrival.body) > BODY_LIMIT:
        raise Refused(anthropic(413, "request_too_large", "Request exceeds the maximum size"))
    try:
        body = json.loads(arrival.body)
    except ValueError:
        raise Refused(invalid("The request body is not valid JSON.")) from None
    if has_lone_surrogate(body):
        raise Refused(invalid("The request body is not valid JSON: no low surrogate in string"))
    if not isinstance(body, dict):
        raise Refused(invalid("Input should be a valid dictionary or object to extract fields from"))
    return body


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _texts(blocks: list[dict[str, Any]]) -> str:
    return "".join(block.get("text", "") for block in blocks if block["type"] == "text")


def _last_user_text(messages: list[dict[str, Any]]) -> str:
    users = (_texts(_blocks(message)) for message in reversed(messages) if message["role"] == "user")
    return next((text for text in users if text), "")


def _result(blocks: list[dict[str, Any]]) -> str | None:
    results = [block.get("content", "") for block in blocks if block["type"] == "tool_result"]
    if not results:
        return None
    return results[-1] if isinstance(results[-1], str) else _texts(results[-1])


def _own_tools(body: dict[str, Any]) -> list[dict[str, Any]]:
    tools = [tool for tool in body.get("tools") or () if tool.get("type", "custom") in ("custom", None)]
    return [] if (body.get("tool_choice") or {}).get("type") == "none" else tools


def _must_call(choice: dict[str, Any]) -> str:
    return {"any": "*", "tool": str(choice.get("name", ""))}.get(str(choice.get("type")), "")


def _display(model: str) -> str:
    return "summarized" if anthropic_models.family(model).shows_thoughts else "omitted"


def _asks_anthropic(arrival: Arrival) -> bool:
    return arrival.header("anthropic-version") is not None


def _listed(arrival: Arrival, world: World) -> Answer:
    anthropic_checks.check_version(arrival)
    return anthropic_models.listed(arrival, world)


def _shown(arrival: Arrival, world: World) -> Answer:
    anthropic_checks.check_version(arrival)
    return anthropic_models.shown(arrival, world)


DIALECT = register(
    Dialect(
        name="anthropic",
        manner="anthropic",
        endpoints=(Endpoint("POST", re.compile(BASE + "/messages"), read, AnthropicSpeaker),),
        pages=(
            Page("POST", re.compile(BASE + "/messages/count_tokens"), count),
            Page("GET", re.compile("/v1/models"), _listed, only_if=_asks_anthropic),
            Page("GET", re.compile("/v1/models/.+"), _shown, only_if=_asks_anthropic),
        ),
        key=key,
        id_header="request-id",
        no_key="401-missing",
    )
)
