"""One client connection of the fast data plane: bytes in, one request at a time out, deadlines, and every ending.

An asyncio protocol on the loop that Daphne's reactor runs. Requests are read by intake.py, answers framed by
exchange.py, WebSockets handed to Daphne by sockets.py. Whoever is refused gets the answer even while still sending.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from proxx.kit.peer import trusted
from proxx.server import addresses, heads, intake, refusals
from proxx.server.connections import Connections
from proxx.server.exchange import Application, Exchange, failure_of
from proxx.server.intake import Intake, Request
from proxx.server.refusals import Refusal, Refused

READING, BUSY, DEAF, CLOSED = range(4)  # DEAF: refused; what still arrives is read and forgotten

LINGER: Final = 10.0  # seconds a refused client has to stop sending and read its answer
PIPELINE_LIMIT: Final = 65_536  # bytes of following requests that are kept while one is answered
LEAST_PROGRESS: Final = 512  # bytes of a body that must arrive within PROXY_BODY_TIMEOUT
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}

# One buffer for all lines: between recv and buffer_updated nobody else runs.
_buffer: Final = memoryview(bytearray(65_536))

HandOver = Callable[["Line", heads.Head], None]


class Line(asyncio.BufferedProtocol):
    """One client connection."""

    __slots__ = (
        "_fresh",
        "_mark",
        "_moved",
        "_sent",
        "_since",
        "_stage",
        "_state",
        "_through_proxy",
        "_writers",
        "_written",
        "application",
        "client",
        "connections",
        "exchange",
        "hand_over",
        "intake",
        "loop",
        "paused",
        "server",
        "transport",
    )

    def __init__(
        self, application: Application, connections: Connections, loop: asyncio.AbstractEventLoop, hand_over: HandOver
    ) -> None:
        self.application, self.connections, self.loop, self.hand_over = application, connections, loop, hand_over
        self.exchange: Exchange | None = None
        self.intake = Intake(connections.limits, connections.room)
        self.paused = False
        self._state, self._stage, self._fresh = READING, intake.NOTHING, True
        self._writers: list[asyncio.Future[None]] = []
        self._mark = self._sent = self._written = 0
        self._since = self._moved = loop.time()

    # What the transport calls.

    def connection_made(self, transport: Any) -> None:
        """Take the connection, or refuse it if there are too many."""
        self.transport: Any = transport
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _address(transport.get_extra_info("sockname"))
        self.intake.port = self.server[1]
        self._through_proxy = trusted(self.client[0])
        if self.connections.admit(self, self.client[0]):
            limit = self.connections.limits.write_buffer
            transport.set_write_buffer_limits(high=limit, low=limit // 4)
        else:
            transport.write(refusals.answer(refusals.TOO_MANY_CONNECTIONS))
            self._close()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the one buffer."""
        return _buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what arrived."""
        if self._state == READING and (self._stage != intake.NOTHING or not self.paused):
            try:
                request = self.intake.feed(_buffer[:nbytes])
            except Refused as refused:
                self.refuse(refused.refusal)
                return
            if request is not None:
                self._start(request)
            elif self.intake.stage != self._stage:
                self._note_stage()
        elif self._state <= BUSY:
            self.intake.keep(_buffer[:nbytes])
            if self.intake.waiting > PIPELINE_LIMIT:
                self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The client will send no more: to us, it has left."""
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self._leave()
        self._state = CLOSED
        self.paused = False
        self._wake_writers()
        self.connections.forget(self, self.client[0])

    def pause_writing(self) -> None:
        """More than PROXY_WRITE_BUFFER_LIMIT is unsent."""
        self.paused = True

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.paused = False
        self._wake_writers()
        if self._state == READING and self.intake.waiting and self.intake.stage == intake.NOTHING:
            self._next()

    # What the exchange calls.

    def write(self, data: bytes) -> None:
        """Send bytes; what the socket does not take is kept."""
        self._written += len(data)
        self.transport.write(data)

    async def writable(self) -> None:
        """Wait until the client has read enough, or has gone."""
        writer = self.loop.create_future()
        self._writers.append(writer)
        await writer

    def answered(self, exchange: Exchange) -> None:
        """The answer is complete: on to the next request, or goodbye."""
        if self.exchange is not exchange:
            return
        self.exchange = None
        if not exchange.keep_alive or self.connections.closing:
            self._close()
            return
        self._state, self._stage, self._since = READING, intake.NOTHING, self.loop.time()
        if self.intake.waiting and not self.paused:
            self._next()

    def ended(self, exchange: Exchange) -> None:
        """The application has returned; an answer that is not complete by now never will be."""
        self.connections.room.give_back(exchange.room_taken)
        if exchange.task is not None:
            self.connections.tasks.discard(exchange.task)
        exchange.gone = True  # whatever it left running has no say on this line any more
        if self.exchange is not exchange:
            return
        self.exchange = None
        if exchange.started:
            self._close()
        else:
            self.refuse(failure_of(exchange), bodiless=exchange.bodiless)

    # What the register of connections calls.

    def check(self, now: float) -> None:
        """Act if a deadline has passed."""
        limits, waited = self.connections.limits, now - self._since
        if self._unread_for(now) > limits.reader_timeout or (self._state == DEAF and waited > LINGER):
            self.abort()
        elif self._state != READING:
            return
        elif self._stage == intake.NOTHING:
            if waited > (limits.head_timeout if self._fresh else limits.keep_alive):
                self._close()
        elif self._stage == intake.HEAD:
            if waited > limits.head_timeout:
                self.refuse(refusals.HEAD_LATE)
        elif waited > limits.body_timeout:
            arrived = self.intake.arrived
            if arrived - self._mark < LEAST_PROGRESS:
                self.refuse(refusals.BODY_LATE)
            self._mark, self._since = arrived, now

    def stop(self) -> None:
        """Take no further request; one that is half here is dropped."""
        if self._state == READING:
            if self._stage == intake.NOTHING:
                self._close()
            else:
                self.abort()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abort()

    # From request to request.

    def _note_stage(self) -> None:
        """Start the clock of what has begun to arrive."""
        self._stage, self._since, self._mark = self.intake.stage, self.loop.time(), 0
        if self.intake.owes_continue:
            self.intake.owes_continue = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _start(self, request: Request) -> None:
        head, self._fresh = request.head, False
        if head.websocket:
            self._state = CLOSED
            self.hand_over(self, head)
            return
        client, scheme = self.client, "http"
        if self._through_proxy:
            client, scheme = addresses.seen_through(head.headers, client, scheme)
        scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": head.version,
            "method": head.method,
            "scheme": scheme,
            "path": heads.scope_path(head.path),
            "raw_path": head.path,
            "query_string": head.query,
            "root_path": "",
            "headers": head.headers,
            "client": client,
            "server": self.server,
        }
        self._state = BUSY
        keep_alive = head.keep_alive and self.connections.limits.keep_alive > 0
        self.exchange = exchange = Exchange(self, scope, request.body, keep_alive=keep_alive)
        exchange.task = task = self.loop.create_task(exchange.run(self.application))
        self.connections.tasks.add(task)

    def _next(self) -> None:
        """Read the request that came while the last one was answered."""
        if not self.transport.is_reading():
            self.transport.resume_reading()
        try:
            request = self.intake.next()
        except Refused as refused:
            self.refuse(refused.refusal)
            return
        if request is not None:
            self._start(request)
        else:
            self._note_stage()

    # How it ends.

    def refuse(self, refusal: Refusal, *, bodiless: bool = False) -> None:
        """Answer instead of the application: write, say that nothing follows, and be deaf to what still comes."""
        self.intake.drop()
        head = self.intake.head
        self._state, self._since = DEAF, self.loop.time()
        self.write(refusals.answer(refusal, text=head is not None and head.browser, bodiless=bodiless))
        if not self.transport.is_closing():
            self.transport.write_eof()
            if not self.transport.is_reading():
                self.transport.resume_reading()

    def _close(self) -> None:
        """Send what is written, then close."""
        self._state = CLOSED
        self.transport.close()

    def _leave(self) -> None:
        self.intake.drop()
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.leave()

    def _unread_for(self, now: float) -> float:
        """Return for how long the client has taken nothing of what is unsent."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or self._written - unsent != self._sent:
            self._sent, self._moved = self._written - unsent, now
        return now - self._moved

    def _wake_writers(self) -> None:
        writers, self._writers = self._writers, []
        for writer in writers:
            if not writer.done():
                writer.set_result(None)


def _address(name: Any) -> addresses.Address:
    """Return host and port; a Unix socket has neither."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else ("", 0)
