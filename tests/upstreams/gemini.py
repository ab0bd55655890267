"""Google Gemini as the service speaks it: reads requests, counts tokens, embeds, lists models.

What it refuses is gemini_shapes.py (names and types), gemini_checks.py and gemini_contents.py (meanings); how it
answers is gemini_speaker.py; how it says no is gemini_refusals.py. Written from the wire format alone: it shares no
line with the gateway's translators.
"""

import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.upstreams import gemini_checks, gemini_models
from tests.upstreams.answer import Answer, Refusal, Refused, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Ask, Dialect, Endpoint, Page, Tool, World, count_tokens, register
from tests.upstreams.gemini_refusals import invalid
from tests.upstreams.gemini_speaker import GeminiSpeaker

BASE = r"/(v1|v1beta|v1alpha)"
MEDIA_TOKENS = 258
DIMENSIONS = 768


def key(arrival: Arrival) -> str | None:
    """Return the key: x-goog-api-key, `?key=`, or the bearer token."""
    given = arrival.header("x-goog-api-key") or parse_qs(arrival.query).get("key", [""])[0]
    if given:
        return given
    scheme, _, token = (arrival.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def read(arrival: Arrival, world: World) -> Ask:
    """Read a request as Gemini would; raise Refused with its 400, in an array where an array was to come."""
    stream = arrival.path.endswith(":streamGenerateContent")
    events = "sse" in parse_qs(arrival.query).get("alt", [])
    try:
        return _read(arrival, world, stream=stream, events=events)
    except Refused as refused:
        if not stream or events:
            raise
        made = refused.refusal
        raise Refused(Refusal(made.status, [made.body], made.headers)) from None


def _read(arrival: Arrival, world: World, *, stream: bool, events: bool) -> Ask:
    body, snake = gemini_checks.parse(arrival, world, "GenerateContentRequest")
    model = _model(arrival)
    gemini_checks.check(model, body)
    config = body.get("generationConfig", {})
    thinking = config.get("thinkingConfig", {})
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    return Ask(
        model=model,
        stream=stream,
        text=_last_user_text(body["contents"]),
        prompt_tokens=input_tokens(body),
        tools=_own_tools(body, calling),
        must_call=_must_call(calling),
        tool_result=_result(body["contents"][-1]),
        choices=int(config.get("candidateCount", 1)),
        limit=int(config["maxOutputTokens"]) if "maxOutputTokens" in config else None,
        stops=tuple(config.get("stopSequences", ())),
        thinks=str(thinking.get("thinkingBudget")) != "0",
        schema=_schema(config),
        wishes={
            "events": events,
            "thoughts": bool(thinking.get("includeThoughts")),
            "level": thinking.get("thinkingLevel"),
            "snake_case": snake,
        },
    )


def count(arrival: Arrival, world: World) -> Answer:
    """Count the tokens of a request that is not made."""
    body, _ = gemini_checks.parse(arrival, world, "CountTokensRequest")
    if "contents" in body and "generateContentRequest" in body:
        text = "* CountTokensRequest: only one of contents and generate_content_request can be set.\n"
        raise Refused(invalid(text))
    asked = body.get("generateContentRequest", body)
    if "generateContentRequest" in body and not asked.get("model"):
        raise Refused(invalid("* CountTokensRequest.generate_content_request.model: model is not specified\n"))
    gemini_checks.check(_model(arrival), asked)
    total = input_tokens(asked)
    return whole(200, {"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]})


def embed(arrival: Arrival, world: World) -> Answer:
    """Turn one content into numbers that depend on its text alone."""
    body, _ = gemini_checks.parse(arrival, world, "EmbedContentRequest")
    return whole(200, {"embedding": {"values": _values(body, "EmbedContentRequest")}})


def embed_all(arrival: Arrival, world: World) -> Answer:
    """Turn many contents into numbers."""
    body, _ = gemini_checks.parse(arrival, world, "BatchEmbedContentsRequest")
    wanted = f"models/{_model(arrival)}"
    if not body.get("requests"):
        raise Refused(invalid("* BatchEmbedContentsRequest.requests: requests is not specified\n"))
    found = []
    for index, one in enumerate(body["requests"]):
        where = f"BatchEmbedContentsRequest.requests[{index}]"
        if one.get("model") != wanted:
            text = f"* {where}.model: model must be the model of the batch, {wanted}\n"
            raise Refused(invalid(text))
        found.append({"values": _values(one, where)})
    return whole(200, {"embeddings": found})


def input_tokens(body: dict[str, Any]) -> int:
    """Count the tokens of system instruction, tools and contents."""
    contents = [*body.get("contents", ()), *([body["systemInstruction"]] if "systemInstruction" in body else ())]
    counted = sum(count_tokens(json.dumps(tool)) for tool in body.get("tools", ()))
    for content in contents:
        for part in content.get("parts", ()):
            media = "inlineData" in part or "fileData" in part
            counted += MEDIA_TOKENS if media else count_tokens(part.get("text") or json.dumps(part))
    return counted


def _values(body: dict[str, Any], where: str) -> list[float]:
    parts = body.get("content", {}).get("parts", ())
    if not parts:
        raise Refused(invalid(f"* {where}.content: contents is not specified\n"))
    length = int(body.get("outputDimensionality", DIMENSIONS))
    if not 1 <= length <= 3072:
        raise Refused(invalid(f"* {where}.output_dimensionality: must be in range [1, 3072].\n"))
    text = "".join(part.get("text", "") for part in parts)
    seed = hashlib.shake_256(text.encode()).digest(length)
    return [round(byte / 127.5 - 1, 6) for byte in seed]


def _model(arrival: Arrival) -> str:
    """Return the model: what stands between `models/` and the last colon."""
    return unquote(arrival.path.rpartition(":")[0].partition("/models/")[2])


def _last_user_text(contents: list[dict[str, Any]]) -> str:
    users = [content for content in contents if content.get("role", "user") == "user"]
    texts = ("".join(part.get("text", "") for part in content["parts"]) for content in reversed(users))
    return next((text for text in texts if text), "")


def _result(content: dict[str, Any]) -> str | None:
    results = [part["functionResponse"]["response"] for part in content["parts"] if "functionResponse" in part]
    if not results:
        return None
    values = list(results[-1].values())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else json.dumps(results[-1])


def _own_tools(body: dict[str, Any], calling: dict[str, Any]) -> tuple[Tool, ...]:
    if calling.get("mode") == "NONE":
        return ()
    allowed = calling.get("allowedFunctionNames")
    found = [
        Tool(one["name"], _plain(one.get("parametersJsonSchema") or one.get("parameters") or {"type": "object"}))
        for one in gemini_checks.declared(body)
    ]
    return tuple(tool for tool in found if not allowed or tool.name in allowed)


def _must_call(calling: dict[str, Any]) -> str:
    allowed = calling.get("allowedFunctionNames", [])
    if calling.get("mode") != "ANY":
        return ""
    return str(allowed[0]) if len(allowed) == 1 else "*"


def _schema(config: dict[str, Any]) -> dict[str, Any] | None:
    if config.get("responseMimeType") != "application/json":
        return None
    return _plain(config.get("responseJsonSchema") or config.get("responseSchema") or {})


def _plain(schema: Any) -> Any:
    """Return a schema whose types are written as JSON Schema writes them."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(value) for name, value in schema.items()}
    if isinstance(plain.get("type"), str):
        plain["type"] = plain["type"].lower()
    return plain


def _asks_gemini(arrival: Arrival) -> bool:
    query = parse_qs(arrival.query)
    version = not arrival.path.startswith("/v1/")
    return version or arrival.header("x-goog-api-key") is not None or "key" in query or "pageSize" in query


DIALECT = register(
    Dialect(
        name="gemini",
        manner="gemini",
        endpoints=(
            Endpoint("POST", re.compile(BASE + r"/.+:(generateContent|streamGenerateContent)"), read, GeminiSpeaker),
        ),
        pages=(
            Page("POST", re.compile(BASE + r"/.+:countTokens"), count),
            Page("POST", re.compile(BASE + r"/.+:embedContent"), embed),
            Page("POST", re.compile(BASE + r"/.+:batchEmbedContents"), embed_all),
            Page("GET", re.compile(BASE + "/models"), gemini_models.listed, only_if=_asks_gemini),
            Page("GET", re.compile(BASE + "/models/.+"), gemini_models.shown, only_if=_asks_gemini),
        ),
        key=key,
        bad_key="400-key",
        no_key="403-missing",
    )
)
