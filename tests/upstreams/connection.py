"""One HTTP/1.1 connection: bytes in, requests out; an answer's pieces in, bytes out. No dialect, no script.

Requests on one connection are answered in order. A client that leaves cancels the answer in play. Writing waits
for a slow reader, so that a test sees the gateway's own back-pressure and not this server's memory.
"""

import asyncio
import math
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import httptools

from tests.upstreams.answer import Answer, Frame, Hangup, Pause, Piece

BODY_LIMIT = 256 * 1024 * 1024
WRITE_HIGH = 256 * 1024

Answering = Callable[["Arrival", "Connection"], Awaitable[None]]


@dataclass(slots=True)
class Arrival:
    """A request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: str
    keep_alive: bool = True

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return what follows the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(slots=True)
class _Reading:
    target: bytearray = field(default_factory=bytearray)
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


class Connection(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, number: int, answering: Answering, crowd: set["Connection"]) -> None:
        self.number = number
        self._answering = answering
        self._crowd = crowd
        self._parser = httptools.HttpRequestParser(self)
        self._reading = _Reading()
        self._waiting: deque[Arrival] = deque()
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._left = False
        self._gone = asyncio.Event()

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport.set_write_buffer_limits(high=WRITE_HIGH)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._crowd.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self._transport.close()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left = True
        self._room.set()
        self._gone.set()
        self._crowd.discard(self)
        if self._task is not None:
            self._task.cancel()

    # What the parser says.

    def on_message_begin(self) -> None:
        self._reading = _Reading()

    def on_url(self, url: bytes) -> None:
        self._reading.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reading.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        expect = next((value for name, value in self._reading.headers if name.lower() == "expect"), "")
        if expect.lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._reading.body += body
        if len(self._reading.body) > BODY_LIMIT:
            self._transport.abort()

    def on_message_complete(self) -> None:
        read = self._reading
        peer = (self._transport.get_extra_info("peername") or ("",))[0]
        self._waiting.append(
            Arrival(
                self._parser.get_method().decode(),
                read.target.decode("latin-1"),
                read.headers,
                bytes(read.body),
                peer,
                self._parser.should_keep_alive(),
            )
        )
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer_all())

    async def _answer_all(self) -> None:
        try:
            while self._waiting and not self._left:
                arrival = self._waiting.popleft()
                await self._answering(arrival, self)
                if not arrival.keep_alive:
                    self._transport.close()
        except asyncio.CancelledError:
            if not self._left:
                raise
        except Exception:
            self._transport.abort()  # our own fault: whoever waits for the answer must not wait forever
            raise
        finally:
            self._task = None

    # What the server says.

    async def play(self, answer: Answer, *, head_only: bool, sent: Callable[[bytes], None]) -> bool:
        """Send an answer; report each body byte to `sent` as it leaves. Return False if it hung up on the way."""
        for piece in answer.before:
            if not await self._piece(piece, answer, sent):
                return False
        if answer.early:
            await self._write(answer.early, piecewise=answer.piecewise)
        pieces = answer.pieces
        if answer.status is not None:
            if answer.framing == "length":
                pieces = list(pieces)
            await self._write(self._head(answer, pieces), piecewise=answer.piecewise)
        if head_only:
            return True
        for piece in pieces:
            if not await self._piece(piece, answer, sent):
                return False
        if answer.framing == "chunked" and answer.status is not None:
            await self._write(b"0\r\n\r\n", piecewise=answer.piecewise)
        if answer.framing == "close" or answer.status is None or answer.hang_up_after:
            self._transport.close()
        return True

    def abort_quietly(self) -> None:
        """End the connection with no answer (the server stops)."""
        self._transport.abort()

    async def gone(self) -> None:
        """Wait until the connection has ended and nothing of it runs."""
        await self._gone.wait()
        if self._task is not None:
            await asyncio.wait({self._task})

    def _head(self, answer: Answer, pieces: object) -> bytes:
        assert answer.status is not None
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Site Overloaded" if answer.status == 529 else "Unknown"
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in answer.headers)]
        if answer.framing == "length":
            assert isinstance(pieces, list)
            length = sum(len(piece.data) for piece in pieces if isinstance(piece, Frame))
            lines.append(f"content-length: {length if answer.declared is None else answer.declared}")
        elif answer.framing == "chunked":
            lines.append("transfer-encoding: chunked")
        else:
            lines.append("connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _piece(self, piece: Piece, answer: Answer, sent: Callable[[bytes], None]) -> bool:
        match piece:
            case Pause(seconds):
                await _silence(seconds)
            case Hangup(reset):
                self._hang_up(reset=reset)
                return False
            case Frame(_, data) if data:
                sent(data)
                if answer.framing == "chunked" and answer.status is not None and not answer.piecewise:
                    data = b"%x\r\n%b\r\n" % (len(data), data)
                await self._write(data, piecewise=answer.piecewise, chunked=answer.framing == "chunked")
        return True

    async def _write(self, data: bytes, *, piecewise: bool, chunked: bool = False) -> None:
        if not piecewise:
            self._transport.write(data)
            await self._room.wait()
            return
        for index in range(len(data)):
            byte = data[index : index + 1]
            self._transport.write(b"1\r\n%b\r\n" % byte if chunked else byte)
            await asyncio.sleep(0)  # the other side gets a turn between two bytes
        await self._room.wait()

    def _hang_up(self, *, reset: bool) -> None:
        if reset:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            self._transport.close()


async def _silence(seconds: float) -> None:
    if math.isinf(seconds):
        await asyncio.Event().wait()
    await asyncio.sleep(seconds)
