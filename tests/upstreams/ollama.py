"""Ollama's native API as a server speaks it: chat, generate, embed, and its pages.

What it refuses: ollama_checks.py; what models can do: ollama_models.py; how it answers: ollama_speaker.py. A request
without a key comes from its own machine and is welcome; a key must be good, as at the hosted service. Written from
the wire format alone: it shares no line with the gateway's translators.
"""

import re
from typing import Any

from tests.upstreams import ollama_checks, ollama_models, openai_chat
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Dialect, Endpoint, Page, Tool, World, count_tokens, register
from tests.upstreams.ollama_checks import refused
from tests.upstreams.ollama_models import model_of, read_body
from tests.upstreams.ollama_speaker import ChatSpeaker, EmbedSpeaker, GenerateSpeaker, OldEmbedSpeaker, OllamaAsk

CONTEXT = 4096  # of a request that does not say
LOCAL = "sk-sim-local"
FULL_NAME = "registry.ollama.ai/library/{}:latest does not support {}"


def key(arrival: Arrival) -> str | None:
    """Return the bearer token, or that of a local caller."""
    return openai_chat.key(arrival) if arrival.header("authorization") else LOCAL


def read_chat(arrival: Arrival, world: World) -> OllamaAsk:
    """Read a chat request; raise Refused."""
    body = read_body(arrival)
    ollama_checks.check_chat(body)
    name, messages = model_of(body), body.get("messages") or []
    tools = body.get("tools") or []
    _able(body, name, door="chat")
    if tools and "tools" not in ollama_models.abilities(name):
        raise refused(FULL_NAME.format(name, "tools"))
    last = messages[-1] if messages else {}
    users = (message.get("content") or "" for message in reversed(messages) if message["role"].lower() == "user")
    prompt = "".join(message.get("content") or "" for message in messages)
    return OllamaAsk(
        **_common(body, name, count_tokens(prompt) + 4 * len(messages)),
        stream=body.get("stream") is not False and bool(messages),
        text=next(users, ""),
        tools=tuple(_tool(tool["function"]) for tool in tools if tool.get("function")),
        tool_result=last.get("content") or "" if str(last.get("role")).lower() == "tool" else None,
        loads="" if messages else _loads(body),
    )


def read_generate(arrival: Arrival, world: World) -> OllamaAsk:
    """Read a generate request; raise Refused."""
    body = read_body(arrival)
    ollama_checks.check_generate(body)
    name, prompt = model_of(body, missing="model '' not found"), body.get("prompt") or ""
    _able(body, name, door="generate")
    if body.get("suffix") and "coder" not in name:
        raise refused(FULL_NAME.format(name, "insert"))
    return OllamaAsk(
        **_common(body, name, count_tokens(prompt + (body.get("system") or "")) + 4),
        stream=body.get("stream") is not False and bool(prompt),
        text=prompt,
        loads="" if prompt else _loads(body),
        raw=bool(body.get("raw")),
    )


def read_embed(arrival: Arrival, world: World) -> OllamaAsk:
    """Read an embed request; raise Refused."""
    body = read_body(arrival)
    ollama_checks.typed(body, ollama_checks.EMBED, "EmbedRequest")
    given = body.get("input")
    if given is not None and not isinstance(given, str | list):
        raise refused("invalid input type")
    inputs = [given] if isinstance(given, str) else given or []
    if not all(isinstance(text, str) for text in inputs):
        raise refused("invalid input type")
    return _embedding(body, [text for text in inputs if text or isinstance(given, list)])


def read_embeddings(arrival: Arrival, world: World) -> OllamaAsk:
    """Read a request for one embedding, the old way; raise Refused."""
    body = read_body(arrival)
    ollama_checks.typed(body, ollama_checks.EMBEDDING, "EmbeddingRequest")
    return _embedding(body, [body["prompt"]] if body.get("prompt") else [])


def _embedding(body: dict[str, Any], inputs: list[str]) -> OllamaAsk:
    name = model_of(body)
    ollama_checks.check_options(body.get("options"))
    ollama_checks.keep_alive(body.get("keep_alive"))
    limit = (body.get("options") or {}).get("num_ctx") or CONTEXT
    if body.get("truncate") is False and any(count_tokens(text) > limit for text in inputs):
        raise refused("the input length exceeds the context length")
    return OllamaAsk(
        model=name,
        named=body["model"],
        stream=False,
        text="".join(inputs),
        prompt_tokens=sum(min(count_tokens(text), limit) for text in inputs),
        inputs=tuple(inputs),
        dimensions=body.get("dimensions") or 0,
    )


def _able(body: dict[str, Any], name: str, *, door: str) -> None:
    """Refuse what the model cannot do, then options and format, as the real one finds them."""
    able = ollama_models.abilities(name)
    if "completion" not in able:
        raise refused(f'"{body["model"]}" does not support {door}')
    if body.get("think") and "thinking" not in able:
        raise refused(f'"{body["model"]}" does not support thinking')
    ollama_checks.check_options(body.get("options"))
    ollama_checks.check_format(body.get("format"))


def _common(body: dict[str, Any], name: str, tokens: int) -> dict[str, Any]:
    options = body.get("options") or {}
    room = int(options.get("num_ctx") or CONTEXT)
    if body.get("truncate") is False and tokens > room:
        raise refused("the input length exceeds the context length")
    limit, shape = int(options.get("num_predict") or 0), body.get("format")
    wanted = "thinking" in ollama_models.abilities(name) and body.get("think") is not False
    return {
        "model": name,
        "named": body["model"],
        "prompt_tokens": min(tokens, room),  # without a word, the rest is cut off
        "limit": limit if limit > 0 else None,
        "stops": tuple(options.get("stop") or ()),
        "thinks": wanted,
        "schema": shape if isinstance(shape, dict) else {} if shape == "json" else None,
        "wishes": {"num_ctx": options.get("num_ctx"), "truncated": tokens > room},
    }


def _loads(body: dict[str, Any]) -> str:
    return "unload" if ollama_checks.keep_alive(body.get("keep_alive")) == 0 else "load"


def _tool(function: dict[str, Any]) -> Tool:
    return Tool(function.get("name") or "", function.get("parameters") or {})


DIALECT = register(
    Dialect(
        name="ollama",
        manner="ollama",
        endpoints=(
            Endpoint("POST", re.compile("/api/chat"), read_chat, ChatSpeaker),
            Endpoint("POST", re.compile("/api/generate"), read_generate, GenerateSpeaker),
            Endpoint("POST", re.compile("/api/embed"), read_embed, EmbedSpeaker),
            Endpoint("POST", re.compile("/api/embeddings"), read_embeddings, OldEmbedSpeaker),
        ),
        pages=(
            Page("POST", re.compile("/api/show"), ollama_models.shown),
            Page("GET", re.compile("/api/tags"), ollama_models.tags),
            Page("GET", re.compile("/api/ps"), ollama_models.running),
            Page("GET", re.compile("/api/version"), ollama_models.version, open_to_all=True),
            Page("GET", re.compile("/"), ollama_models.alive, open_to_all=True),
            Page("HEAD", re.compile("/"), ollama_models.alive, open_to_all=True),
        ),
        key=key,
    )
)
