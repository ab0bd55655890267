"""What a chat completions reply says, read while its bytes pass by.

Each event goes through a typed decoder that keeps only what is asked for here (1 µs; searching the bytes for what might
matter took 8) and is forwarded in its own bytes.
"""

import re
from typing import Any, Final, Literal

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.sse import FrameCutter, data_of, event_of, frames
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.openai_chat.write_reply import write_stream_error
from proxx.protocols.spec import Seen

DONE = b"[DONE]"
DONE_FRAME = b"data: [DONE]\n\n"

# A frame without data may hold comments and the fields that carry no answer, in text that a client can decode.
_HARMLESS = re.compile(rb"(?:(?::[^\x00-\x08\x80-\xff]*?|(?:event|id|retry|data):[ -~]*)?(?:\r\n|\n|\r))*")
_NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what imitators write where there is nothing
_NEWLINE: Final = 10
_LOUD_LIMIT: Final = 8  # so many chunks with more than content, and this provider's are no longer tried as quiet ones
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


class StreamWatch:
    """Watch one event stream: `strip_usage` keeps the usage-only chunk back, `rename` puts that model into each
    chunk."""

    __slots__ = ("_cutter", "_loud", "_rename", "_strip", "seen")

    def __init__(self, *, strip_usage: bool, rename: str = "") -> None:
        self.seen = Seen()
        self._cutter = FrameCutter()
        self._strip = strip_usage
        self._rename = msgspec.json.encode(rename) if rename else b""
        self._loud = _LOUD_LIMIT if rename else 0

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return whole frames to forward, nothing after the end mark or after nonsense."""
        seen = self.seen
        if seen.ended or seen.malformed:
            return b""
        if self._loud < _LOUD_LIMIT and seen.spoke and not seen.finished and self._is_quiet(piece):
            seen.frames += 1
            return piece
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

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        return write_stream_error(facts)

    def _is_quiet(self, piece: bytes) -> bool:
        """Tell whether this is exactly one event, of one line, with content alone: nearly all of a stream is. A third
        of the way that everything else takes."""
        if (
            self._cutter.rest
            or self.seen.error is not None
            or not piece.startswith(b"data: {")
            or piece.find(b"\n") != len(piece) - 2
            or piece[-1] != _NEWLINE
            or b"\r" in piece
        ):
            return False
        try:
            _quiet_chunk.decode(piece[6:-2])
        except FAULTS:
            self._loud += 1
            return False
        return True

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
        if event_of(frame) == b"error":
            self.seen.error = _error_of(chunk, data)
            return frame
        note(self.seen, chunk, data)
        if self._strip and chunk.choices == [] and bytes(chunk.usage).startswith(b"{"):
            return b""
        if self._rename and chunk.model is not None:
            # In place: the frame may name its event, or carry an id.
            return frame.replace(data, replaced(data, b"model", self._rename), 1)
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
