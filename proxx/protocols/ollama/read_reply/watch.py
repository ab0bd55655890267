"""Watching an Ollama reply while its bytes pass by."""

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.members import Unclear, replaced
from proxx.protocols.framing.ndjson import LineCutter, lines
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.ollama.read_reply.line import NO_LINE, NOTHING, Mark, error_of, usage_of
from proxx.protocols.ollama.write_reply import write_stream_error
from proxx.protocols.spec import Seen

_SAYING = ("content", "thinking", "tool_calls", "images")


class _Line(Mark):
    """A line that passes: what it says stays raw, whatever else stands in it may be new."""

    message: dict[str, msgspec.Raw] | None = None
    response: msgspec.Raw = msgspec.Raw()
    thinking: msgspec.Raw = msgspec.Raw()
    tool_calls: msgspec.Raw = msgspec.Raw()


_line = msgspec.json.Decoder(_Line)


class StreamWatch:
    """Watch one stream of lines; `rename` puts that model into each. Counts are never kept back: every client of this
    dialect gets them, so `strip_usage` is nothing here, and `form` changes nothing either."""

    __slots__ = ("_cutter", "_rename", "seen")

    def __init__(self, *, strip_usage: bool = False, rename: str = "", form: str = "") -> None:
        self.seen = Seen()
        self._cutter = LineCutter()
        self._rename = msgspec.json.encode(rename) if rename else b""

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return whole lines to forward, no blank ones, none after the last (D135, D147)."""
        if self.seen.ended or self.seen.malformed:
            return b""
        block = self._cutter.feed(piece)
        if not block:
            return b""
        if block.find(b"\n") == len(block) - 1:  # the usual case: one line a read
            return self._judged(block) if block.strip() else b""
        return b"".join([self._judged(line) for line in lines(block)])

    def close(self) -> bytes:
        """Judge a last line that lacks its end. There is no end mark to add: only `done` says that all was said."""
        rest = self._cutter.rest.strip()
        if rest and not self.seen.ended and _read(rest) is not None:
            return self._judged(rest + b"\n")
        return b""

    def fail(self, facts: ErrorFacts) -> bytes:
        """Return the error that ends the stream."""
        return write_stream_error(facts)

    def _judged(self, data: bytes) -> bytes:
        seen = self.seen
        if seen.ended or seen.malformed or seen.error is not None:
            return b""
        line = _read(data)
        if line is None:
            seen.malformed = NO_LINE
            return b""
        seen.frames += 1
        note(seen, line)
        if self._rename and line.model is not None and seen.error is None:
            return self._renamed(data)
        return data

    def _renamed(self, data: bytes) -> bytes:
        try:
            return replaced(data, b"model", self._rename)
        except (Unclear, *FAULTS):  # the model's name in escapes, or in a line nested too deeply
            self.seen.malformed = NO_LINE
            return b""


def watch_whole(body: bytes) -> Seen:
    """Read a whole reply."""
    seen = Seen()
    line = _read(body)
    if line is None:
        seen.malformed = NO_LINE if body.strip() else ""
        return seen
    note(seen, line)
    seen.finished = seen.ended = seen.spoke
    return seen


def note(seen: Seen, line: _Line) -> None:
    """Write into `seen` what one line says."""
    seen.error = error_of(line)
    if seen.error is not None:
        return
    if line.done:
        seen.spoke = seen.finished = seen.ended = True
        seen.finish = line.done_reason or ""
        seen.usage = usage_of(line)
    elif not seen.spoke:
        seen.spoke = _speaks(line)


def _speaks(line: _Line) -> bool:
    said = [line.response, line.thinking, line.tool_calls]
    if line.message is not None:
        said += [line.message[name] for name in _SAYING if name in line.message]
    return any(bytes(one) not in NOTHING for one in said)


def _read(data: bytes) -> _Line | None:
    try:
        return decode(_line, data)
    except FAULTS:
        return None
