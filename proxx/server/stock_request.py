"""One request of the stock data plane: Daphne's class, its body counted, its answer held back for slow readers.

Twisted would spool bodies to disk and parse forms; Daphne would answer errors with pages of its own. stock.py builds
these and feeds them.
"""

from typing import Any

from daphne.http_protocol import WebRequest

from proxx.server import bodies, refusals
from proxx.server.bodies import Body
from proxx.server.gate import Gate
from proxx.server.refusals import Refusal


class Request(WebRequest):
    """One request, its body counted and kept in memory (Twisted would spool it to disk, and parse forms)."""

    gate: Gate | None = None
    _body: Body | None = None

    def gotLength(self, length: int | None) -> None:
        """Prepare for the body."""
        channel = self.channel
        connections = channel.connections
        refusal = bodies.too_large(channel.body_limit, connections.limits)
        self._body = Body(channel.body_limit, connections.room, refusal)
        self.content = self._body.file

    def handleContentChunk(self, data: bytes) -> None:
        """Count a piece, then store it."""
        if self._body is not None:
            self._body.add(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Hand the whole request to Daphne, without looking for forms in it."""
        self.content.seek(0)
        self.args: dict[bytes, list[bytes]] = {}
        head = self.channel.head
        self.method, self.clientproto = command, version
        self.uri = head.path + (b"?" + head.query if head.query else b"")
        self.path = head.path
        self.requestHeaders.removeHeader(b"daphne-root-path")  # Daphne believes it from anybody
        if head.websocket:
            self.channel.hand_over()
        else:
            self.requestHeaders.removeHeader(b"upgrade")  # an upgrade to anything else is ignored
            self.gate = self.channel.gate
            self.registerProducer(self.gate, True)  # noqa: FBT003 - Twisted's signature
        self.process()

    def isSecure(self) -> bool:
        """Tell whether the client speaks https, to us or to a trusted proxy."""
        return bool(self.channel.seen_as[1] == "https")

    def handle_reply(self, message: Any) -> None:
        """Pass a message on; an answer has a date."""
        super().handle_reply(message)
        if message["type"] == "http.response.start":
            self.setHeader(b"date", self.channel.connections.date)
            if self.channel.connections.closing:
                self.setHeader(b"connection", b"close")

    def finish(self) -> None:
        """End the answer."""
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        """The client has gone."""
        self._let_go()
        if self.gate is not None:
            self.gate.stopProducing()
        super().connectionLost(reason)

    def application_ended(self) -> None:
        """The application has returned; an answer that is not complete by now never will be."""
        if self.finished or self._disconnected:
            return
        if self._response_started:
            self.channel.transport.abortConnection()
        else:
            stopping = self.channel.connections.closing
            self._answer(refusals.STOPPING if stopping else refusals.NO_ANSWER)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Say it in the house's envelope instead of Daphne's page."""
        known = {400: refusals.MALFORMED, 503: refusals.STOPPING}
        self._answer(known.get(status, refusals.NO_ANSWER))

    def _answer(self, refusal: Refusal) -> None:
        if self._response_started:
            return
        head = self.channel.head
        headers, body = refusals.content(refusal, text=head is not None and head.browser)
        self.handle_reply({"type": "http.response.start", "status": refusal.status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": body})

    def _let_go(self) -> None:
        if self._body is not None:
            self._body.drop()
            self._body = None
        if self.gate is not None and self.producer is self.gate:
            self.unregisterProducer()
