"""A server that sends exactly the bytes a test gives it: no HTTP library in it, so no shared misreading."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable


class Peer:
    """One accepted connection, in the test's hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.requests = 0
        self.left = asyncio.Event()  # set once `gone` has seen the other side close

    async def request(self) -> tuple[bytes, bytes]:
        """Read one request: its head (with the blank line) and its body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        size = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        return head, await self.reader.readexactly(size)

    async def send(self, data: bytes) -> None:
        """Send bytes and wait until the system has taken them."""
        self.writer.write(data)
        await self.writer.drain()

    async def send_each(self, pieces: list[bytes]) -> None:
        """Send pieces so that each has left before the next: they arrive as reads of their own, or joined."""
        for piece in pieces:
            await self.send(piece)
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the other side has closed."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.left.set()

    def reset(self) -> None:
        """Close so that the other side gets a reset, not an end."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class RawServer:
    """Listens on a port of its own; runs the script for each connection and closes it at the script's end."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.peers: list[Peer] = []
        self.faults: list[BaseException] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls, limit=2**22)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if self.faults:
            raise self.faults[0]

    def url(self, path: str = "/v1/chat/completions", scheme: str = "") -> str:
        return f"{scheme or ('https' if self._tls else 'http')}://127.0.0.1:{self.port}{path}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.peers.append(peer)
        task = asyncio.get_running_loop().create_task(self._run(peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, peer: Peer) -> None:
        try:
            await self._script(peer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left: what it meant is asserted on its side
        except Exception as fault:
            self.faults.append(fault)
        finally:
            peer.writer.transport.abort() if self._tls else peer.writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await peer.writer.wait_closed()


def answer(body: bytes = b"hello", *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """Write a whole answer with its length."""
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status.encode(), headers, len(body), body)


def chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    """Write a whole chunked answer."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body + b"0\r\n" + trailers + b"\r\n"


def always(*parts: bytes) -> Script:
    """Answer every request on a connection with the same bytes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(b"".join(parts))

    return script
