"""The stock data plane: Daphne's own HTTP classes, subclassed until they keep the same limits as the fast one.

Twisted reads the lines; each head is then judged by the same grammar (heads.py) and each body counted by the same
ledger (bodies.py) before anything is stored. A refused client gets its answer: the write side is shut first.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from daphne.http_protocol import HTTPFactory
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from proxx.kit.peer import trusted
from proxx.server import addresses, bodies, heads, refusals
from proxx.server.gate import Gate
from proxx.server.line import LEAST_PROGRESS, LINGER
from proxx.server.reactor import reactor
from proxx.server.refusals import Refusal, Refused
from proxx.server.stock_request import Request

if TYPE_CHECKING:
    from proxx.server.daphne_server import Server


class Channel(HTTPChannel):
    """One client connection."""

    requestFactory = Request
    timeOut = None  # deadlines are ours, see `check`
    transport: Any
    _networkProducer: Any
    factory: Any
    site: Any

    def __init__(self, server: "Server") -> None:
        super().__init__()
        self.connections = server.proxx_connections
        limits = self.connections.limits
        # Ours come first and have answers of their own; Twisted's would cut without a word.
        self.maxHeaders = self.totalHeadersSize = self.MAX_LENGTH = 2 * limits.head
        self.head: heads.Head | None = None
        self.body_limit = limits.body_without_key
        self.seen_as: tuple[addresses.Address, str] = (("", 0), "http")
        self._lines: list[bytes] = []
        self._size = self._mark = 0
        self._stage = "idle"
        self._fresh = True
        self._since = asyncio.get_running_loop().time()
        self._peer = ""
        self.gate: Gate | None = None

    def connectionMade(self) -> None:
        """Take the connection, or refuse it if there are too many."""
        super().connectionMade()
        self._peer = str(getattr(self.transport.getPeer(), "host", ""))
        self.gate = Gate(self.transport)
        if not self.connections.admit(self, self._peer):
            self.refuse(refusals.TOO_MANY_CONNECTIONS)

    def dataReceived(self, data: bytes) -> None:
        """Take what arrived."""
        if self._stage == "deaf":
            return
        if self._stage == "idle" and data.strip(b"\r\n"):
            self._begin("head")
        try:
            super().dataReceived(data)
        except Refused as refused:
            self.refuse(refused.refusal)

    def write(self, data: bytes) -> None:
        """Send bytes, counted."""
        if self.gate is not None:
            self.gate.count(len(data))
        super().write(data)

    def writeSequence(self, iovec: list[bytes]) -> None:
        """Send bytes, counted."""
        if self.gate is not None:
            self.gate.count(sum(map(len, iovec)))
        super().writeSequence(iovec)

    def lineReceived(self, line: bytes) -> None:
        """Collect the head, and judge it when it is complete."""
        if self._stage == "deaf":
            return
        if line:
            self._size += len(line) + 2
            self._lines.append(line)
            if self._size > self.connections.limits.head:
                raise Refused(refusals.HEAD_TOO_LARGE)
            if line[:1] in (b" ", b"\t"):
                raise Refused(refusals.MALFORMED)  # obsolete folding
        elif self._lines:
            self._judge(b"\r\n".join([*self._lines, b""]))
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a head that is one endless line."""
        self.refuse(refusals.HEAD_TOO_LARGE)

    def allContentReceived(self) -> None:
        """The request is whole: no deadline of ours runs while it is answered."""
        self._stage = "busy"
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """The answer is complete."""
        limits = self.connections.limits
        if self.connections.closing or not limits.keep_alive:
            self.persistent = 0
        self._begin("head" if any(self._dataBuffer) else "idle")
        try:
            super().requestDone(request)
        except Refused as refused:
            self.refuse(refused.refusal)

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is no more."""
        self._stage = "deaf"
        self.connections.forget(self, self._peer)
        super().connectionLost(reason)

    def hand_over(self) -> None:
        """Let Daphne's WebSocket protocol have the transport; nothing reaches this object any more."""
        self._stage = "deaf"
        self.connections.forget(self, self._peer)

    def check(self, now: float) -> None:
        """Act if a deadline has passed."""
        limits, waited = self.connections.limits, now - self._since
        unread = self.gate.unread_for(now) if self.gate is not None else 0.0
        if unread > limits.reader_timeout or (self._stage == "deaf" and waited > LINGER):
            self.abort()
        elif self._stage == "idle" and waited > (limits.head_timeout if self._fresh else limits.keep_alive):
            self.loseConnection()
        elif self._stage == "head" and waited > limits.head_timeout:
            self.refuse(refusals.HEAD_LATE)
        elif self._stage == "body" and waited > limits.body_timeout:
            arrived = self.requests[-1].content.tell() if self.requests else 0
            if arrived - self._mark < LEAST_PROGRESS:
                self.refuse(refusals.BODY_LATE)
            else:
                self._mark, self._since = arrived, now

    def stop(self) -> None:
        """Take no further request; one that is half here is dropped."""
        if self._stage == "idle":
            self.loseConnection()
        elif self._stage in ("head", "body"):
            self.abort()
        elif self._stage == "busy":
            self.persistent = 0

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    def refuse(self, refusal: Refusal) -> None:
        """Answer, say that nothing follows, and be deaf to what still comes."""
        self._begin("deaf")
        requests, self.requests = self.requests, []
        for request in requests:
            request.connectionLost(Failure(ConnectionDone()))
        text = self.head is not None and self.head.browser
        self.transport.write(refusals.answer(refusal, text=text))
        self._networkProducer.resumeProducing()
        self.transport.loseWriteConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        raise Refused(refusals.MALFORMED)

    def _judge(self, raw: bytes) -> None:
        limits, room = self.connections.limits, self.connections.room
        self._lines, self._size = [], 0
        self.head = head = heads.read(raw + b"\r\n", limits.head_count)
        self._fresh = False
        peer = self.transport.getPeer()
        self.seen_as = ((self._peer, getattr(peer, "port", 0)), "http")
        if trusted(self._peer):
            self.seen_as = addresses.seen_through(head.headers, *self.seen_as)
        if head.length == 0:
            return
        self._begin("body")
        self.body_limit = bodies.limit_for(
            head.headers, head.query, limits, port=getattr(self.transport.getHost(), "port", None)
        )
        if head.length is not None and head.length > self.body_limit:
            raise Refused(bodies.too_large(self.body_limit, self.connections.limits, head.length))
        if head.length is not None and room.taken + head.length > room.limit:
            raise Refused(refusals.NO_ROOM)

    def _begin(self, stage: str) -> None:
        self._stage, self._mark = stage, 0
        self._since = asyncio.get_running_loop().time()


class Factory(HTTPFactory):
    """Builds channels."""

    def buildProtocol(self, addr: Any) -> Channel:
        """Build one: directly, without the HTTP/2 chooser around it."""
        channel = Channel(self.server)
        channel.factory = self
        channel.site = self
        return channel


async def listen(server: "Server", listener: socket.socket) -> Callable[[], None]:
    """Begin to accept connections; return what ends that."""
    server.http_factory = Factory(server)
    port = reactor.adoptStreamPort(listener.fileno(), listener.family, server.http_factory)
    listener.close()
    return lambda: port.stopListening() and None
