"""PROXX_SERVER=uvicorn: the same application behind uvicorn, with the limits that can be kept from outside it.

Kept: size and number of headers (its protocol, subclassed), size of bodies and their sum (asgi_limits.py),
back-pressure (uvicorn's own), a stop that exits with 0. Not kept: deadlines for slow senders and readers, so it
belongs behind a reverse proxy that has them (docs/operations.md).
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxx.server import drain, listening, refusals
from proxx.server.asgi_limits import BodyLimits
from proxx.server.connections import FAREWELL, FLUSH, ended
from proxx.server.exchange import Application
from proxx.server.limits import Limits
from proxx.server.refusals import Refusal, Refused


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which by itself takes heads of any size."""

    _in_head = True
    _arrived = _count = _size = 0
    _refusal: Refusal = refusals.MALFORMED

    def data_received(self, data: bytes) -> None:
        """Count what arrives while a head is not complete."""
        if self._in_head:
            self._arrived += len(data)
            if self._arrived > settings.PROXY_HEADER_LIMIT and self._arrived > len(data):
                self._refusal = refusals.HEAD_TOO_LARGE
                self.send_400_response("")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._in_head, self._arrived, self._count, self._size = True, 0, 0, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count; drop names with an underscore, and trailers."""
        self._count += 1
        self._size += len(name) + len(value) + 4
        if self._in_head and b"_" not in name:
            super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Judge the head; raising here makes uvicorn answer by `send_400_response`."""
        self._in_head = False
        if self._count > settings.PROXY_HEADER_COUNT_LIMIT:
            self._refusal = refusals.HEAD_TOO_MANY
        elif self._size > settings.PROXY_HEADER_LIMIT:
            self._refusal = refusals.HEAD_TOO_LARGE
        elif [name for name, _ in self.headers].count(b"host") > 1:
            self._refusal = refusals.BAD_HOST
        elif self.parser.get_http_version() in ("1.1", "1.0"):
            super().on_headers_complete()
            return
        raise Refused(self._refusal)

    def send_400_response(self, msg: str) -> None:
        """Answer in the house's envelope, whatever was wrong."""
        self.transport.write(refusals.answer(self._refusal))
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn, stopped the way Daphne is."""

    def __init__(self, config: uvicorn.Config, front: BodyLimits, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._front, self._ready, self._orders = front, ready, drain.Orders()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals without raising them again at the end, which would make the exit code 143."""
        self._orders.listen(asyncio.get_running_loop())
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and say so."""
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Look whether somebody asked to stop."""
        return await super().on_tick(counter) or self._orders.stop.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let answers finish, cancel the rest, put everything in order."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        self._front.stop()
        tasks: set[asyncio.Task[None]] = self.server_state.tasks
        await ended(tasks, settings.PROXY_DRAIN_TIMEOUT, self._orders.hurry)
        for task in list(tasks):
            task.cancel()
        await ended(tasks, FAREWELL)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        give_up = asyncio.get_running_loop().time() + FLUSH
        # uvicorn tells nobody when a connection closes.
        while self.server_state.connections and asyncio.get_running_loop().time() < give_up:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await drain.put_in_order()


def serve(application: Application, listener: socket.socket, when_listening: Callable[[], None]) -> int:
    """Serve until told to stop; return the exit code."""
    limits = Limits.from_settings()
    front = BodyLimits(application, limits)
    trusted = list(settings.PROXY_TRUSTED_PROXIES)
    config = uvicorn.Config(
        front,
        http=Protocol,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        timeout_keep_alive=max(1, int(limits.keep_alive)),
        ws_max_size=limits.body,
        backlog=listening.BACKLOG,
    )
    url = listening.url(listener)

    def ready() -> None:
        listening.announce(url)
        when_listening()

    asyncio.run(Server(config, front, ready).serve(sockets=[listener]))
    return 0
