"""The body itself: its head, and every member that is not an item or a tool."""

from typing import Any

import msgspec

from proxx.protocols.framing.heads import read_head
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.reasoning import effort_named
from proxx.protocols.hub.request import (
    CacheWish,
    Envelope,
    OutputWish,
    ReasoningWish,
    Request,
    Sampling,
    State,
    ToolChoice,
)
from proxx.protocols.openai_responses.dialect import COMPACT, COMPACT_FORM, NAME
from proxx.protocols.openai_responses.read_request.items import Items
from proxx.protocols.openai_responses.read_request.tools import first_of_each, read_choice, read_tools
from proxx.protocols.openai_responses.read_request.typed import invalid, missing, read

LOGPROBS = "message.output_text.logprobs"


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None
    context: str | None = None
    mode: str | None = None


class _Format(msgspec.Struct):
    type: str = "text"
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class _Answer(msgspec.Struct):
    format: _Format | None = None
    verbosity: str | None = None


class _Conversation(msgspec.Struct):
    id: str


class _Body(msgspec.Struct):
    input: str | list[msgspec.Raw] | None = None
    instructions: str | None = None
    tools: list[msgspec.Raw] | None = None
    tool_choice: msgspec.Raw = msgspec.Raw()
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    reasoning: _Reasoning | None = None
    text: _Answer | None = None
    include: list[str] | None = None
    previous_response_id: str | None = None
    conversation: str | _Conversation | None = None
    store: bool | None = None
    background: bool | None = None
    prompt: dict[str, Any] | None = None
    truncation: str | None = None
    metadata: dict[str, Any] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None


_body = msgspec.json.Decoder(_Body)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder()
_KNOWN = frozenset(_Body.__struct_fields__) | {"model", "stream"}
_WITHOUT_EFFECT = frozenset({  # on the answer: not worth a note when another dialect is not told
    "stream_options", "client_metadata", "prompt_cache_options", "prompt_cache_retention",
})  # fmt: skip


def read_envelope(body: bytes, *, model: str = "", stream: bool | None = None, form: str = "") -> Envelope:
    """Read the head of a Responses body; raise `Unreadable` naming the field at fault. What only compacts is never
    streamed."""
    if form != COMPACT_FORM:
        return read_head(body, dialect=NAME, model=model, stream=stream)
    return msgspec.structs.replace(read_head(body, dialect=NAME, model=model, stream=False), form=form)


def read_request(envelope: Envelope, losses: Losses) -> Request:
    """Read all of a body; raise `Unreadable` naming the field at fault, `Inexpressible` for what only the vendor has:
    kept prompts, kept conversations, work in the background."""
    body = read(_body, envelope.body, "")
    _refuse_kept(body, losses)
    items = Items()
    tools = read_tools(body.tools or [], "tools")
    turns = _turns(body, items)
    compact = items.compact or envelope.form == COMPACT_FORM
    leading = _leading(body, turns)
    turns = turns[len(leading) :]
    if body.instructions:
        leading.insert(0, Turn("system", (Text(body.instructions),)))
    choice = read_choice(bytes(body.tool_choice))
    output = _output(body.text)
    if compact:
        turns.append(Turn("user", (Text(COMPACT),)))
        choice, output = ToolChoice("none"), OutputWish()
    return Request(
        dialect=NAME,
        model=envelope.model,
        turns=tuple(turns),
        instructions=tuple(leading),
        tools=first_of_each([*tools, *items.tools]),
        tool_choice=choice,
        parallel=body.parallel_tool_calls,
        max_output=_positive(body.max_output_tokens),
        max_tool_calls=body.max_tool_calls,
        sampling=_sampling(body),
        reasoning=_reasoning(body.reasoning, losses),
        output=output,
        cache=CacheWish(body.prompt_cache_key or ""),
        state=_state(body, losses, compact=compact),
        user_id=body.user or "",
        safety_identifier=body.safety_identifier or "",
        service_tier=body.service_tier or "",
        metadata=body.metadata,
        stream=envelope.stream,
        wants_usage=True,
        extras=_extras(envelope.body, body, losses),
    )


def _refuse_kept(body: _Body, losses: Losses) -> None:
    if body.previous_response_id:
        raise Unreadable(
            f"Previous response with id '{body.previous_response_id}' not found.",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    if body.conversation is not None:
        losses.refuse("conversation", "kept conversations belong to the provider that keeps them")
    if body.prompt is not None:
        losses.refuse("prompt", "kept prompts belong to the provider that keeps them")
    if body.background:
        losses.refuse("background", "this model answers at once or not at all")


def _turns(body: _Body, items: Items) -> list[Turn]:
    if body.input is None:
        raise missing("input")
    if isinstance(body.input, str):
        return [Turn("user", (Text(body.input),))]
    return items.read_all(body.input)


def _leading(body: _Body, turns: list[Turn]) -> list[Turn]:
    count = next((place for place, turn in enumerate(turns) if turn.role not in ("system", "developer")), len(turns))
    return turns[:count]


def _positive(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise invalid("max_output_tokens", "it must be a positive number")
    return limit


def _sampling(body: _Body) -> Sampling:
    return Sampling(
        temperature=body.temperature,
        top_p=body.top_p,
        logprobs=True if LOGPROBS in (body.include or ()) else None,
        top_logprobs=body.top_logprobs,
    )


def _reasoning(wish: _Reasoning | None, losses: Losses) -> ReasoningWish:
    if wish is None:
        return ReasoningWish()
    effort = effort_named(wish.effort or "", losses, field="reasoning.effort")
    if wish.mode not in (None, "standard"):
        losses.drop("reasoning.mode", "unknown to other dialects")
    return ReasoningWish(effort, show="summary" if wish.summary or wish.generate_summary else "")


def _output(wish: _Answer | None) -> OutputWish:
    if wish is None:
        return OutputWish()
    verbosity = wish.verbosity or ""
    if wish.format is None or wish.format.type == "text":
        return OutputWish("text" if wish.format else "", verbosity=verbosity)
    if wish.format.type == "json_object":
        return OutputWish("json", verbosity=verbosity)
    if wish.format.type != "json_schema":
        raise invalid("text.format.type", f"'{wish.format.type}' is none of text, json_object, json_schema")
    if wish.format.schema is None:
        raise missing("text.format.schema")
    form = wish.format
    return OutputWish("schema", form.schema, form.name or "", form.description or "", form.strict, verbosity)


def _state(body: _Body, losses: Losses, *, compact: bool) -> State:
    if body.truncation == "auto":
        losses.drop("truncation", "input that is too long is not cut")
    return State(
        store=body.store,
        truncation=body.truncation or "",
        include=tuple(body.include or ()),
        compact=compact,
    )


def _extras(raw: bytes, body: _Body, losses: Losses) -> dict[str, Any]:
    """Return what only this dialect knows; what could have changed the answer is noted."""
    extras: dict[str, Any] = {}
    for name, value in read(_members, raw, "").items():
        if name in _KNOWN or bytes(value) == b"null":
            continue
        extras[name] = read(_anything, bytes(value), name)
        if name not in _WITHOUT_EFFECT:
            losses.drop(name, "unknown to other dialects")
    wish = body.reasoning
    words = {"summary": wish.summary, "context": wish.context, "mode": wish.mode} if wish else {}
    told = {word: value for word, value in words.items() if value}
    return extras | ({"reasoning": told} if told else {})
