"""One chunk or whole completion as a typed object.

Nearly all decode at once with exact types. What imitators write otherwise (content in lists of parts, arguments as
objects, wrong types of no importance) takes a second, patient look and comes out in the same shape.
"""

from typing import Any, Literal

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.openai_chat.read_reply.errors import Head


class Function(msgspec.Struct, gc=False):
    """A fragment of a call of a function."""

    name: str | None = None
    arguments: str | None = None


class Custom(msgspec.Struct, gc=False):
    """A fragment of a call of a custom tool."""

    name: str | None = None
    input: str | None = None


class Call(msgspec.Struct):
    """A fragment of a call; fragments of one call have one `index`."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Custom | None = None
    extra_content: dict[str, Any] | None = None


class Audio(msgspec.Struct):
    """Spoken answers: only their words are read."""

    transcript: str | None = None


class Delta(msgspec.Struct):
    """What one event, or a whole message, adds to a choice."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None
    extra_content: dict[str, Any] | None = None
    images: list[dict[str, Any]] | None = None
    audio: Audio | None = None


class Choice(msgspec.Struct):
    """One choice of a chunk."""

    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    logprobs: dict[str, Any] | None = None
    usage: msgspec.Raw = msgspec.Raw()


class Chunk(Head):
    """One chunk, or one whole completion."""

    choices: list[Choice] | None = None
    id: str | None = None
    created: int | None = None


class LeanArguments(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """More arguments of a call, and nothing else."""

    arguments: str
    name: None = None


class LeanCall(msgspec.Struct, gc=False):
    """More of a call that was named before."""

    index: int
    function: LeanArguments
    id: None = None
    extra_content: None = None
    custom: None = None


class LeanDelta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What nearly every event is: more of one thing, and nothing else."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[LeanCall] | None = None
    role: str | None = None
    refusal: None = None
    function_call: None = None


class _LeanChoice(msgspec.Struct, gc=False):
    delta: LeanDelta
    index: Literal[0] = 0
    finish_reason: None = None
    logprobs: None = None
    usage: None = None


class _LeanChunk(msgspec.Struct, gc=False):
    choices: list[_LeanChoice]
    usage: None = None
    x_groq: None = None
    error: None = None
    object: Literal["chat.completion.chunk"] | None = None


class _OddFunction(msgspec.Struct):
    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()


class _OddCall(msgspec.Struct):
    index: Any = None
    id: Any = None
    function: _OddFunction | None = None
    custom: Custom | None = None
    extra_content: Any = None


class _OddDelta(msgspec.Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: list[_OddCall] | _OddCall | None = None
    function_call: _OddFunction | None = None
    reasoning_details: Any = None
    annotations: Any = None
    extra_content: Any = None
    images: Any = None


class _OddChoice(msgspec.Struct):
    index: Any = None
    delta: _OddDelta | None = None
    message: _OddDelta | None = None
    finish_reason: Any = None
    logprobs: Any = None
    usage: msgspec.Raw = msgspec.Raw()


class _OddChunk(msgspec.Struct):
    choices: list[_OddChoice] | None = None
    id: Any = None
    created: Any = None
    model: Any = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()
    detail: msgspec.Raw = msgspec.Raw()
    msg: msgspec.Raw = msgspec.Raw()
    x_groq: msgspec.Raw = msgspec.Raw()
    object: Any = None
    service_tier: msgspec.Raw = msgspec.Raw()


_chunk = msgspec.json.Decoder(Chunk)
_lean_chunk = msgspec.json.Decoder(_LeanChunk)
_odd_chunk = msgspec.json.Decoder(_OddChunk)
_string = msgspec.json.Decoder(str)


def read_chunk(data: bytes) -> Chunk | None:
    """Return a chunk or a whole completion; None for what is neither."""
    try:
        return _chunk.decode(data)
    except FAULTS:
        pass
    try:
        return decode(_chunk, data)
    except FAULTS:
        pass
    try:
        return _evened(decode(_odd_chunk, data))
    except FAULTS:
        return None


def read_lean(data: bytes) -> LeanDelta | None:
    """Return the delta of a chunk that brings more of choice 0 and nothing else; None for any other."""
    try:
        choices = _lean_chunk.decode(data).choices
    except FAULTS:
        return None
    return choices[0].delta if len(choices) == 1 else None


def _evened(odd: _OddChunk) -> Chunk:
    choices = None
    if odd.choices is not None:
        choices = [even for place, one in enumerate(odd.choices) for even in _choices(one, place)]
    return Chunk(
        choices=choices,
        id=_text(odd.id),
        created=odd.created if isinstance(odd.created, int) else None,
        model=_text(odd.model),
        usage=odd.usage,
        error=odd.error,
        errors=odd.errors,
        detail=odd.detail,
        msg=odd.msg,
        x_groq=odd.x_groq,
        object=_text(odd.object),
        service_tier=odd.service_tier,
    )


def _choices(odd: _OddChoice, place: int) -> list[Choice]:
    """Return a choice as one for each part of its content, so that thinking and text keep their order."""
    index = odd.index if isinstance(odd.index, int) else place
    deltas = _deltas(odd.delta or odd.message or _OddDelta())
    choices = [Choice(index, delta) for delta in deltas]
    choices[-1].finish_reason = _text(odd.finish_reason)
    choices[-1].logprobs = odd.logprobs if isinstance(odd.logprobs, dict) else None
    choices[-1].usage = odd.usage
    return choices


def _deltas(odd: _OddDelta) -> list[Delta]:
    said = [] if not isinstance(odd.content, list) else [_part(one) for one in odd.content]
    calls = odd.tool_calls if isinstance(odd.tool_calls, list) else [odd.tool_calls] if odd.tool_calls else None
    rest = Delta(
        content=_text(odd.content),
        reasoning_content=_text(odd.reasoning_content),
        reasoning=_text(odd.reasoning),
        refusal=_text(odd.refusal),
        tool_calls=None if calls is None else [_call(call) for call in calls],
        function_call=None if odd.function_call is None else _function(odd.function_call),
        reasoning_details=_objects(odd.reasoning_details),
        annotations=_objects(odd.annotations),
        extra_content=odd.extra_content if isinstance(odd.extra_content, dict) else None,
        images=_objects(odd.images),
    )
    return [*said, rest]


def _part(part: object) -> Delta:
    """Return one part of a content list as what it adds (D48)."""
    if isinstance(part, str):
        return Delta(content=part)
    if not isinstance(part, dict):
        return Delta()
    if part.get("type") in ("thinking", "reasoning"):
        inner = part.get("thinking", part.get("text"))
        if isinstance(inner, list):
            inner = "".join(str(one.get("text", "")) for one in inner if isinstance(one, dict))
        return Delta(reasoning=_text(inner))
    if part.get("type") == "refusal":
        return Delta(refusal=_text(part.get("refusal")))
    return Delta(content=_text(part.get("text")))


def _call(odd: _OddCall) -> Call:
    return Call(
        index=odd.index if isinstance(odd.index, int) else None,
        id=_text(odd.id),
        function=None if odd.function is None else _function(odd.function),
        custom=odd.custom,
        extra_content=odd.extra_content if isinstance(odd.extra_content, dict) else None,
    )


def _function(odd: _OddFunction) -> Function:
    """Return a function whose arguments are text; an object becomes its own text, as the model wrote it (D10)."""
    raw = bytes(odd.arguments)
    if raw in (b"", b"null"):
        return Function(odd.name)
    if raw.startswith(b'"'):
        return Function(odd.name, decode(_string, raw))
    return Function(odd.name, raw.decode(errors="replace"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _objects(value: object) -> list[dict[str, Any]] | None:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else None
