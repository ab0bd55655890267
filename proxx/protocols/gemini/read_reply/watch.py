"""The same dialect on both sides: what a Gemini reply says, read while its bytes pass by.

Upstreams are always asked for events. A client of the array form gets the same objects as elements of an array, each in
its own bytes. Only `data: {...}` is passed on, for Gemini's own clients stumble over comments, event names and [DONE].
Gemini has no end mark: an answer is whole when it gave a reason for its end, and then the connection ended.
"""

from typing import Any

import msgspec

from proxx.protocols.framing.json_array import ArrayWriter, NoArray
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.gemini.read_reply.cut import DONE, Cutter
from proxx.protocols.gemini.read_reply.usage import read_usage
from proxx.protocols.gemini.read_reply.wire import NOTHING, Chunk, Glance, GlancedCandidate, anything, chunk, glance
from proxx.protocols.gemini.write_reply.errors import error_object
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.spec import Seen

NO_OBJECT = "an event that is not a Gemini response"

COUNTED_EVERY = 16  # objects: each repeats the usage, and reading it costs as much as reading all the rest

_PLAIN_EXTRA = (len(b"data: \n\n"), len(b"data: \r\n\r\n"))  # what a frame has besides its data, if it has no more


class _Said(msgspec.Struct):
    parts: list[dict[str, msgspec.Raw]] | None = None


_said = msgspec.json.Decoder(_Said)


class StreamWatch:
    """Watch one stream: `rename` puts that model into each object, `form` "array" makes an array of them."""

    __slots__ = ("_array", "_cutter", "_finished", "_latest", "_rename", "_spoken", "seen")

    def __init__(self, *, strip_usage: bool = False, rename: str = "", form: str = "") -> None:
        # Usage is no event of its own here: there is nothing to strip.
        self.seen = Seen()
        self._cutter = Cutter()
        self._rename = msgspec.json.encode(rename) if rename else b""
        self._array = ArrayWriter() if form == "array" else None
        self._latest = msgspec.Raw()  # usage, as it was last said
        self._spoken: set[int] = set()
        self._finished: set[int] = set()

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return whole objects to forward, nothing after an error or after nonsense."""
        try:
            found = self._cutter.feed(piece)
        except NoArray:
            self.seen.malformed = NO_OBJECT
            return b""
        if len(found) == 1:
            return self._judged(*found[0])
        return b"".join([self._judged(frame, data) for frame, data in found])

    def close(self) -> bytes:
        """Judge a last event that lacks its blank line; end the array of a complete answer."""
        tail = b"".join([self._judged(frame, data) for frame, data in self._cutter.close() if _object_in(data)])
        self.seen.usage = read_usage(self._latest, self.seen.usage)
        if self.seen.finished and self.seen.error is None and not self.seen.malformed:
            self.seen.ended = True
            return tail + (self._array.end() if self._array else b"")
        return tail

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        return _framed(error_object(facts), self._array) + (self._array.end() if self._array else b"")

    def _judged(self, frame: bytes, data: bytes) -> bytes:
        seen = self.seen
        if seen.malformed or seen.error is not None or data == DONE:
            return b""
        seen.frames += 1
        try:
            found = decode(glance, data)
        except FAULTS:
            seen.malformed = NO_OBJECT
            return b""
        self._note(found)
        if self._rename and found.model is not None:
            frame, data = b"", replaced(data, b"modelVersion", self._rename)
        if self._array is not None:
            return self._array.element(data) + (self._array.end() if seen.error is not None else b"")
        if len(frame) - len(data) in _PLAIN_EXTRA and frame.startswith(b"data: "):
            return frame
        return _framed(data, None)

    def _note(self, found: Glance) -> None:
        seen = self.seen
        note_rest(seen, found)
        if found.usage:
            self._latest = found.usage
            if seen.frames % COUNTED_EVERY == 1:
                seen.usage = read_usage(found.usage, seen.usage)
        for candidate in found.candidates or ():
            index = candidate.index or 0
            self._spoken.add(index)
            if candidate.finish:
                self._finished.add(index)
                seen.finish = candidate.finish
                seen.spoke = True
                seen.usage = read_usage(found.usage, seen.usage)
            elif not seen.spoke:
                seen.spoke = speaks(candidate)
        if self._finished:
            seen.finished = self._finished == self._spoken


def watch_whole(body: bytes) -> Seen:
    """Read a whole reply, or the array that some send instead."""
    seen = Seen()
    objects = _objects(body)
    if objects is None:
        seen.malformed = "a body that is not a Gemini response" if body.strip() else ""
        return seen
    for found in objects:
        note_rest(seen, found)
        seen.usage = read_usage(found.usage, seen.usage)
        for candidate in found.candidates or ():
            seen.finish = candidate.finish or seen.finish
            seen.spoke = seen.spoke or bool(candidate.finish) or speaks(candidate)
    seen.finished = seen.ended = seen.spoke
    return seen


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole reply that names another model."""
    return replaced(body, b"modelVersion", msgspec.json.encode(model))


def note_rest(seen: Seen, found: Glance) -> None:
    """Write into `seen` what an object says besides its candidates."""
    if found.error and bytes(found.error) not in NOTHING:
        seen.error = error_of(bytes(found.error))
    if found.feedback is not None and found.feedback.block and not found.candidates:
        seen.spoke = seen.finished = True
        seen.finish = "refusal"


def speaks(candidate: GlancedCandidate) -> bool:
    """Tell whether a candidate holds something that a reader of the answer would notice."""
    content = bytes(candidate.content)
    if content in NOTHING:
        return False
    try:
        parts = decode(_said, content).parts
    except FAULTS:
        return True  # not what Gemini sends; the client may know better
    return any(_is_said(part) for part in parts or ())


def error_of(raw: bytes) -> dict[str, object]:
    """Return an error as an object, whatever shape it came in."""
    try:
        found: Any = decode(anything, raw)
    except FAULTS:
        found = None
    return found if isinstance(found, dict) else {"message": str(found or "The provider reported an error.")}


def _is_said(part: dict[str, msgspec.Raw]) -> bool:
    return any(
        name not in ("thought", "thoughtSignature") and bytes(value) not in NOTHING for name, value in part.items()
    )


def _objects(body: bytes) -> list[Glance] | None:
    try:
        if body.lstrip().startswith(b"["):
            decode(_chunks, body)
            return decode(_glances, body)
        decode(chunk, body)  # so that what a translation would stumble over is known before it begins
        return [decode(glance, body)]
    except FAULTS:
        return None


def _framed(data: bytes, array: ArrayWriter | None) -> bytes:
    if array is not None:
        return array.element(data)
    # An element of an array, or data of several lines: line ends can only stand between tokens.
    return b"data: " + (data.translate(None, b"\r\n") if b"\n" in data or b"\r" in data else data) + b"\r\n\r\n"


def _object_in(data: bytes) -> bool:
    try:
        decode(_raw, data)
    except FAULTS:
        return data == DONE
    return True


_glances = msgspec.json.Decoder(list[Glance])
_chunks = msgspec.json.Decoder(list[Chunk])
_raw = msgspec.json.Decoder(msgspec.Raw)
