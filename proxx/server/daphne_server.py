"""Daphne with manners: its reactor, its WebSockets and its bookkeeping; HTTP by the data plane of one's choice.

`fast` reads HTTP itself (line.py), `stock` lets Daphne's own classes do it, subclassed (stock.py). Either is found by
its `listen` function alone: the seam behind which the HTTP layer can be exchanged.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, cast

import daphne.server
from django.conf import settings
from twisted.internet import defer
from twisted.logger import globalLogBeginner

from proxx.server import drain, fast, listening, sockets, stock
from proxx.server.connections import FAREWELL, Connections
from proxx.server.exchange import GRACE, Application
from proxx.server.limits import Limits
from proxx.server.reactor import reactor

Stop = Callable[[], None]
Listen = Callable[["Server", socket.socket], Coroutine[Any, Any, Stop]]

_log = logging.getLogger("proxx.server")


class Server(daphne.server.Server):
    """Listening sockets, usually one, and one application."""

    def __init__(self, application: Application, connections: Connections, listen: Listen) -> None:
        limit = connections.limits.body
        super().__init__(
            application,
            endpoints=["bound by listening.py"],
            signal_handlers=False,
            request_buffer_size=limit + 1,  # the body is in memory already: hand it over in one piece
            websocket_max_message_size=limit,
            websocket_max_frame_size=limit,
            server_name="proxx",
        )
        self.proxx_connections = connections
        self._listen = listen
        self.orders = drain.Orders()
        self.exit_code = 0

    def serve(self, listeners: Sequence[socket.socket], when_listening: Callable[[], None]) -> int:
        """Serve until told to stop; return the exit code."""
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        globalLogBeginner.beginLoggingTo([cast(Any, _unheard)], redirectStandardIO=False, discardBuffer=True)
        self.connections: dict[Any, dict[str, Any]] = {}
        self.ws_factory = sockets.SocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            failByDrop=False,  # what is refused is told (1009 for a message that is too large), then closed
        )
        life = loop.create_task(self._live(listeners, when_listening), name="server")
        reactor.run(installSignalHandlers=False)
        if life.done() and not life.cancelled() and life.exception() is not None:
            raise life.exception()
        return self.exit_code

    async def _live(self, listeners: Sequence[socket.socket], when_listening: Callable[[], None]) -> None:
        """Listen, serve, drain, stop."""
        try:
            self.orders.listen(asyncio.get_running_loop())
            self.proxx_connections.start()
            self.application_checker()
            self.timeout_checker()
            ends = [await self._listen(self, listener) for listener in listeners]
            when_listening()
            await self.orders.stop.wait()
            for stop_listening in ends:
                stop_listening()
            goodbyes = asyncio.create_task(self._part_from_sockets(), name="goodbye to WebSockets")
            await self.proxx_connections.drain(settings.PROXY_DRAIN_TIMEOUT, self.orders.hurry)
            await goodbyes
            await drain.put_in_order()
        finally:
            reactor.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application for a request or socket; its end is noticed at once, not at the next second."""
        if scope["type"] == "websocket":
            self.proxx_connections.sockets.add(protocol)
            sockets.complete_scope(scope)
        else:
            scope["client"] = list(protocol.channel.seen_as[0])
        queue = super().create_application(protocol, scope)
        task = self.connections.get(protocol, {}).get("application_instance")
        if task is not None:
            if scope["type"] == "http":
                self.proxx_connections.tasks.add(task)
            task.add_done_callback(partial(self._application_ended, protocol))
        return queue

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Pass a message on, and hold its sender while the client does not read."""
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            await asyncio.sleep(0)  # one who sends in a tight loop must still be cancellable
            return
        await super().handle_reply(protocol, message)
        gate = getattr(protocol, "gate", None)
        if gate is not None and gate.closed:
            await gate.passed()

    def protocol_disconnected(self, protocol: Any) -> None:
        """Forget a request or socket as soon as its application has ended too."""
        self.proxx_connections.sockets.discard(protocol)
        details = self.connections.get(protocol)
        if details is None:
            return
        super().protocol_disconnected(protocol)
        task = details.get("application_instance")
        if task is None:
            del self.connections[protocol]
        elif not getattr(protocol, "finished", False):
            asyncio.get_running_loop().call_later(GRACE, task.cancel)

    def kill_all_applications(self) -> Any:
        """Cancel what still runs when the reactor stops (stock Daphne trips over requests without application)."""
        for details in self.connections.values():
            task = details.get("application_instance")
            if task is not None:
                task.cancel()
        return defer.succeed(None)

    def _application_ended(self, protocol: Any, task: "asyncio.Task[None]") -> None:
        self.proxx_connections.tasks.discard(task)
        details = self.connections.get(protocol)
        if details is None:
            return
        details.pop("application_instance", None)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            _log.error("The application failed.", exc_info=fault)
        if details.get("disconnected"):
            del self.connections[protocol]
        elif hasattr(protocol, "application_ended"):
            protocol.application_ended()
        elif fault is not None:
            protocol.handle_exception(fault)

    async def _part_from_sockets(self) -> None:
        """Tell every WebSocket that the server restarts, and wait a moment for their applications."""
        protocols = [protocol for protocol in self.connections if isinstance(protocol, sockets.SocketProtocol)]
        tasks = [self.connections[protocol].get("application_instance") for protocol in protocols]
        for protocol in protocols:
            protocol.say_goodbye()
        running = [task for task in tasks if task is not None]
        if running:
            _, late = await asyncio.wait(running, timeout=FAREWELL)
            for task in late:
                task.cancel()


def serve(
    plane: str,
    application: Application,
    listener: socket.socket,
    when_listening: Callable[[], None],
    *,
    more: Sequence[socket.socket] = (),
) -> int:
    """Serve with the data plane of that name until told to stop; return the exit code. `more` are further ports."""
    listen: Listen = {"fast": fast.listen, "stock": stock.listen}[plane]
    server = Server(application, Connections(Limits.from_settings()), listen)

    def ready() -> None:
        listening.announce(*urls)
        when_listening()

    listeners = [listener, *more]
    urls = [listening.url(one) for one in listeners]  # now: the reactor takes some sockets over
    return server.serve(listeners, ready)


def _unheard(event: Any) -> None:
    """Drop Twisted's own log: what matters is said by proxx.server."""
