"""What a chat completions reply says, read while its bytes pass by.

Each event goes through a typed decoder that keeps only what is asked for here (1 µs; searching the bytes for what might
matter took 8) and is forwarded in its own bytes.
"""

import re
from typing import Any

import msgspec

from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.sse import FrameCutter, data_of, frames
from proxx.protocols.hub.events import Usage
from proxx.protocols.spec import Seen

DONE = b"[DONE]"
DONE_FRAME = b"data: [DONE]\n\n"

# A frame without data may hold comments and the fields that carry no answer, in text that a client can decode.
_HARMLESS = re.compile(rb"(?:(?::[^\x00-\x08\x80-\xff]*?|(?:event|id|retry|data):[ -~]*)?(?:\r\n|\n|\r))*")
_ASSISTANT_PARTS = ("content", "tool_calls", "function_call", "reasoning_content", "reasoning", "refusal", "audio")


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: int | None = None


class _Choice(msgspec.Struct):
    delta: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    detail: Any = None
    object: str | None = None
    model: str | None = None


_chunk = msgspec.json.Decoder(_Chunk)
_anything = msgspec.json.Decoder()


class StreamWatch:
    """Watch one event stream: `strip_usage` keeps the usage-only chunk back, `rename` puts that model into each
    chunk."""

    __slots__ = ("_cutter", "_rename", "_strip", "seen")

    def __init__(self, *, strip_usage: bool, rename: str = "") -> None:
        self.seen = Seen()
        self._cutter = FrameCutter()
        self._strip = strip_usage
        self._rename = msgspec.json.encode(rename) if rename else b""

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return whole frames to forward, nothing after the end mark or after nonsense."""
        if self.seen.ended or self.seen.malformed:
            return b""
        block = self._cutter.feed(piece)
        if not block:
            return b""
        if block.find(b"\n\n") == len(block) - 2:  # the usual case: one event a read
            return self._judged(block)
        return b"".join([self._judged(frame) for frame in frames(block)])

    def close(self) -> bytes:
        """Judge a last frame that lacks its blank line, and return the end mark if only that is missing."""
        tail = b""
        if self._cutter.rest.strip() and not self.seen.ended:
            tail = self._last(self._cutter.rest)
        if self.seen.finished and not self.seen.ended and self.seen.error is None:
            self.seen.ended = True
            return tail + DONE_FRAME
        return tail

    def _last(self, rest: bytes) -> bytes:
        data = data_of(rest)
        if data.strip() != DONE and _decoded(data) is None:
            return b""
        return self._judged(rest.rstrip(b"\r\n") + b"\n\n")

    def _judged(self, frame: bytes) -> bytes:
        data = data_of(frame).strip()
        if self.seen.ended or self.seen.malformed or self.seen.error is not None:
            return b""
        if not data:
            return self._without_data(frame)
        self.seen.frames += 1
        if data == DONE:
            self.seen.ended = self.seen.finished = self.seen.spoke or self.seen.finished
            return frame if self.seen.ended else b""
        chunk = _decoded(data)
        if chunk is None:
            self.seen.malformed = "an event that is not a chat completion chunk"
            return b""
        note(self.seen, chunk, data)
        if self._strip and chunk.usage is not None and chunk.choices == []:
            return b""
        if self._rename and chunk.model is not None:
            return b"data: " + replaced(data, b"model", self._rename) + b"\n\n"
        return frame

    def _without_data(self, frame: bytes) -> bytes:
        if _HARMLESS.fullmatch(frame) is None:
            self.seen.malformed = "bytes that are no event"
            return b""
        return frame


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
    if chunk.model:
        seen.model = chunk.model
    if chunk.error is not None or chunk.object == "error" or (chunk.detail is not None and chunk.choices is None):
        seen.error = _error_of(chunk, data)
        return
    for choice in chunk.choices or ():
        if choice.finish_reason:
            seen.finished = seen.spoke = True
        elif not seen.spoke:
            seen.spoke = _speaks(choice)
    if chunk.usage is not None:
        seen.usage = _read_usage(chunk.usage) or seen.usage


def _speaks(choice: _Choice) -> bool:
    said = choice.delta or choice.message or {}
    return bool(choice.text) or any(said.get(part) for part in _ASSISTANT_PARTS)


def _error_of(chunk: _Chunk, data: bytes) -> dict[str, object]:
    """Return an error in any of the shapes that imitators use: error object or text, object "error", detail."""
    found = chunk.error if chunk.error is not None else chunk.detail
    if found is None:
        found = _anything.decode(data)
    return found if isinstance(found, dict) else {"message": str(found)}


def _read_usage(raw: object) -> Usage | None:
    try:
        read = msgspec.convert(raw, _Usage)
    except msgspec.ValidationError:
        return None
    into, out = read.prompt_tokens_details or _Details(), read.completion_tokens_details or _Details()
    cache_read = into.cached_tokens if into.cached_tokens is not None else read.prompt_cache_hit_tokens
    return Usage(
        input_total=_count(read.prompt_tokens),
        output_total=_count(read.completion_tokens),
        cache_read=_count(cache_read),
        cache_write=_count(into.cache_write_tokens),
        reasoning=_count(out.reasoning_tokens),
    )


def _count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number < 2**40 else None


def _decoded(data: bytes) -> _Chunk | None:
    try:
        return _chunk.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return None
