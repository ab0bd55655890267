"""A chat upstream's stream, cut anywhere, or its whole reply -> events. One state machine for both.

How a choice ends is said when the stream ends: some servers finish twice, or go on after they finished, and the last
word counts.
"""

from typing import Final

from proxx.protocols.framing.sse import FrameCutter, data_of, event_of, frames
from proxx.protocols.hub.events import Broken, Ended, Event, Failed, Started, Usage, UsageReported
from proxx.protocols.hub.reply import Reply, fold
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_chat.read_reply.answer import Answer
from proxx.protocols.openai_chat.read_reply.chunks import Chunk, read_chunk, read_lean
from proxx.protocols.openai_chat.read_reply.errors import NOTHING, error_of, is_error, usage_in
from proxx.protocols.openai_chat.read_reply.numbers import Numbers
from proxx.protocols.openai_chat.read_reply.usage import read_usage
from proxx.protocols.passthrough import DONE, is_harmless

_NEWLINE: Final = 10
_LOUD_LIMIT: Final = 8  # so many chunks with more than the usual, and those of this part are not tried as such again
_ENDED_BY_ERROR = "The provider ended its answer with an error."


class ChatReader:
    """Read one stream."""

    __slots__ = (
        "_answers",
        "_cutter",
        "_first",
        "_loud",
        "_loud_part",
        "_numbers",
        "_over",
        "_started",
        "_target",
        "_usage",
    )

    def __init__(self, target: Target, call_id: str) -> None:
        self._target = target
        self._cutter = FrameCutter()
        self._numbers = Numbers(call_id)
        self._answers: dict[int, Answer] = {}
        self._usage: Usage | None = None
        self._started = self._over = False
        self._first: Answer | None = None
        self._loud, self._loud_part = 0, -1

    def feed(self, piece: bytes) -> list[Event]:
        """Take bytes as they arrive; return the events that are complete."""
        events: list[Event] = []
        if self._over:
            return events
        if (
            not self._cutter.held
            and piece.startswith(b"data: {")
            and piece.find(b"\n") == len(piece) - 2
            and piece[-1] == _NEWLINE
            and b"\r" not in piece
        ):
            data = piece[6:-2]
            if self._first is None or not self._lean(self._first, data, events):
                self._data(data, events)
            return events
        block = self._cutter.feed(piece)
        for frame in frames(block) if block else ():
            self._frame(frame, events)
        return events

    def close(self) -> list[Event]:
        """Say that the upstream has ended; return what was still held back."""
        events: list[Event] = []
        rest = self._cutter.rest
        if rest.strip() and not self._over:
            data = data_of(rest).strip()
            if data == DONE or read_chunk(data) is not None:
                self._frame(rest, events)
        self._end(events, marked=False)
        return events

    def whole(self, body: bytes) -> list[Event]:
        """Read a whole completion as if it had come in one chunk."""
        events: list[Event] = []
        chunk = read_chunk(body)
        if chunk is None:
            raise ValueError("the body is not a chat completion")
        self._chunk(chunk, events)
        for _, answer in sorted(self._answers.items()):
            answer.finish(events)
        events.append(Ended())
        return events

    def _lean(self, answer: Answer, data: bytes, events: list[Event]) -> bool:
        """Read the usual event, more of the open part of the only choice and nothing else, at half the price."""
        if self._loud >= _LOUD_LIMIT and self._loud_part == answer.part:
            return False
        delta = read_lean(data)
        if delta is None:
            self._loud = self._loud + 1 if self._loud_part == answer.part else 1
            self._loud_part = answer.part
            return False
        return answer.more(delta, events)

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        if self._over:
            return
        data = data_of(frame).strip()
        if not data:
            if not is_harmless(frame):
                self._break(events, "bytes that are no event")
        elif data == DONE:
            self._end(events, marked=True)
        else:
            self._data(data, events, failed=event_of(frame) == b"error")

    def _data(self, data: bytes, events: list[Event], *, failed: bool = False) -> None:
        chunk = read_chunk(data)
        if chunk is None:
            self._break(events, "an event that is not a chat completion chunk")
        elif failed or is_error(chunk, answers=chunk.choices is not None):
            self._over = True
            events.append(Failed(error_of(chunk, data)))
        else:
            self._chunk(chunk, events)

    def _chunk(self, chunk: Chunk, events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(Started(chunk.id or "", chunk.model or "", chunk.created))
        for choice in chunk.choices or ():
            answer = self._answers.get(choice.index)
            if answer is None:
                answer = self._answers[choice.index] = Answer(choice.index, self._target, self._numbers)
                self._first = answer if len(self._answers) == 1 and choice.index == 0 else None
            answer.take(choice, events)
            if choice.usage:
                self._count(bytes(choice.usage), events)
        if chunk.usage or chunk.x_groq:
            self._count(usage_in(chunk), events, bytes(chunk.service_tier))

    def _count(self, raw: bytes, events: list[Event], tier: bytes = b"") -> None:
        usage = read_usage(raw, self._usage, tier) if raw not in NOTHING else None
        if usage is not None and usage != self._usage:
            self._usage = usage
            events.append(UsageReported(usage))

    def _end(self, events: list[Event], *, marked: bool) -> None:
        """End the reply if it is whole: each choice has finished, or spoke before the end mark (D60, D61)."""
        if self._over or not self._answers:
            return
        if not all(answer.raw or (marked and answer.spoke) for answer in self._answers.values()):
            return
        self._over = True
        failed = next((answer for answer in self._answers.values() if answer.failed), None)
        if failed is not None:
            events.append(Failed({"message": _ENDED_BY_ERROR, "code": failed.raw}))
            return
        for _, answer in sorted(self._answers.items()):
            answer.finish(events)
        events.append(Ended())

    def _break(self, events: list[Event], why: str) -> None:
        self._over = True
        events.append(Broken(why))


def read_whole(body: bytes, target: Target, call_id: str) -> Reply:
    """Read a whole completion; raise `ValueError` for a body that is none."""
    return fold(ChatReader(target, call_id).whole(body))
