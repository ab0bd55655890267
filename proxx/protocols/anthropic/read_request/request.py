"""A client's Messages body -> Request. A missing `max_tokens` is let pass: token counts are asked without it."""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.blocks import mark_of, read_parts
from proxx.protocols.anthropic.read_request.shapes import DIALECT, CacheControl, read_as
from proxx.protocols.anthropic.read_request.tools import read_choice, read_tools
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.reasoning import effort_named, effort_of_budget
from proxx.protocols.hub.request import CacheWish, Envelope, OutputWish, ReasoningWish, Request, Sampling

BILLING = "x-anthropic-billing-header:"  # Claude Code's first line: it changes with each request, no prefix would match
TIERS = {"auto": "auto", "standard_only": "default"}

_SHOWN = {"summarized": "summary", "omitted": "none"}
_SILENT = frozenset(("diagnostics", "user_profile_id", "workspace_id", "betas"))  # labels and telemetry
_ROLES = ("user", "assistant", "system")


class _Message(msgspec.Struct):
    role: str
    content: msgspec.Raw


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: dict[str, Any] | None = None


class _OutputConfig(msgspec.Struct):
    effort: str | None = None
    format: _Format | None = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Small(msgspec.Struct):
    """The members that are read as they stand."""

    model: str = ""
    stream: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    output_format: _Format | None = None
    cache_control: CacheControl | None = None
    metadata: _Metadata | None = None
    service_tier: str | None = None


_LARGE = ("messages", "system", "tools", "tool_choice")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_messages = msgspec.json.Decoder(list[msgspec.Raw])
_message = msgspec.json.Decoder(_Message)
_small = {field.name: msgspec.json.Decoder(field.type) for field in msgspec.structs.fields(_Small)}
_anything = msgspec.json.Decoder()


def read_request(envelope: Envelope, losses: Losses) -> Request:
    """Read a whole body; raise `Unreadable` naming the member at fault."""
    members = _read_members(envelope.body)
    small = _Small(
        **{name: read_as(decoder, members[name], name) for name, decoder in _small.items() if name in members}
    )
    instructions, turns = _conversation(members)
    choice, parallel = read_choice(members["tool_choice"]) if "tool_choice" in members else (None, None)
    output = small.output_config or _OutputConfig()
    return Request(
        dialect=DIALECT,
        model=envelope.model,
        turns=turns,
        instructions=instructions,
        tools=read_tools(members["tools"]) if "tools" in members else (),
        tool_choice=choice,
        parallel=parallel,
        max_output=_limit(small.max_tokens, losses),
        sampling=Sampling(
            temperature=small.temperature, top_p=small.top_p, top_k=small.top_k, stop=tuple(small.stop_sequences or ())
        ),
        reasoning=_reasoning(small.thinking, output.effort or "", losses),
        output=_output(output.format or small.output_format, losses),
        cache=CacheWish(mark=mark_of(small.cache_control)),
        user_id=(small.metadata.user_id or "") if small.metadata else "",
        service_tier=TIERS.get(small.service_tier or "", ""),
        stream=envelope.stream,
        wants_usage=True,
        extras=_extras(members, losses),
    )


def _read_members(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        members = decode(_members, body)
    except msgspec.ValidationError:
        raise Unreadable("The body must be a JSON object.") from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None
    if "messages" not in members:
        raise Unreadable("messages: field required.", code="missing_required_parameter", param="messages")
    return {name: raw for name, raw in members.items() if bytes(raw) != b"null"}


def _conversation(members: dict[str, msgspec.Raw]) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    instructions: list[Turn] = []
    if "system" in members:
        parts = read_parts(members["system"], "system", role="system")
        kept = tuple(part for part in parts if not (isinstance(part, Text) and part.text.startswith(BILLING)))
        instructions += [Turn("system", kept)] if kept else []
    turns: list[Turn] = []
    messages = read_as(_messages, members.get("messages", msgspec.Raw(b"[]")), "messages")
    for place, raw in enumerate(messages):
        turn = _turn(raw, f"messages[{place}]")
        leads = turn.role == "system" and not turns
        (instructions if leads else turns).append(turn)
    return tuple(instructions), tuple(turns)


def _turn(raw: msgspec.Raw, where: str) -> Turn:
    message: _Message = read_as(_message, raw, where)
    if message.role not in _ROLES:
        at = f"{where}.role"
        raise Unreadable(f"{at}: '{message.role}' is no role of a message.", param=at)
    return Turn(message.role, read_parts(message.content, f"{where}.content", role=message.role))


def _limit(max_tokens: int | None, losses: Losses) -> int | None:
    if max_tokens is None or max_tokens > 0:
        return max_tokens
    if max_tokens < 0:
        raise Unreadable("max_tokens: must not be negative.", param="max_tokens")
    losses.drop("max_tokens", "0 warms caches at Anthropic only and is sent as 1")
    return 1


def _reasoning(thinking: _Thinking | None, word: str, losses: Losses) -> ReasoningWish:
    effort = effort_named(word, losses, field="output_config.effort") if word else ""
    if thinking is None:
        return ReasoningWish(effort)
    show = _SHOWN.get(thinking.display or "", "")
    match thinking.type:
        case "disabled" | "between_tools":
            return ReasoningWish("off", show=show)
        case "adaptive":
            return ReasoningWish(effort or "dynamic", show=show)
        case "enabled":
            budget = thinking.budget_tokens
            if budget is None:
                raise Unreadable("thinking.budget_tokens: field required.", param="thinking.budget_tokens")
            return ReasoningWish(effort or effort_of_budget(max(budget, 1)), budget, show)
    raise Unreadable(f"thinking.type: '{thinking.type}' is unknown.", param="thinking.type")


def _output(wish: _Format | None, losses: Losses) -> OutputWish:
    if wish is None:
        return OutputWish()
    if wish.type != "json_schema" or wish.schema is None:
        losses.drop("output_config.format", "only json_schema with a schema is known")
        return OutputWish()
    return OutputWish("schema", wish.schema, strict=True)


def _extras(members: dict[str, msgspec.Raw], losses: Losses) -> dict[str, Any]:
    known = {*_small, *_LARGE}
    extras = {name: read_as(_anything, raw, name) for name, raw in members.items() if name not in known}
    for name in extras:
        if name not in _SILENT:
            losses.drop(name, "unknown to other dialects")
    return extras
