"""An answer before it meets a socket: a status, headers, and pieces of body with pauses and cuts between them.

Dialects and scripts make answers, faults.py changes them, connection.py plays them.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Frame:
    """Body bytes of one meaning: open, text, thought, call, finish, usage, end, error, or whole."""

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds of silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """The connection ends: by FIN, or by RST when `reset`."""

    reset: bool = False


Piece = Frame | Pause | Hangup


@dataclass(frozen=True, slots=True)
class Answer:
    """What will be sent.

    `status` None sends no head at all: the frames go out raw. `framing` is length, chunked, or close (neither
    header, the end of the connection ends the body). `declared` overrides the content length. `before` is played
    before the head. `piecewise` writes every byte by itself. `early` bytes stand before the head.
    """

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Iterable[Piece] = ()
    framing: str = "length"
    declared: int | None = None
    before: tuple[Piece, ...] = ()
    early: bytes = b""
    piecewise: bool = False
    hang_up_after: bool = False

    def frames(self) -> list[Frame]:
        """Return the body frames alone."""
        return [piece for piece in self.pieces if isinstance(piece, Frame)]

    def body(self) -> bytes:
        """Return all body bytes."""
        return b"".join(frame.data for frame in self.frames())

    def with_header(self, name: str, value: str | None) -> Self:
        """Return the answer with a header replaced, or without it when the value is None."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


class Refused(Exception):
    """Raised while a request is read; carries what to answer."""

    def __init__(self, refusal: "Refusal") -> None:
        super().__init__(f"{refusal.status}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error; the body is data, or text that is sent as it stands."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON

    def answer(self) -> Answer:
        """Return it as an answer."""
        data = self.body.encode() if isinstance(self.body, str) else json.dumps(self.body, indent=2).encode()
        headers = (("content-type", self.content_type), *self.headers)
        return Answer(self.status, headers, (Frame("error", data),))


def whole(status: int, body: Any, *headers: tuple[str, str]) -> Answer:
    """Return a JSON answer."""
    data = json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n"
    return Answer(status, (("content-type", JSON), *headers), (Frame("whole", data),))


def seconds(after: float | None, default: float = 2) -> str:
    """Return a rest in whole seconds as a header, rounded up."""
    return str(math.ceil(default if after is None else after))
