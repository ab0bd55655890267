"""What a chat completions reply says, read while its bytes pass by.

Each event goes through a typed decoder that keeps only what is asked for here (1 µs; searching the bytes for what might
matter took 8) and is forwarded in its own bytes.
"""

from typing import Literal

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.sse import event_of
from proxx.protocols.openai_chat.read_reply.errors import NOTHING, Head, error_of, is_error, usage_in
from proxx.protocols.openai_chat.read_reply.usage import read_usage
from proxx.protocols.openai_chat.write_reply import write_stream_error
from proxx.protocols.passthrough import DONE, SseWatch, with_data
from proxx.protocols.spec import Seen

DONE_FRAME = b"data: [DONE]\n\n"

_ASSISTANT_PARTS = ("content", "tool_calls", "function_call", "reasoning_content", "reasoning", "refusal", "audio")


class _Choice(msgspec.Struct):
    delta: dict[str, msgspec.Raw] | None = None  # raw: half a character may stand in one event, the rest in the next
    message: dict[str, msgspec.Raw] | None = None
    text: msgspec.Raw = msgspec.Raw()
    finish_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


class _Chunk(Head):
    choices: list[_Choice] | None = None


class _Something(msgspec.Struct, gc=False):
    """An object, whatever it holds."""


class _QuietChoice(msgspec.Struct, gc=False):
    delta: _Something | None = None
    message: None = None
    finish_reason: None = None
    usage: None = None


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
_listed = msgspec.json.Decoder(list[_Chunk])


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
            seen.error = error_of(chunk, data)
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
    chunk = _decoded(body) or _error_list(body)
    if chunk is None:
        seen.malformed = "a body that is not a chat completion" if body.strip() else ""
        return seen
    note(seen, chunk, body)
    seen.finished = seen.ended = seen.spoke
    return seen


def note(seen: Seen, chunk: _Chunk, data: bytes) -> None:
    """Write into `seen` what one chunk, or one whole completion, says."""
    if is_error(chunk, answers=chunk.choices is not None):
        seen.error = error_of(chunk, data)
        return
    for choice in chunk.choices or ():
        if choice.finish_reason:
            seen.finished = seen.spoke = True
            seen.finish = choice.finish_reason
        elif not seen.spoke:
            seen.spoke = _speaks(choice)
        if bytes(choice.usage) not in NOTHING:
            seen.usage = read_usage(bytes(choice.usage), seen.usage)
    raw = usage_in(chunk)
    if raw not in NOTHING:
        seen.usage = read_usage(raw, seen.usage, bytes(chunk.service_tier))


def _speaks(choice: _Choice) -> bool:
    said = choice.delta or choice.message or {}
    return bytes(choice.text) not in NOTHING or any(
        part in said and bytes(said[part]) not in NOTHING for part in _ASSISTANT_PARTS
    )


def _decoded(data: bytes) -> _Chunk | None:
    try:
        return decode(_chunk, data)
    except FAULTS:
        return None


def _error_list(body: bytes) -> _Chunk | None:
    """Return the error in a list of one, as Google's surface writes it."""
    try:
        listed = decode(_listed, body)
    except FAULTS:
        return None
    return listed[0] if len(listed) == 1 and is_error(listed[0], answers=False) else None
