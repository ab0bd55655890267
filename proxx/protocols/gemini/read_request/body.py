"""A client's generateContent body -> Request. Content is read from raw JSON, so that arguments stay as written."""

from typing import Any

import msgspec

from proxx.protocols.gemini.read_request.contents import read_contents, read_part
from proxx.protocols.gemini.read_request.fields import Object, objects, raw_list, raw_members, text, typed
from proxx.protocols.gemini.read_request.settings import (
    read_config,
    read_limit,
    read_output,
    read_reasoning,
    read_sampling,
)
from proxx.protocols.gemini.read_request.tools import read_choice, read_tools
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import Envelope, Request

DIALECT = "gemini"
TIERS = {"standard": "default", "unspecified": ""}

_SILENT = frozenset({"model", "labels", "store"})  # they do not touch the answer
_CONTENT = ("contents", "systemInstruction")
_READ = frozenset({"tools", "toolConfig", "generationConfig", "safetySettings", "serviceTier", *_CONTENT, *_SILENT})
_LENIENT = ("", "OFF", "BLOCK_NONE", "HARM_BLOCK_THRESHOLD_UNSPECIFIED")
_REFUSED = {
    "cachedContent": "a cache belongs to the account that made it",
    "continuationToken": "an answer can be continued only where it began",
}

_anything = msgspec.json.Decoder()


def read_request(envelope: Envelope, losses: Losses) -> Request:
    """Read a request; raise `Unreadable` naming the field at fault."""
    raws = raw_members(envelope.body.strip(), "body")
    if "contents" not in raws:
        raise Unreadable("contents is not specified.", code="missing_contents", param="contents")
    for name, reason in _REFUSED.items():
        if bytes(raws.get(name, b"null")) not in (b"null", b'""'):
            losses.refuse(name, reason)
    rest: Object = {name: typed(_anything, bytes(raw), name) for name, raw in raws.items() if name not in _CONTENT}
    config = read_config(rest.get("generationConfig"), losses)
    tier = text(rest, "serviceTier", "body").lower()
    return Request(
        dialect=DIALECT,
        model=envelope.model,
        turns=_turns(bytes(raws["contents"]), losses),
        instructions=_instructions(bytes(raws.get("systemInstruction", b"null")), losses),
        tools=read_tools(rest.get("tools")),
        tool_choice=read_choice(rest.get("toolConfig"), losses),
        max_output=read_limit(config),
        sampling=read_sampling(config),
        reasoning=read_reasoning(config, losses),
        output=read_output(config, losses),
        service_tier=TIERS.get(tier, tier),
        safety_settings=_safety(rest, losses),
        stream=envelope.stream,
        wants_usage=True,
        extras=_extras(rest, losses),
    )


def _turns(data: bytes, losses: Losses) -> tuple[Turn, ...]:
    turns = read_contents(data, losses)
    if not turns:
        raise Unreadable("contents is not specified.", code="missing_contents", param="contents")
    return turns


def _instructions(data: bytes, losses: Losses) -> tuple[Turn, ...]:
    if data[:1] == b'"':
        said = typed(_anything, data, "systemInstruction")
        return (Turn("system", (Text(str(said)),)),)
    content = raw_members(data, "systemInstruction")
    parts = [
        part
        for number, raw in enumerate(raw_list(bytes(content.get("parts", b"null")), "systemInstruction.parts"))
        for part in read_part(raw, f"systemInstruction.parts[{number}]", losses)
    ]
    if any(not isinstance(part, Text) for part in parts):
        raise Unreadable("systemInstruction takes text only.", code="invalid_value", param="systemInstruction")
    return (Turn("system", tuple(parts)),) if parts else ()


def _safety(rest: Object, losses: Losses) -> tuple[Object, ...]:
    settings = tuple(objects(rest.get("safetySettings"), "safetySettings"))
    if any(text(one, "threshold", "safetySettings[]") not in _LENIENT for one in settings):
        losses.drop("safetySettings", "other models filter by their own rules")
    return settings


def _extras(rest: Object, losses: Losses) -> dict[str, Any]:
    unknown = {
        name: value for name, value in rest.items() if name not in _READ and name not in _REFUSED and value is not None
    }
    for name in unknown:
        losses.drop(name, "unknown to other dialects")
    return unknown
