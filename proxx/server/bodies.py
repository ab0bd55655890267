"""Request bodies: how large one may be, how much all of them may hold together, and how chunks are read.

A body is counted before it is stored. Who carries something shaped like a key (or an operator's session) may send
PROXY_BODY_LIMIT, everybody else PROXY_BODY_LIMIT_WITHOUT_KEY; whether the key is any good is not asked here.
"""

import re
from collections.abc import Iterable
from io import BytesIO
from typing import Final
from urllib.parse import parse_qsl

from django.conf import settings

from accounts.keys import looks_like_key
from proxx.server import refusals
from proxx.server.limits import Limits
from proxx.server.refusals import Refusal, Refused
from routing import listeners, reload

_CARRIERS: Final = frozenset({b"x-api-key", b"x-goog-api-key", b"api-key"})
_SHORTEST_TOKEN: Final = 8  # of a provider's key: a shorter one is a placeholder
_CHUNK_LINE_LIMIT: Final = 256
_TRAILER_LIMIT: Final = 8192
_MANY_CHUNKS: Final = 4096  # from here on they must hold 16 bytes on average: framing costs far more than content
_LEAST_AVERAGE: Final = 16
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?").fullmatch
_TRAILER_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*").fullmatch


class Room:
    """The memory that all bodies share, in bytes (PROXY_BODIES_IN_FLIGHT_LIMIT)."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int) -> None:
        self.limit, self.taken = limit, 0

    def take(self, size: int) -> None:
        """Count bytes that are about to be stored; raise `Refused` if they do not fit."""
        if self.taken + size > self.limit:
            raise Refused(refusals.NO_ROOM)
        self.taken += size

    def give_back(self, size: int) -> None:
        """Forget bytes that nobody holds any more."""
        self.taken -= size


def too_large(limit: int, limits: Limits, length: int = 0) -> Refusal:
    """Return what is said of a body above this limit, of this announced length (0: unknown).

    If a key would have allowed it, it was the key that was missing.
    """
    return refusals.BODY_NEEDS_KEY if limit < limits.body and length <= limits.body else refusals.BODY_TOO_LARGE


class Body:
    """One body on its way in: counted against its own limit and the shared room, then stored."""

    __slots__ = ("_limit", "_refusal", "_room", "file", "size")

    def __init__(self, limit: int, room: Room, refusal: Refusal = refusals.BODY_TOO_LARGE) -> None:
        self._limit, self._room, self._refusal, self.size = limit, room, refusal, 0
        self.file = BytesIO()

    def add(self, piece: bytes | memoryview) -> None:
        """Store a piece, or raise `Refused` before storing it."""
        size = len(piece)
        if self.size + size > self._limit:
            raise Refused(self._refusal)
        self._room.take(size)
        self.size += size
        self.file.write(piece)

    def whole(self) -> bytes:
        """Return the body; BytesIO hands its own memory over, it is not copied."""
        return self.file.getvalue()

    def drop(self) -> None:
        """Give the room back; the body is of no further use."""
        self._room.give_back(self.size)
        self.size = 0
        self.file = BytesIO()


class Chunks:
    """Takes the chunk framing off a body, at any split of the input."""

    __slots__ = ("_chunks", "_content", "_left", "_line", "_state", "_trailers")

    def __init__(self) -> None:
        self._state = "size"
        self._left = self._trailers = self._chunks = self._content = 0
        self._line = b""

    def feed(self, data: bytes, body: Body) -> bytes | None:
        """Add the content to `body`; return what follows the last chunk, or None while there is more to come."""
        view, at, end = memoryview(data), 0, len(data)
        while at < end:
            if self._state == "content":
                piece = view[at : at + self._left]
                body.add(piece)
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "crlf"
                continue
            line, at = self._next_line(data, at)
            if line is None:
                return None
            if self._ends(line):
                return data[at:]
        return None

    def _next_line(self, data: bytes, at: int) -> tuple[bytes | None, int]:
        found = data.find(b"\n", at, at + _CHUNK_LINE_LIMIT + _TRAILER_LIMIT)
        line = self._line + data[at : found + 1 if found >= 0 else at + _CHUNK_LINE_LIMIT + _TRAILER_LIMIT]
        limit = _TRAILER_LIMIT if self._state == "trailer" else _CHUNK_LINE_LIMIT
        if len(line) > limit:
            raise Refused(refusals.BAD_CHUNK)
        if found < 0:
            self._line = line
            return None, len(data)
        self._line = b""
        if not line.endswith(b"\r\n"):
            raise Refused(refusals.BAD_CHUNK)
        return line[:-2], found + 1

    def _ends(self, line: bytes) -> bool:
        """Act on one line of framing; tell whether it was the last."""
        if self._state == "crlf":
            if line:
                raise Refused(refusals.BAD_CHUNK)
            self._state = "size"
        elif self._state == "size":
            match = _CHUNK_LINE(line)
            if match is None:
                raise Refused(refusals.BAD_CHUNK)
            self._left = int(match[1], 16)
            self._chunks += 1
            self._content += self._left
            if self._left and self._chunks > _MANY_CHUNKS and self._content < self._chunks * _LEAST_AVERAGE:
                raise Refused(refusals.BAD_CHUNK)
            self._state = "content" if self._left else "trailer"
        else:
            if not line:
                return True
            self._trailers += len(line)
            if self._trailers > _TRAILER_LIMIT or _TRAILER_LINE(line) is None:
                raise Refused(refusals.BAD_CHUNK)
        return False


def limit_for(headers: Iterable[tuple[bytes, bytes]], query: bytes, limits: Limits, *, port: int | None = None) -> int:
    """Return how large the body of a request with these headers (lower-case names), come in at this port, may be.

    Where callers bring a provider's key of their own, nobody here can tell a good key from a bad one: any will do.
    """
    host, any_token = b"", False
    for name, value in headers:
        if name in _CARRIERS:
            token = value
        elif name == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() != b"bearer":
                continue
        elif name == b"cookie" and _session(value):
            return limits.body
        else:
            host = value if name == b"host" else host
            continue
        if looks_like_key(token.strip().decode("latin-1")):
            return limits.body
        any_token = any_token or len(token) >= _SHORTEST_TOKEN
    if any_token and _takes_own_keys(host, port):
        return limits.body
    if settings.PROXY_QUERY_KEYS and b"key=" in query and _key_in(query):
        return limits.body
    return limits.body_without_key


def _takes_own_keys(host: bytes, port: int | None) -> bool:
    """Tell whether callers bring their own keys here; answered from memory, for a server without a picture is none of
    ours."""
    snapshot = reload.present()
    found = listeners.found(snapshot, host=host.decode("latin-1"), port=port) if snapshot is not None else None
    return found is not None and bool(found.own_key_provider)


def _session(cookies: bytes) -> bool:
    """Tell whether an operator's session seems to be among the cookies: Django's keys are 32 letters and digits."""
    name = re.escape(settings.SESSION_COOKIE_NAME.encode())
    return re.search(rb"(?:^|;[ ]?)" + name + rb"=[0-9a-z]{32}(?:;|$)", cookies) is not None


def _key_in(query: bytes) -> bool:
    return any(name == "key" and looks_like_key(value) for name, value in parse_qsl(query.decode("ascii")))
