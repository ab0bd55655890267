"""An Ollama reply -> events. Thinking, text and calls stand in fields of their own; each change of field is a new part.

Calls come whole and may lack an id; they get one from the call of the gateway and their place, so that it is the same
whenever the same answer is read.
"""

from datetime import datetime

from proxx.protocols.framing.ndjson import LineCutter, lines
from proxx.protocols.hub import ids
from proxx.protocols.hub.arguments import NoObject, object_of
from proxx.protocols.hub.events import (
    ArgsDelta,
    Broken,
    Ended,
    Event,
    Failed,
    Finished,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageReported,
)
from proxx.protocols.hub.reply import Reply, fold
from proxx.protocols.hub.target import Target
from proxx.protocols.ollama.read_reply.line import LOCAL, NO_LINE, Call, Line, error_of, read_line, usage_of

CUMULATIVE = "cumulative_lines"  # quirk: each line repeats all that was said before it (F-121)

_REASONS = {"stop": "stop", "length": "length", "": "stop", "content_filter": "content_filter"}


class Reader:
    """Read one stream of lines."""

    __slots__ = ("_calls", "_cumulative", "_cutter", "_id", "_open", "_over", "_parts", "_said", "_started")

    def __init__(self, target: Target, call_id: str) -> None:
        self._cutter = LineCutter()
        self._id = call_id
        self._cumulative = CUMULATIVE in target.quirks
        self._said = {"text": "", "reasoning": ""}  # filled only for upstreams that repeat themselves
        self._open = ""  # the kind of the open part
        self._parts = self._calls = 0
        self._started = self._over = False

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""
        if self._over:
            return []
        block = self._cutter.feed(piece)
        if not block:
            return []
        out: list[Event] = []
        for data in lines(block):
            self.read(data, out)
        return out

    def close(self) -> list[Event]:
        """Say that the upstream has ended; a last line may lack its end. Without `done` there is no `Ended`."""
        rest = self._cutter.rest.strip()
        out: list[Event] = []
        if rest and not self._over and read_line(rest) is not None:
            self.read(rest, out)
        return out

    def read(self, data: bytes, out: list[Event], *, whole: bool = False) -> None:
        """Read one line, or one `whole` reply, which is its own end."""
        if self._over:
            return
        line = read_line(data)
        if line is None:
            self._over = True
            out.append(Broken(NO_LINE))
            return
        error = error_of(line)
        if error is not None:
            self._over = True
            out.append(Failed(error))
            return
        if not self._started:
            self._started = True
            out.append(Started("", line.model or "", _unix(line.created_at)))
        self._say(line, out)
        if line.done or whole:
            self._finish(line, out)

    def _say(self, line: Line, out: list[Event]) -> None:
        said = line.said()
        if said.thinking:
            self._delta("reasoning", said.thinking, out)
        if said.content:
            self._delta("text", said.content, out)
        if line.logprobs:
            self._opened("text", out)
            out.append(LogprobsGiven(self._parts - 1, tuple(line.logprobs)))
        for call in said.tool_calls or ():
            self._call(call, out)

    def _delta(self, kind: str, text: str, out: list[Event]) -> None:
        if self._cumulative:
            before, self._said[kind] = self._said[kind], text
            text = text.removeprefix(before)
            if not text:
                return
        if self._open != kind:
            self._opened(kind, out)
        part = self._parts - 1
        out.append(TextDelta(part, text) if kind == "text" else ReasoningDelta(part, text))

    def _opened(self, kind: str, out: list[Event]) -> None:
        if self._open == kind:
            return
        self._closed(out)
        out.append(PartOpened(self._parts, kind))
        self._open = kind
        self._parts += 1

    def _closed(self, out: list[Event]) -> None:
        if self._open:
            out.append(PartClosed(self._parts - 1))
            self._open = ""

    def _call(self, call: Call, out: list[Event]) -> None:
        self._closed(out)
        part, name = self._parts, call.function.name
        given = call.id or ids.made(self._id, str(part))
        out.append(PartOpened(part, "call", id=given, name=name))
        args = _args(call)
        if args:
            out.append(ArgsDelta(part, args))
        out.append(PartClosed(part))
        self._parts += 1
        self._calls += 1

    def _finish(self, line: Line, out: list[Event]) -> None:
        self._closed(out)
        self._over = True
        raw = line.done_reason or ""
        reason = "stop" if raw in LOCAL else _REASONS.get(raw, "other")
        if reason == "stop" and self._calls:  # only this one is overridden (D52)
            reason = "tool_calls"
        out.append(Finished(reason, raw=raw))
        usage = usage_of(line)
        if usage is not None:
            out.append(UsageReported(usage))
        out.append(Ended())


def read_whole(body: bytes, target: Target, call_id: str) -> Reply:
    """Read a whole reply; raise `ValueError` for what is none."""
    out: list[Event] = []
    Reader(target, call_id).read(body, out, whole=True)
    return fold(out)


def _args(call: Call) -> str:
    """Return the arguments as the model wrote them; an object that an imitator put into a text is taken out of it."""
    args = bytes(call.function.arguments).decode(errors="replace")
    if args in ("", "null", '""'):
        return ""
    try:
        return object_of(args, call.function.name)
    except NoObject:
        return args


def _unix(text: str | None) -> int | None:
    """Return the unix seconds of a time in RFC 3339; None for none, or for one without a zone."""
    try:
        said = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return int(said.timestamp()) if said.tzinfo is not None else None
