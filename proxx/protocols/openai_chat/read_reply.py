"""What a chat completions reply says, read while its bytes pass by.

Each event goes through a typed decoder that keeps only what is asked for here (1 µs; searching the bytes for what might
matter took 8) and is forwarded in its own bytes.
"""

from typing import Any, Literal

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.sse import event_of
from proxx.protocols.hub.events import Usage
from proxx.protocols.openai_chat.write_reply import write_stream_error
from proxx.protocols.passthrough import DONE, SseWatch, with_data
from proxx.protocols.spec import Seen

DONE_FRAME = b"data: [DONE]\n\n"

_NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what imitators write where there is nothing
_ASSISTANT_PARTS = ("content", "tool_calls", "function_call", "reasoning_content", "reasoning", "refusal", "audio")


class _Choice(msgspec.Struct):
    delta: dict[str, msgspec.Raw] | None = None  # raw: half a character may stand in one event, the rest in the next
    message: dict[str, msgspec.Raw] | None = None
    text: msgspec.Raw = msgspec.Raw()
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    detail: msgspec.Raw = msgspec.Raw()
    object: str | None = None
    model: str | None = None


class _Something(msgspec.Struct, gc=False):
    """An object, whatever it holds."""


class _QuietChoice(msgspec.Struct, gc=False):
    delta: _Something | None = None
    message: None = None
    finish_reason: None = None


class _QuietChunk(msgspec.Struct, gc=False):
    """A chunk that brings content and nothing else: what decodes as this needs no second look."""

    choices: list[_QuietChoice]
    usage: None = None
    error: None = None
    detail: None = None
    object: Literal["chat.completion.chunk"] | None = None
    model: str | None = None


_chunk = msgspec.json.Decoder(_Chunk)
_quiet_chunk = msgspec.json.Decoder(_QuietChunk)
_anything = msgspec.json.Decoder()


def watch_stream(*, strip_usage: bool, rename: str = "") -> SseWatch:
    """Watch one event stream: `strip_usage` keeps the usage-only chunk back, `rename` puts that model into each
    chunk."""
    name = msgspec.json.encode(rename) if rename else b""

    def judge(seen: Seen, frame: bytes, data: bytes) -> bytes:
        if data == DONE:
            seen.ended = seen.finished = seen.spoke or seen.finished
            return frame if seen.ended else b""
        chunk = _decoded(data)
        if chunk is None:
            seen.malformed = "an event that is not a chat completion chunk"
            return b""
        if event_of(frame) == b"error":
            seen.error = _error_of(chunk, data)
            return frame
        note(seen, chunk, data)
        if strip_usage and chunk.choices == [] and bytes(chunk.usage).startswith(b"{"):
            return b""
        if name and chunk.model is not None:
            return with_data(frame, data, replaced(data, b"model", name))
        return frame

    quiet = None if name else _quiet_chunk
    return SseWatch(judge, fail=write_stream_error, completion=DONE_FRAME, quiet=quiet)


def watch_whole(body: bytes) -> Seen:
    """Read a whole chat completion."""
    seen = Seen()
    chunk = _decoded(body)
    if chunk is None:
        seen.malformed = "a body that is not a chat completion" if body.strip() else ""
        return seen
    note(seen, chunk, body)
    seen.finished = seen.ended = seen.spoke
    return seen


def note(seen: Seen, chunk: _Chunk, data: bytes) -> None:
    """Write into `seen` what one chunk, or one whole completion, says."""
    if (
        bytes(chunk.error) not in _NOTHING
        or chunk.object == "error"
        or (chunk.choices is None and bytes(chunk.detail) not in _NOTHING)
    ):
        seen.error = _error_of(chunk, data)
        return
    for choice in chunk.choices or ():
        if choice.finish_reason:
            seen.finished = seen.spoke = True
        elif not seen.spoke:
            seen.spoke = _speaks(choice)
    if bytes(chunk.usage) not in _NOTHING:
        seen.usage = _read_usage(bytes(chunk.usage), seen.usage)


def _speaks(choice: _Choice) -> bool:
    said = choice.delta or choice.message or {}
    return bytes(choice.text) not in _NOTHING or any(
        part in said and bytes(said[part]) not in _NOTHING for part in _ASSISTANT_PARTS
    )


def _error_of(chunk: _Chunk, data: bytes) -> dict[str, object]:
    """Return an error in any of the shapes that imitators use: error object or text, object "error", detail."""
    raw = next((part for part in (bytes(chunk.error), bytes(chunk.detail)) if part not in _NOTHING), data)
    try:
        found = decode(_anything, raw)
    except FAULTS:
        found = None
    return found if isinstance(found, dict) else {"message": str(found or "The provider reported an error.")}


def _read_usage(raw: bytes, before: Usage | None) -> Usage | None:
    """Read one usage object; what it does not say keeps what an earlier one said."""
    try:
        read = decode(_anything, raw)
    except FAULTS:
        return before
    if not isinstance(read, dict):
        return before
    into, out = _object(read, "prompt_tokens_details"), _object(read, "completion_tokens_details")
    cached = into.get("cached_tokens", read.get("prompt_cache_hit_tokens"))
    told = {
        "input_total": _count(read.get("prompt_tokens")),
        "output_total": _count(read.get("completion_tokens")),
        "cache_read": _count(cached),
        "cache_write": _count(into.get("cache_write_tokens")),
        "reasoning": _count(out.get("reasoning_tokens")),
    }
    known = {name: number for name, number in told.items() if number is not None}
    if not known:
        return before
    return msgspec.structs.replace(before or Usage(), **known)


def _object(read: dict[str, Any], name: str) -> dict[str, Any]:
    found = read.get(name)
    return found if isinstance(found, dict) else {}


def _count(number: object) -> int | None:
    """Return a whole number that a token count can be; anything else is unknown, not believed."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    is_count = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**40
    return number if is_count else None  # type: ignore[return-value]


def _decoded(data: bytes) -> _Chunk | None:
    try:
        return decode(_chunk, data)
    except FAULTS:
        return None
