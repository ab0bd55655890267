"""The same dialect on both sides: an event stream passes in its own bytes, and what it says is noted on the way.

What a dialect's events mean is its own: it brings a judge, which is asked once for each event that has data. Framing,
ends, what may pass after an error, and bytes that are no event are the same for all and stand here.

Once an answer speaks, nearly every event is one line that brings more of it and nothing else. What decodes as just that
is quiet: it is forwarded at once, a third of the way that everything else takes.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.sse import FrameCutter, data_of, frames
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.spec import Seen

Judge = Callable[[Seen, bytes, bytes], bytes]

DONE = b"[DONE]"

_NEWLINE: Final = 10
_LOUD_LIMIT: Final = 8  # so many events with more than content, and this provider's are no longer tried as quiet ones

# A frame without data may hold comments and the fields that carry no answer, in text that a client can decode.
_HARMLESS = re.compile(rb"(?:(?::[^\x00-\x08\x80-\xff]*?|(?:event|id|retry|data):[ -~]*)?(?:\r\n|\n|\r))*")
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_anything = msgspec.json.Decoder(msgspec.Raw)


class SseWatch:
    """Watch one event stream.

    `judge(seen, frame, data)` writes into `seen` what the event says (error, malformed, spoke, finished, ended, usage)
    and returns the bytes to forward: usually `frame` itself, nothing for what the client must not see. `data` is the
    event's data, stripped; `event_of(frame)` its name. `fail` writes the error that ends a stream. `completion` is what
    a stream that finished but lacks its end mark is completed with, possibly nothing; None says that without its end
    mark an answer of this dialect is not whole.

    `quiet` decodes the data of an event that brings content and nothing else, and of no other; `quiet_head` is what
    such an event begins with, up to its data. Without it every event is judged.
    """

    __slots__ = ("_completion", "_cutter", "_fail", "_head", "_judge", "_loud", "_quiet", "seen")

    def __init__(
        self,
        judge: Judge,
        *,
        fail: Callable[[ErrorFacts], bytes],
        completion: bytes | None = None,
        quiet: "msgspec.json.Decoder[Any] | None" = None,
        quiet_head: bytes = b"data: ",
    ) -> None:
        self.seen = Seen()
        self._cutter = FrameCutter()
        self._judge = judge
        self._fail = fail
        self._completion = completion
        self._quiet = quiet
        self._head = quiet_head
        self._loud = 0 if quiet is not None else _LOUD_LIMIT

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return whole frames to forward, nothing after the end mark or after nonsense."""
        seen = self.seen
        if seen.ended or seen.malformed:
            return b""
        if (
            self._loud < _LOUD_LIMIT
            and seen.spoke
            and not seen.finished
            and seen.error is None
            and self._is_quiet(piece)
        ):
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
        seen, tail = self.seen, b""
        if self._cutter.rest.strip() and not seen.ended:
            tail = self._last(self._cutter.rest)
        if self._completion is not None and seen.finished and not seen.ended and seen.error is None:
            seen.ended = True
            return tail + self._completion
        return tail

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        return self._fail(facts)

    def _is_quiet(self, piece: bytes) -> bool:
        head = self._head
        if (
            self._cutter.held
            or not piece.startswith(head)
            or piece.find(b"\n", len(head)) != len(piece) - 2
            or piece[-1] != _NEWLINE
            or b"\r" in piece
        ):
            return False
        try:
            self._quiet.decode(piece[len(head) : -2])  # type: ignore[union-attr]
        except FAULTS:
            self._loud += 1
            return False
        return True

    def _last(self, rest: bytes) -> bytes:
        data = data_of(rest).strip()
        if data != DONE and not _is_json(data):
            return b""
        return self._judged(rest.rstrip(b"\r\n") + b"\n\n")

    def _judged(self, frame: bytes) -> bytes:
        seen = self.seen
        if seen.ended or seen.malformed or seen.error is not None:
            return b""
        data = data_of(frame).strip()
        if data:
            seen.frames += 1
            return self._judge(seen, frame, data)
        if not is_harmless(frame):
            seen.malformed = "bytes that are no event"
            return b""
        return frame


def is_harmless(frame: bytes) -> bool:
    """Tell whether a frame without data is comments and fields without meaning, not bytes that are no event."""
    return _HARMLESS.fullmatch(frame) is not None


def with_data(frame: bytes, data: bytes, new: bytes) -> bytes:
    """Return the frame with other data and all its other lines as they were: it may name its event, or carry an id."""
    if data in frame:
        return frame.replace(data, new, 1)
    lines = _LINE_END.split(frame.removeprefix(_BOM))
    others = [line for line in lines if line and line != b"data" and not line.startswith(b"data:")]
    return b"\n".join([*others, *(b"data: " + line for line in new.split(b"\n"))]) + b"\n\n"


def _is_json(data: bytes) -> bool:
    try:
        decode(_anything, data)
    except FAULTS:
        return False
    return True
