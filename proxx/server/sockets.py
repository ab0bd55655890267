"""WebSockets: Daphne's protocol with back-pressure and honest refusals, and the way a fast line hands one over."""

import asyncio
import os
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from proxx.kit.peer import trusted
from proxx.server import addresses
from proxx.server.gate import Gate
from proxx.server.heads import Head
from proxx.server.reactor import reactor

GOING_AWAY = 1012  # service restart: clients may come back at once


class SocketProtocol(WebSocketProtocol):
    """One WebSocket."""

    gate: Gate | None = None
    _denial: tuple[int, list[tuple[bytes, bytes]], bytes] = (403, [], b"")

    def onConnect(self, request: Any) -> Any:
        """Set up back-pressure, then let Daphne call the application."""
        with suppress(RuntimeError):
            self.transport.unregisterProducer()  # under the stock data plane Daphne's HTTP channel stands here
        self.gate = Gate(self.transport)
        self.transport.registerProducer(self.gate, True)  # noqa: FBT003 - Twisted's signature
        return super().onConnect(request)

    def handle_reply(self, message: Any) -> None:
        """Add the ASGI extension websocket.http.response to what Daphne understands."""
        kind = message.get("type")
        if kind == "websocket.http.response.start":
            self._denial = (message["status"], list(message.get("headers", ())), b"")
        elif kind == "websocket.http.response.body":
            status, headers, body = self._denial
            self._denial = (status, headers, body + message.get("body", b""))
            if not message.get("more_body", False) and hasattr(self, "handshake_deferred"):
                self.serverReject()
        elif kind != "websocket.send" or self.state not in (self.STATE_CLOSING, self.STATE_CLOSED):
            super().handle_reply(message)  # who has left hears nothing more; the application is told by a message

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        """Write a whole HTTP answer: autobahn's own states no length."""
        status, headers, body = self._denial if code == 403 else (code, [], reason.encode())
        lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
        lines += [b"%b: %b" % pair for pair in headers if pair[0].lower() not in (b"content-length", b"connection")]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.sendData(b"\r\n".join(lines))

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: FBT001, FBT002
        """Send bytes, counted."""
        if self.gate is not None:
            self.gate.count(len(data))
        super().sendData(data, sync, chopsize)

    def check_timeouts(self) -> None:
        """Cut a client that reads nothing, else do what Daphne does: pings, and the connection's age."""
        now = asyncio.get_running_loop().time()
        if self.gate is not None and self.gate.unread_for(now) > self.server.proxx_connections.limits.reader_timeout:
            self.transport.abortConnection()
        else:
            super().check_timeouts()

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:  # noqa: FBT001
        """Let go of whoever waits for the client to read."""
        if self.gate is not None:
            self.gate.stopProducing()
        super().onClose(wasClean, code, reason)

    def say_goodbye(self) -> None:
        """Close because the server stops."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=GOING_AWAY)
        elif self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
            self.serverReject()


class SocketFactory(WebSocketFactory):
    """Builds them."""

    protocol = SocketProtocol


def complete_scope(scope: dict[str, Any]) -> None:
    """Add to Daphne's scope: the extension above, and the client behind a trusted proxy."""
    scope["extensions"] = {"websocket.http.response": {}}
    peer = scope.get("client")
    if peer and trusted(peer[0]):
        client, scheme = addresses.seen_through(scope["headers"], (peer[0], peer[1]), "http")
        scope["client"], scope["scheme"] = list(client), "wss" if scheme == "https" else "ws"


def adopt(factory: SocketFactory, transport: Any, head: Head, rest: bytes) -> None:
    """Move a connection from the asyncio transport to Daphne's WebSocket protocol and replay its request there."""
    sock = transport.get_extra_info("socket")
    family, descriptor = sock.family, os.dup(sock.fileno())
    transport.pause_reading()
    transport.abort()  # closes the transport's own descriptor only: the connection lives on in the copy
    try:
        os.set_blocking(descriptor, False)
        reactor.adoptStreamConnection(descriptor, family, _Replay(factory, replayed(head) + rest, head.query))
    finally:
        os.close(descriptor)


class _Replay:
    """A Twisted factory for one connection whose request was already read."""

    def __init__(self, factory: SocketFactory, request: bytes, query: bytes) -> None:
        self._factory, self._request, self._query = factory, request, query

    def buildProtocol(self, address: Any) -> Any:
        protocol = self._factory.buildProtocol(address)
        protocol._raw_query_string = self._query
        asyncio.get_running_loop().call_soon(protocol.dataReceived, self._request)
        return protocol


def replayed(head: Head) -> bytes:
    """Write a request's head again, without the headers that Daphne would take for a proxy's."""
    target = head.path + (b"?" + head.query if head.query else b"")
    lines = [b"%b %b HTTP/1.1" % (head.method.encode(), target)]
    lines += [b"%b: %b" % pair for pair in head.headers if pair[0] != b"daphne-root-path"]
    return b"\r\n".join([*lines, b"", b""])
