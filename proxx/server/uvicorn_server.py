"""PROXX_SERVER=uvicorn: the same application in uvicorn's process, on uvicorn's loop; HTTP by the data plane of choice.

`fast` gives uvicorn our own HTTP protocol (line.py), with all limits and deadlines that it keeps under Daphne. `stock`
is uvicorn's httptools protocol (uvicorn_stock.py), with the limits that can be kept from outside it. WebSockets are
served by neither.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

import uvicorn
from django.conf import settings

from proxx.server import drain, listening, refusals, uvicorn_stock
from proxx.server.asgi_limits import BodyLimits
from proxx.server.connections import FAREWELL, FLUSH, Connections, ended
from proxx.server.exchange import Application
from proxx.server.heads import Head
from proxx.server.limits import Limits
from proxx.server.line import Line

# uvicorn's own WebSockets depend on which library happens to be installed, and stop by other rules.
_ALWAYS: Final[dict[str, Any]] = {
    "ws": "none",
    "lifespan": "off",
    "log_config": None,
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "backlog": listening.BACKLOG,
}


class Server(uvicorn.Server):
    """uvicorn, started and stopped the way Daphne is."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready, self.orders = ready, drain.Orders()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals without raising them again at the end, which would make the exit code 143."""
        self.orders.listen(asyncio.get_running_loop())
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and say so."""
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Look whether somebody asked to stop."""
        return await super().on_tick(counter) or self.orders.stop.is_set()

    def stop_listening(self) -> None:
        """Accept nobody any more."""
        for server in self.servers:
            server.close()


class FastServer(Server):
    """uvicorn with our HTTP protocol in the place of its own."""

    def __init__(self, application: Application, limits: Limits, ready: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(application, http=cast(Any, self._line), **_ALWAYS), ready)
        self._application, self._connections = application, Connections(limits)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Watch the deadlines, then begin to accept."""
        self._connections.start()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let answers finish, cancel the rest, put everything in order."""
        self.stop_listening()
        await self._connections.drain(settings.PROXY_DRAIN_TIMEOUT, self.orders.hurry)
        await drain.put_in_order()

    def _line(self, **_: Any) -> Line:
        return Line(self._application, self._connections, asyncio.get_running_loop(), _no_websocket)


class StockServer(Server):
    """uvicorn with its own HTTP protocol."""

    def __init__(self, application: Application, limits: Limits, ready: Callable[[], None]) -> None:
        self._front = BodyLimits(application, limits)
        config = uvicorn.Config(
            self._front,
            http=uvicorn_stock.Protocol,
            proxy_headers=False,  # whom to believe is decided in one place: kit/peer.py
            timeout_keep_alive=max(1, int(limits.keep_alive)),
            **_ALWAYS,
        )
        super().__init__(config, ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let answers finish, cancel the rest, put everything in order."""
        self.stop_listening()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        self._front.stop()
        tasks: set[asyncio.Task[None]] = self.server_state.tasks
        await ended(tasks, settings.PROXY_DRAIN_TIMEOUT, self.orders.hurry)
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


def serve(
    plane: str,
    application: Application,
    listener: socket.socket,
    when_listening: Callable[[], None],
    *,
    more: Sequence[socket.socket] = (),
) -> int:
    """Serve with the data plane of that name until told to stop; return the exit code. `more` are further ports."""
    listeners = [listener, *more]
    urls = [listening.url(one) for one in listeners]

    def ready() -> None:
        listening.announce(*urls)
        when_listening()

    make = {"fast": FastServer, "stock": StockServer}[plane]
    asyncio.run(make(application, Limits.from_settings(), ready).serve(sockets=listeners))
    return 0


def _no_websocket(line: Line, head: Head) -> None:
    line.refuse(refusals.NO_WEBSOCKETS)
