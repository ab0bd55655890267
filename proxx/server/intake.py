"""From the bytes of one connection to whole requests, one at a time. No I/O here, no clock: line.py has both.

A body is whole in memory before its request is given out; what follows it waits until the next request is asked for.
Everything that is wrong, too large or too many raises `Refused`; after that an intake is of no further use.
"""

from dataclasses import dataclass
from typing import Final

from proxx.server import bodies, heads, refusals
from proxx.server.bodies import Body, Chunks, Room
from proxx.server.heads import Head
from proxx.server.limits import Limits
from proxx.server.refusals import Refused

NOTHING, HEAD, BODY = range(3)
_END: Final = b"\r\n\r\n"


@dataclass(slots=True)
class Request:
    """One request, its body whole."""

    head: Head
    body: bytes


class Intake:
    """What has arrived and was not given out yet. `stage` tells what it is in the middle of."""

    __slots__ = ("_body", "_chunks", "_limits", "_room", "_waiting", "head", "owes_continue", "port", "stage")

    def __init__(self, limits: Limits, room: Room) -> None:
        self._limits, self._room = limits, room
        self._waiting = bytearray()
        self._body: Body | None = None
        self._chunks: Chunks | None = None
        self.head: Head | None = None
        self.stage = NOTHING
        self.owes_continue = False
        self.port: int | None = None  # the one that the connection came in at

    @property
    def waiting(self) -> int:
        """Return how many bytes arrived and are not read yet."""
        return len(self._waiting)

    @property
    def arrived(self) -> int:
        """Return how many bytes of a body are here."""
        return self._body.size if self._body is not None else 0

    def keep(self, data: memoryview) -> None:
        """Store bytes of following requests."""
        self._waiting += data

    def feed(self, data: memoryview) -> Request | None:
        """Read on; return a request as soon as it is whole."""
        return self._feed_body(data) if self.stage == BODY else self._feed_head(bytes(data))

    def next(self) -> Request | None:
        """Read on in what was kept."""
        data = self.rest()
        return self._feed_head(data) if data else None

    def rest(self) -> bytes:
        """Take out what was kept, unread."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data

    def drop(self) -> None:
        """Forget everything, and give the room back."""
        self._waiting.clear()
        if self._body is not None:
            self._body.drop()
            self._body = self._chunks = None

    def _feed_head(self, data: bytes) -> Request | None:
        searched = 0
        if self._waiting:
            searched = max(0, len(self._waiting) - 3)
            self._waiting += data
            if self._waiting.find(_END, searched) < 0:
                self._wait_for_head()
                return None
            data = bytes(self._waiting)
            self._waiting.clear()
        elif data[0] in b"\r\n":
            data = data.lstrip(b"\r\n")  # empty lines between requests mean nothing
        end = data.find(_END, searched)
        if end < 0:
            self._waiting += data
            self._wait_for_head()
            return None
        if end + 4 > self._limits.head:
            raise Refused(refusals.HEAD_TOO_LARGE)
        self.head = head = heads.read(data[: end + 4], self._limits.head_count)
        self.stage = NOTHING
        rest = data[end + 4 :]
        if head.length == 0:
            self._waiting += rest
            return Request(head, b"")
        return self._expect_body(head, rest)

    def _wait_for_head(self) -> None:
        if not self._waiting:
            return
        self.stage = HEAD
        if len(self._waiting) > self._limits.head:
            raise Refused(refusals.HEAD_TOO_LARGE)
        if heads.surely_bad(self._waiting):
            raise Refused(refusals.MALFORMED)

    def _expect_body(self, head: Head, rest: bytes) -> Request | None:
        limits, room, length = self._limits, self._room, head.length
        if length is not None and length <= len(rest) and length <= limits.body_without_key:
            room.take(length)  # the usual case: all of it came with the head
            self._waiting += rest[length:]
            return Request(head, rest[:length])
        limit = bodies.limit_for(head.headers, head.query, limits, port=self.port)
        if length is not None:
            if length > limit:
                raise Refused(bodies.too_large(limit, limits, length))
            if room.taken + length > room.limit:
                raise Refused(refusals.NO_ROOM)
        self._body = Body(limit, room, bodies.too_large(limit, limits))
        self._chunks = Chunks() if length is None else None
        self.stage = BODY
        self.owes_continue = head.wants_continue and not rest
        return self._feed_body(memoryview(rest)) if rest else None

    def _feed_body(self, data: memoryview) -> Request | None:
        head, body = self.head, self._body
        if head is None or body is None:
            raise ValueError("no body is expected")
        if self._chunks is not None:
            rest = self._chunks.feed(bytes(data), body)
            if rest is None:
                return None
        else:
            missing = (head.length or 0) - body.size
            body.add(data[:missing])
            if len(data) < missing:
                return None
            rest = bytes(data[missing:])
        self._body = self._chunks = None
        self.stage = NOTHING
        self._waiting += rest
        return Request(head, body.whole())
