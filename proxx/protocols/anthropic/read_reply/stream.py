"""A Messages stream -> events. One decoding per event; blocks are told apart by their index."""

from collections.abc import Callable

import msgspec

from proxx.protocols.anthropic.read_reply.blocks import BlockReader
from proxx.protocols.anthropic.read_reply.frames import (
    NOT_AN_EVENT,
    QUIET_HEAD,
    Counts,
    Delta,
    Frame,
    QuietEvent,
    counted,
    error_of,
    finish_of,
    is_something,
    read_frame,
    usage_of,
)
from proxx.protocols.anthropic.read_reply.whole import family_of
from proxx.protocols.framing.lenient import FAULTS
from proxx.protocols.framing.sse import FrameCutter, data_of, frames
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.events import (
    Broken,
    Ended,
    Event,
    Failed,
    Started,
    UsageReported,
)
from proxx.protocols.hub.target import Target
from proxx.protocols.passthrough import DONE

_HEAD_LENGTH = len(QUIET_HEAD)
_quiet = msgspec.json.Decoder(QuietEvent)


class MessagesReader:
    """Reads one stream."""

    __slots__ = ("_blocks", "_counts", "_cutter", "_delta", "_over", "_started")

    def __init__(self, family: str) -> None:
        self._cutter = FrameCutter()
        self._blocks = BlockReader(family)
        self._counts: Counts = {}
        self._delta = Delta()
        self._started = self._over = False

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""
        block = piece if piece.endswith(b"\n\n") and not self._cutter.held else self._cutter.feed(piece)
        told: list[Event] = []
        if b"\r" in block:
            for frame in frames(block):
                self._read(data_of(frame).strip(), told)
            return told
        for frame in block.split(b"\n\n"):
            if frame.startswith(QUIET_HEAD) and b"\n" not in frame[_HEAD_LENGTH:]:
                self._read_quiet(frame[_HEAD_LENGTH:], told)
            elif frame:
                self._read(data_of(frame + b"\n\n").strip(), told)
        return told

    def close(self) -> list[Event]:
        """Say that the upstream has ended; a last frame may lack its blank line."""
        told: list[Event] = []
        data = data_of(self._cutter.rest + b"\n\n").strip()
        if data and read_frame(data) is not None:
            self._read(data, told)
        return told

    def _read_quiet(self, data: bytes, told: list[Event]) -> None:
        try:
            event = _quiet.decode(data)
        except FAULTS:
            self._read(data.strip(), told)
            return
        if self._over or not self._blocks.more(event, told):
            self._read(data, told)

    def _read(self, data: bytes, told: list[Event]) -> None:
        if self._over or not data or data == DONE:
            return
        event = read_frame(data)
        if event is None:
            self._broken(told)
            return
        if not self._started:
            self._start(event, told)
        if event.type == "content_block_delta" and event.delta is not None:
            self._blocks.add(event.index, event.delta, told)
        elif is_something(event.error) or event.type == "error":
            self._over = True
            told.append(Failed(error_of(event.error, data)))
        else:
            taken = _TAKERS.get(event.type)
            if taken is not None:
                taken(self, event, told)

    def _broken(self, told: list[Event]) -> None:
        self._over = True
        told.append(Broken(NOT_AN_EVENT))

    def _start(self, event: Frame, told: list[Event]) -> None:
        message = event.message
        if event.type == "message_start" and message is not None:
            self._counts = counted(self._counts, message.usage)
            told.append(Started(message.id or "", message.model or "", None, usage_of(self._counts)))
        elif event.type in _SAYING:  # imitators forget to begin
            told.append(Started())
        else:
            return
        self._started = True

    def _open(self, event: Frame, told: list[Event]) -> None:
        try:
            self._blocks.open(event.index, event.content_block, told)
        except Unreadable:
            self._broken(told)

    def _close(self, event: Frame, told: list[Event]) -> None:
        self._blocks.close(event.index, told)

    def _change(self, event: Frame, told: list[Event]) -> None:
        self._counts = counted(self._counts, event.usage)
        if event.delta is not None and event.delta.stop_reason:
            self._delta = event.delta

    def _stop(self, event: Frame, told: list[Event]) -> None:
        self._blocks.end(told)
        last = self._delta
        told.append(finish_of(last.stop_reason, last.stop_sequence, last.stop_details, said=self._blocks.said))
        usage = usage_of(self._counts)
        told += [UsageReported(usage)] if usage is not None else []
        told.append(Ended())
        self._over = True


_TAKERS: dict[str, Callable[[MessagesReader, Frame, list[Event]], None]] = {
    "content_block_start": MessagesReader._open,
    "content_block_stop": MessagesReader._close,
    "message_delta": MessagesReader._change,
    "message_stop": MessagesReader._stop,
}
_SAYING = frozenset((*_TAKERS, "content_block_delta"))


def stream_reader(target: Target, call_id: str) -> MessagesReader:
    """Return a reader for one stream. Ids of calls are the upstream's own, so `call_id` is not needed."""
    return MessagesReader(family_of(target))
