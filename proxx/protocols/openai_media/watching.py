"""Answers of OpenAI's endpoints beside chat, read while their bytes pass by: errors, ends and usage.

What comes may be events, JSON or bare bytes (sound, text), whatever was asked for: the first bytes tell, as some models
ignore the wish for a stream.
"""

from typing import Any

import msgspec
import orjson

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.sse import FrameTooLarge, event_of
from proxx.protocols.hub.counts import count, doubtful, raw_tier
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.hub.openai_errors import error_object
from proxx.protocols.passthrough import DONE, SseWatch, with_data
from proxx.protocols.spec import Seen, Watch

HEARTBEAT = b": keepalive\n\n"
DONE_FRAME = b"data: [DONE]\n\n"
JSON_LIMIT = 256 * 1024 * 1024  # bytes of a whole answer where a stream was asked for: it is read before it passes

_NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what imitators write where there is nothing
_ENDS = (".completed", ".done")
_PICTURE_ENDS = ("image_generation.completed", "image_edit.completed")
_HEAD = 4096  # bytes in which the first picture of a list names itself: prompts may stand before it
_EVENT_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")


class _Said(msgspec.Struct):
    """What of an event or a whole body matters; all else is only passed on."""

    error: msgspec.Raw = msgspec.Raw()
    usage: msgspec.Raw = msgspec.Raw()
    type: str | None = None
    object: str | None = None
    model: str | None = None
    choices: list[dict[str, msgspec.Raw]] | None = None
    data: msgspec.Raw = msgspec.Raw()
    service_tier: msgspec.Raw = msgspec.Raw()


class _Picture(msgspec.Struct):
    b64_json: msgspec.Raw = msgspec.Raw()
    url: msgspec.Raw = msgspec.Raw()


_said = msgspec.json.Decoder(_Said)
_anything = msgspec.json.Decoder()
_pictures = msgspec.json.Decoder(list[_Picture])


def write_error(facts: ErrorFacts) -> bytes:
    """Write the error envelope of a whole answer."""
    return orjson.dumps({"error": error_object(facts)})


def write_stream_error(facts: ErrorFacts) -> bytes:
    """Write an error into an event stream that has begun."""
    return b"data: " + write_error(facts) + b"\n\n"


def watch_completions(*, strip_usage: bool, rename: str = "") -> SseWatch:
    """Watch the stream of a legacy completion, which ends and tells its usage as a chat does."""
    name = msgspec.json.encode(rename) if rename else b""

    def judge(seen: Seen, frame: bytes, data: bytes) -> bytes:
        if data == DONE:
            seen.ended = seen.finished = seen.spoke or seen.finished
            return frame if seen.ended else b""
        said = _read(seen, frame, data)
        if said is None or seen.error is not None:
            return b"" if seen.malformed else frame
        for choice in said.choices or ():
            seen.spoke = True
            seen.finished = seen.finished or bytes(choice.get("finish_reason", b"")) not in _NOTHING
        if strip_usage and said.choices == [] and bytes(said.usage).startswith(b"{"):
            return b""
        return with_data(frame, data, replaced(data, b"model", name)) if name and said.model is not None else frame

    return SseWatch(judge, fail=write_stream_error, completion=DONE_FRAME)


def watch_events() -> SseWatch:
    """Watch a stream of pictures, sound or words heard: events with types, of which the last says that it is."""

    def judge(seen: Seen, frame: bytes, data: bytes) -> bytes:
        if data == DONE:
            seen.ended = seen.spoke
            return frame
        said = _read(seen, frame, data)
        if said is not None and seen.error is None:
            seen.spoke = True
            seen.finished = seen.finished or str(said.type).endswith(_ENDS)
        return b"" if seen.malformed else frame

    return SseWatch(judge, fail=write_stream_error, completion=b"")


class MediaWatch:
    """Watch an answer of any form."""

    __slots__ = ("_held", "_inner", "_is_json", "seen")

    def __init__(self, *, strip_usage: bool = False, rename: str = "", form: str = "") -> None:
        self.seen = Seen()
        self._inner: Watch | None = None
        self._held = b""
        self._is_json = False

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return those that may be forwarded now."""
        if self._inner is not None:
            return self._inner.feed(piece)
        if self.seen.raw:
            return piece
        self._held += piece
        if len(self._held) > JSON_LIMIT:
            raise FrameTooLarge(f"an answer of more than {JSON_LIMIT} bytes")
        start = self._held[:64].lstrip()
        if self._is_json or len(start) < len(_EVENT_STARTS[1]):
            return b""
        if start.startswith(_EVENT_STARTS):
            self._inner = watch_events()
            self.seen = self._inner.seen
            return self._inner.feed(self._held)
        self._is_json = start.startswith(b"{")
        return b"" if self._is_json else self._bare()

    def close(self) -> bytes:
        """Say that the upstream has ended, and ended well; return what was held back."""
        if self._inner is not None:
            return self._inner.close()
        if self.seen.raw:
            self.seen.finished = self.seen.ended = True
            return b""
        found = watch_whole(self._held)
        self.seen.error, self.seen.malformed, self.seen.usage = found.error, found.malformed, found.usage
        if not found.spoke:
            return b""
        told = self._bare()
        self.seen.finished = self.seen.ended = True
        return told

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends an event stream; bare bytes have no words for it."""
        return self._inner.fail(facts) if self._inner is not None else b""

    def _bare(self) -> bytes:
        self.seen.raw = self.seen.spoke = True
        self.seen.frames += 1
        return self._held


def watch_whole(body: bytes) -> Seen:
    """Read a whole answer: JSON, or a text."""
    seen = Seen()
    if body.lstrip()[:1] != b"{":
        seen.spoke = bool(body)
    elif _read(seen, b"", body) is not None and seen.error is None:
        seen.spoke = body.strip() != b"{}"
    seen.finished = seen.ended = seen.spoke
    return seen


def watch_json(body: bytes) -> Seen:
    """Read a whole answer that must be JSON."""
    if body.lstrip()[:1] == b"{" or not body.strip():
        return watch_whole(body) if body.strip() else Seen()
    return Seen(malformed="a body that is not JSON")


def read_usage(raw: bytes) -> Usage | None:
    """Read a usage object in any of OpenAI's spellings; None if it counts no tokens."""
    try:
        read = decode(_anything, raw)
    except FAULTS:
        return None
    if not isinstance(read, dict):
        return None
    inner = _object(read, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    outer = _object(read, "completion_tokens_details", "output_tokens_details", "output_token_details")
    into = count(read.get("prompt_tokens", read.get("input_tokens")))
    out = count(read.get("completion_tokens", read.get("output_tokens")))
    odd = doubtful(read, inner, outer)
    if into is None and out is None:
        return Usage(doubtful=True) if odd else None
    return Usage(
        input_total=into,
        output_total=out,
        cache_read=count(inner.get("cached_tokens")),
        reasoning=count(outer.get("reasoning_tokens")),
        audio_in=count(inner.get("audio_tokens")),
        audio_out=count(outer.get("audio_tokens")),
        image_in=count(inner.get("image_tokens")),
        image_out=count(outer.get("image_tokens")),
        doubtful=odd,
    )


def _read(seen: Seen, frame: bytes, data: bytes) -> _Said | None:
    try:
        said = decode(_said, data)
    except FAULTS:
        seen.malformed = "an event that is none of this endpoint" if frame else "a body that is not JSON"
        return None
    if (
        bytes(said.error) not in _NOTHING
        or "error" in (said.object, said.type)
        or (frame and event_of(frame) == b"error")
    ):
        seen.error = _error(bytes(said.error), data)
    else:
        before = (seen.usage.pictures if seen.usage else 0) or 0
        if bytes(said.usage) not in _NOTHING:
            seen.usage = read_usage(bytes(said.usage)) or seen.usage
        if drawn := _drawn(said):
            seen.usage = _with_pictures(seen.usage, before + drawn)
        if seen.usage is not None and (tier := raw_tier(bytes(said.service_tier))):
            seen.usage = msgspec.structs.replace(seen.usage, tier=tier)
    return said


def _drawn(said: _Said) -> int:
    """Return how many pictures a whole answer holds, or an event brings to their end."""
    if said.type is not None and said.type.endswith(_PICTURE_ENDS):
        return 1
    raw = bytes(said.data)
    if b'"b64_json"' not in raw[:_HEAD] and b'"url"' not in raw[:_HEAD]:
        return 0
    try:
        found = decode(_pictures, raw)
    except FAULTS:
        return 0
    return sum(bytes(one.b64_json) not in _NOTHING or bytes(one.url) not in _NOTHING for one in found)


def _with_pictures(usage: Usage | None, pictures: int) -> Usage:
    """Count pictures; where tokens are counted, too, those of the answer are the pictures'."""
    usage = usage or Usage()
    image_out = usage.output_total if usage.image_out is None else usage.image_out
    return msgspec.structs.replace(usage, pictures=pictures, image_out=image_out)


def _error(raw: bytes, data: bytes) -> dict[str, object]:
    try:
        found = decode(_anything, raw if raw not in _NOTHING else data)
    except FAULTS:
        found = None
    return found if isinstance(found, dict) else {"message": str(found or "The provider reported an error.")}


def _object(read: dict[str, Any], *names: str) -> dict[str, Any]:
    return next((read[name] for name in names if isinstance(read.get(name), dict)), {})
