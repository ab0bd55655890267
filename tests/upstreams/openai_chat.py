"""OpenAI Chat Completions as a provider speaks it: reads requests, writes whole replies and streams.

What it refuses is openai_checks.py; how it says no is refusals.py. Written from the wire format alone: it shares no
line with the gateway's translators.
"""

import itertools
import json
import re
import time
from collections.abc import Sequence
from typing import Any

from tests.upstreams import openai_checks, openai_models
from tests.upstreams.answer import SSE, Frame, Refusal, Refused
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import (
    Ask,
    Dialect,
    Endpoint,
    Page,
    Speaker,
    Tool,
    World,
    count_tokens,
    register,
)
from tests.upstreams.ids import letters, number
from tests.upstreams.refusals import invalid
from tests.upstreams.said import Citation, Counts, End, Said, ToolCall

BASE = r"(/v1beta)?(/openai|/api|/inference|/api/llm/o)?(/v1|/paas/v4|/coding/paas/v4)?"
REASONS = {"length": "length", "context_window": "length", "tools": "tool_calls", "filter": "content_filter"}


def key(arrival: Arrival) -> str | None:
    """Return the bearer token."""
    scheme, _, token = (arrival.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def read(arrival: Arrival, world: World) -> Ask:
    """Read a request as OpenAI would; raise Refused with its 400."""
    try:
        body = json.loads(arrival.body)
    except ValueError:
        raise Refused(invalid("We could not parse the JSON body of your request.")) from None
    if not isinstance(body, dict):
        raise Refused(invalid("We could not parse the JSON body of your request: it is no object."))
    openai_checks.check(body, strict=arrival.path.startswith("/v1/"))
    messages = body["messages"]
    last = messages[-1]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    options = body.get("stream_options") or {}
    return Ask(
        model=body["model"],
        stream=bool(body.get("stream")),
        text=_last_user_text(messages),
        prompt_tokens=sum(count_tokens(_text(message.get("content"))) + 4 for message in messages) + 3,
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        must_call=_must_call(body.get("tool_choice")),
        tool_result=_text(last.get("content")) if last["role"] == "tool" else None,
        choices=body.get("n") or 1,
        limit=limit,
        stops=_stops(body.get("stop")),
        schema=_schema(body.get("response_format") or {}),
        wishes={
            "usage": bool(options.get("include_usage")),
            "obfuscation": bool(options.get("include_obfuscation")),
            "tier": body.get("service_tier") or "default",
        },
    )


class ChatSpeaker(Speaker):
    """One reply in Chat Completions."""

    stream_type = SSE

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._id = f"chatcmpl-{letters(29)}"
        self._created = int(time.time())
        self._fingerprint = f"fp_{letters(10).lower()}"

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what OpenAI sends beside a good answer."""
        return (
            ("x-request-id", request_id),
            ("openai-organization", "org-sim"),
            ("openai-processing-ms", "42"),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-limit-tokens", "200000"),
            ("x-ratelimit-remaining-tokens", "199800"),
            ("x-ratelimit-reset-tokens", "60ms"),
        )

    def open(self, choice: int) -> list[Frame]:
        """Begin a choice."""
        return [self._delta("open", choice, {"role": "assistant", "content": "", "refusal": None})]

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of text."""
        return [self._delta("text", choice, {"content": piece})]

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Show a piece of reasoning, the way the imitators with reasoning do."""
        return [self._delta("thought", choice, {"content": None, "reasoning_content": piece})]

    def declined(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of a refusal."""
        return [self._delta("text", choice, {"refusal": piece})]

    def cite(self, citation: Citation, choice: int) -> list[Frame]:
        """Name a source, as the search models do."""
        return [self._delta("text", choice, {"annotations": [annotation(citation)]})]

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Call a tool: id and name once, then the arguments in pieces."""
        return self.calls([(call, pieces)], choice)

    def calls(self, calls: Sequence[tuple[ToolCall, Sequence[str]]], choice: int) -> list[Frame]:
        """Call tools at once: all heads, then the pieces of each in turn, told apart by index."""
        parts = [{"index": call.index, **written(call, "")} for call, _ in calls]
        for turn in itertools.zip_longest(*(pieces for _, pieces in calls)):
            for (call, _), piece in zip(calls, turn, strict=True):
                if piece is not None:
                    inner = {"input": piece} if call.custom else {"arguments": piece}
                    parts.append({"index": call.index, "custom" if call.custom else "function": inner})
        return [self._delta("call", choice, {"tool_calls": [part]}) for part in parts]

    def finish(self, end: End, choice: int) -> list[Frame]:
        """End a choice."""
        return [self._delta("finish", choice, {}, end.among(REASONS, "stop"))]

    def close(self, counts: Counts) -> list[Frame]:
        """End the stream: the usage if it was asked for, then the terminator."""
        frames = []
        if self._ask.wishes["usage"]:
            chunk = {**self._chunk(), "choices": [], "usage": usage(counts)}
            frames.append(Frame("usage", event(chunk)))
        return [*frames, Frame("end", b"data: [DONE]\n\n")]

    def error(self, refused: Refusal) -> list[Frame]:
        """Say an error inside the stream."""
        return [Frame("error", event(refused.body if isinstance(refused.body, dict) else {"error": refused.body}))]

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the reply as one body, indented as OpenAI does."""
        body = {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._ask.model,
            "choices": [self._choice(index, one) for index, one in enumerate(said)],
            "usage": usage(counts),
            "service_tier": self._ask.wishes["tier"],
            "system_fingerprint": self._fingerprint,
        }
        return [Frame("whole", json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n")]

    def _choice(self, index: int, said: Said) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
        if said.thought:
            message["reasoning_content"] = said.thought
        if said.calls:
            message["tool_calls"] = [written(call, call.text) for call in said.calls]
        sources = [annotation(citation) for citation in said.citations]
        message |= {"refusal": said.declined or None, "annotations": sources}
        return {
            "index": index,
            "message": message,
            "logprobs": None,
            "finish_reason": said.end.among(REASONS, "stop"),
        }

    def _chunk(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._ask.model,
            "service_tier": self._ask.wishes["tier"],
            "system_fingerprint": self._fingerprint,
        }

    def _delta(self, kind: str, choice: int, delta: dict[str, Any], reason: str | None = None) -> Frame:
        chunk = self._chunk()
        chunk["choices"] = [{"index": choice, "delta": delta, "logprobs": None, "finish_reason": reason}]
        if self._ask.wishes["usage"]:
            chunk["usage"] = None
        if self._ask.wishes["obfuscation"]:
            chunk["obfuscation"] = letters(number(2, 16))
        return Frame(kind, event(chunk))


def usage(counts: Counts) -> dict[str, Any]:
    """Return token counts as OpenAI reports them."""
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.output,
        "total_tokens": counts.prompt + counts.output,
        "prompt_tokens_details": {
            "cached_tokens": counts.cached,
            "audio_tokens": counts.audio_in,
            **({"cache_write_tokens": counts.cache_write} if counts.cache_write else {}),
        },
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def written(call: ToolCall, text: str) -> dict[str, Any]:
    """Return a tool call with these arguments, or this free input."""
    if call.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": text}}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": text}}


def annotation(citation: Citation) -> dict[str, Any]:
    """Return a source as the search models name it."""
    place = {"url": citation.url, "title": citation.title, "start_index": 0, "end_index": 0}
    return {"type": "url_citation", "url_citation": place}


def event(data: Any) -> bytes:
    """Return one unnamed server-sent event."""
    return b"data: " + json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return ""


def _last_user_text(messages: list[dict[str, Any]]) -> str:
    return next((_text(message.get("content")) for message in reversed(messages) if message["role"] == "user"), "")


def _tool(tool: dict[str, Any]) -> Tool:
    inner = tool[tool["type"]]
    return Tool(inner["name"], inner.get("parameters") or {})


def _stops(stop: Any) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def _schema(shape: dict[str, Any]) -> dict[str, Any] | None:
    if shape.get("type") == "json_schema":
        return shape["json_schema"].get("schema") or {}
    return {} if shape.get("type") == "json_object" else None


def _must_call(choice: Any) -> str:
    if choice == "required":
        return "*"
    if isinstance(choice, dict) and choice.get("type") in ("function", "custom"):
        return str(choice[choice["type"]]["name"])
    return ""


DIALECT = register(
    Dialect(
        name="openai_chat",
        manner="openai",
        endpoints=(Endpoint("POST", re.compile(BASE + "/chat/completions"), read, ChatSpeaker),),
        pages=(
            Page("GET", re.compile(BASE + "/models"), openai_models.listed),
            Page("GET", re.compile(BASE + "/models/.+"), openai_models.shown),
        ),
        key=key,
    )
)
