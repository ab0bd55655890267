"""The body itself: the client's own bytes for the same dialect, else every member written anew."""

import hashlib
import re
from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.cuts import CutPrefill, StopAt
from proxx.protocols.hub.history import repaired
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Part, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.reasoning import openai_effort, shows_thinking
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.schemas import qualifies_strict
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.dialect import NAME, OPENAI
from proxx.protocols.openai_responses.write_request.codex import ENCRYPTED, for_codex
from proxx.protocols.openai_responses.write_request.items import Items
from proxx.protocols.openai_responses.write_request.tools import Tools
from proxx.protocols.openai_responses.write_request.vendor import is_codex, knows_vendor_words
from proxx.protocols.spec import Mend, Written

SMALLEST_LIMIT = 16
LONGEST_IDENTITY = 64
LOGPROBS = "message.output_text.logprobs"
TIERS = {tier: tier for tier in ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")}
TIERS |= {"standard_only": "default", "standard": "default"}

CONTINUE = (
    "Continue your last message exactly where it stops. Give only what follows: repeat nothing of it and say nothing "
    "about it."
)
SAY_JSON = "Answer with JSON."

_CONTINUED = ("anthropic", "gemini", "ollama")  # dialects in which a last word of the model's is to be continued
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_UNKNOWN = "unknown to this dialect"
_UNSAYABLE = (
    "top_k", "min_p", "frequency_penalty", "presence_penalty", "repeat_penalty", "seed", "logit_bias",
)  # fmt: skip


def write_request(request: Request, target: Target, losses: Losses) -> Written:
    """Write a request; raise `Inexpressible` for what would silently change the answer's kind."""
    tools = Tools(request, target, losses)
    items = Items(request, target, tools, losses)
    body: dict[str, Any] = {"model": target.model}
    turns, prefill = _turns(request, target, losses)
    body |= _words(request, items, turns)
    if request.output.format == "json" and not _says_json(request):
        body["input"].insert(0, {"type": "message", "role": "developer", "content": SAY_JSON})
    if request.state.compact and knows_vendor_words(target):
        body["input"].append({"type": "compaction_trigger"})
    body |= _tools(request, tools)
    body |= _limits(request, target, losses)
    body |= _reasoning(request, target, losses)
    body |= _answer(request, losses)
    body |= _rest(request, target, losses)
    if is_codex(target):
        body = for_codex(body, losses)
    mends = [*tools.mends, *_cuts(request, prefill)]
    key = body.get("prompt_cache_key", "")
    headers = ((b"session_id", key.encode()),) if is_codex(target) and key and key.isascii() else ()
    return Written(encoded(body), tuple(mends), headers)


def _turns(request: Request, target: Target, losses: Losses) -> tuple[tuple[Turn, ...], str]:
    """Return the turns as they are sent, and the text that the model is to continue, if any."""
    turns = request.turns
    if request.state.compact and knows_vendor_words(target):
        turns = turns[:-1]  # the request for a summary: this upstream has its own word for it
    turns = repaired(turns, losses)
    last = turns[-1] if turns else None
    if last is None or last.role != "assistant" or request.dialect not in _CONTINUED:
        return turns, ""
    if any(isinstance(part, ToolCall) for part in last.parts):
        return turns, ""
    prefill = "".join(part.text for part in last.parts if isinstance(part, Text)).rstrip()
    if not prefill:
        return turns, ""
    losses.drop("messages", "the last message is continued on request only")
    return (*turns, Turn("user", (Text(CONTINUE),))), prefill


def _words(request: Request, items: Items, turns: tuple[Turn, ...]) -> dict[str, Any]:
    """Return `instructions` and `input`. One leading turn, or the client's own instructions, go into the first."""
    leading = list(request.instructions)
    written = items.write(turns)
    instructions = ""
    if leading and written and (len(leading) == 1 or leading[0].role == "system") and _only_text(leading[0].parts):
        instructions = "\n\n".join(part.text for part in leading.pop(0).parts if isinstance(part, Text) and part.text)
    front = [item for turn in leading for item in items.message("developer", turn.parts)]
    said = {"instructions": instructions} if instructions else {}
    return said | {"input": [*front, *written]}


def _only_text(parts: tuple[Part, ...]) -> bool:
    return all(isinstance(part, Text) for part in parts)


def _says_json(request: Request) -> bool:
    turns = (*request.instructions, *request.turns)
    return any("json" in text.lower() for turn in turns for part in turn.parts for text in _texts(part))


def _texts(part: Part) -> list[str]:
    if isinstance(part, ToolResult):
        return [text for inner in part.parts for text in _texts(inner)]
    return [part.text] if isinstance(part, Text) else []


def _tools(request: Request, tools: Tools) -> dict[str, Any]:
    if not tools.declared:
        return {}
    said: dict[str, Any] = {"tools": tools.declared}
    choice = tools.choice()
    if choice is not None:
        said["tool_choice"] = choice
    if request.parallel is not None:
        said["parallel_tool_calls"] = request.parallel
    limit = request.max_tool_calls
    if limit is None:
        uses = [tool.hosted.max_uses for tool in request.tools if tool.hosted and tool.hosted.max_uses]
        limit = uses[0] if uses else None
    return said | ({"max_tool_calls": limit} if limit is not None else {})


def _limits(request: Request, target: Target, losses: Losses) -> dict[str, Any]:
    sampling = request.sampling
    said: dict[str, Any] = {}
    if (sampling.n or 1) > 1:
        losses.refuse("n", "this provider gives one answer at a time")
    for name in _UNSAYABLE:
        if getattr(sampling, name) is not None:
            losses.drop(name, _UNKNOWN)
    if request.max_output is not None:
        said["max_output_tokens"] = max(SMALLEST_LIMIT, request.max_output)
    for name in ("temperature", "top_p"):
        value = getattr(sampling, name)
        if value is not None and target.facts.sampling is False:
            losses.drop(name, "this model takes no sampling settings")
        elif value is not None:
            said[name] = value
    if sampling.top_logprobs is not None:
        said["top_logprobs"] = sampling.top_logprobs
    return said


def _reasoning(request: Request, target: Target, losses: Losses) -> dict[str, Any]:
    own = request.extras.get("reasoning", {}) if request.dialect == NAME else {}
    effort = openai_effort(request, target, losses)
    said = {"effort": effort} if effort else {}
    wish = request.reasoning
    if target.facts.thinking != "none":
        asked = wish.show in ("summary", "full")
        if asked or (wish.effort not in ("", "off") and shows_thinking(request)):
            said["summary"] = wish.summary or own.get("summary") or "auto"
        said |= {name: own[name] for name in ("context", "mode") if name in own}
    return {"reasoning": said} if said else {}


def _answer(request: Request, losses: Losses) -> dict[str, Any]:
    wish = request.output
    said: dict[str, Any] = {}
    other = [one for one in wish.modalities if one.lower() != "text"]
    if other:
        losses.refuse("modalities", f"this provider answers in text and not in {other[0].lower()}")
    match wish.format:
        case "text":
            said["format"] = {"type": "text"}
        case "json":
            said["format"] = {"type": "json_object"}
        case "schema":
            said["format"] = _schema(request, losses)
    if wish.verbosity:
        said["verbosity"] = wish.verbosity
    return {"text": said} if said else {}


def _schema(request: Request, losses: Losses) -> dict[str, Any]:
    wish = request.output
    name = _NO_NAME.sub("_", wish.name)[:64] or "response"
    said: dict[str, Any] = {"type": "json_schema", "name": name, "schema": wish.schema or {"type": "object"}}
    if wish.description:
        said["description"] = wish.description
    strict = wish.strict
    if strict and not qualifies_strict(wish.schema):
        losses.drop("response_format.strict", "the schema is not of the strict kind")
        strict = False
    return said | ({"strict": strict} if strict is not None else {})


def _rest(request: Request, target: Target, losses: Losses) -> dict[str, Any]:
    own, state = request.dialect == NAME, request.state
    said: dict[str, Any] = {}
    include = [*state.include] if own else []
    if target.facts.thinking != "none":
        include.append(ENCRYPTED)
    if request.sampling.logprobs:
        include.append(LOGPROBS)
    if include:
        said["include"] = list(dict.fromkeys(include))
    if state.store is not None or not own:
        said["store"] = bool(state.store) and own
    if state.truncation and own:
        said["truncation"] = state.truncation
    if request.metadata and request.dialect in OPENAI:
        said["metadata"] = request.metadata
    if request.user_id:
        said["user"] = _identity(request.user_id)
    if request.safety_identifier:
        said["safety_identifier"] = _identity(request.safety_identifier)
    key = request.cache.key or _cache_key(request)
    if key:
        said["prompt_cache_key"] = _identity(key)
    if request.safety_settings:
        losses.drop("safetySettings", "this provider has its own")
    tier = TIERS.get(request.service_tier.lower())
    if tier:
        said["service_tier"] = tier
    extras = request.extras if own else {}
    said |= {name: value for name, value in extras.items() if name != "reasoning" and name not in said}
    return said | ({"stream": True} if request.stream else {})


def _identity(told: str) -> str:
    return told if len(told) <= LONGEST_IDENTITY else hashlib.sha256(told.encode(errors="replace")).hexdigest()


def _cache_key(request: Request) -> str:
    """Return a key for what another dialect's marks ask to be cached: the same for all that begins alike."""
    turns = (*request.instructions, *request.turns)
    marked = any(getattr(part, "cache", None) is not None for turn in turns for part in turn.parts)
    if request.dialect == NAME or not (marked or request.cache.mark or any(tool.cache for tool in request.tools)):
        return ""
    said = [part.text for turn in request.instructions for part in turn.parts if isinstance(part, Text)]
    named = [tool.name for tool in request.tools]
    return hashlib.sha256("\0".join([request.model, *said, *named]).encode(errors="replace")).hexdigest()[:32]


def _cuts(request: Request, prefill: str) -> list[Mend]:
    cuts: list[Mend] = [CutPrefill(prefill)] if prefill else []
    return [*cuts, *([StopAt(request.sampling.stop)] if request.sampling.stop else [])]
