"""One connection: moves bytes, watches the clock, goes back to its pool after each whole answer.

One timer serves a connection for life. Each read only moves `deadline`; the timer looks at it when it fires and, if the
deadline has moved on, arms itself anew. So a stream of a thousand chunks costs no timer at all.
"""

import asyncio
import re
import select
from typing import Protocol, cast

import httpx

from proxx.upstream.message import HeaderList, Timeouts
from proxx.upstream.transport.exchange import UNREAD_LIMIT, Exchange
from proxx.upstream.transport.line import StaleConnection

Origin = tuple[str, bytes, int]  # scheme, host, port

NEVER = float("inf")
IDLE_SECONDS = 60.0  # how long an unused connection is kept
ANNOUNCED = re.compile(rb"timeout=(\d{1,6})", re.IGNORECASE)  # `Keep-Alive: timeout=5`: when the upstream will close
ANNOUNCED_SHARE = 0.8  # we leave before it does
# A used connection that dies this soon after our request was being closed by the upstream at that moment; later, the
# upstream had begun to work on the request, and sending it again could make it work (and charge) twice.
RACE_SECONDS = 1.0
JOIN_LIMIT = 256 * 1024  # up to here head and body leave as one write; above, the copy would cost more than a packet


class Home(Protocol):
    """What a connection needs of its pool."""

    def put(self, connection: "Connection") -> bool:
        """Keep a connection for the next exchange; False if there is no room."""
        ...

    def forget(self, connection: "Connection") -> None:
        """Strike out a connection that is closed."""
        ...


class Connection(asyncio.Protocol):
    """A TCP or TLS connection to one origin, serving one exchange at a time."""

    __slots__ = (
        "_home",
        "_keep_for",
        "_left_to_write",
        "_loop",
        "_poll",
        "_reading_paused",
        "_sent_at",
        "_timeouts",
        "_timer",
        "_timer_at",
        "_transport",
        "_used",
        "_writing",
        "deadline",
        "exchange",
        "origin",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, home: Home, origin: Origin) -> None:
        self._loop = loop
        self._home = home
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER
        self._timeouts = Timeouts(NEVER, NEVER, NEVER)
        self._reading_paused = False
        self._writing = False
        self._left_to_write = 0
        self._sent_at = 0.0
        self._used = False
        self._keep_for = IDLE_SECONDS
        self._poll = select.poll()
        self.origin = origin
        self.deadline = NEVER
        self.exchange: Exchange | None = None

    @property
    def usable(self) -> bool:
        """Tell whether a request may be sent: open, unused, and nothing waits to be read.

        The last is asked of the system, for one microsecond: an end that the loop has not come to yet would swallow our
        request, and a second answer to the last caller would become the answer to the next.
        """
        transport = self._transport
        if transport is None or self.exchange is not None or transport.is_closing():
            return False
        return not self._poll.poll(0)

    def begin(self, head: bytes, body: bytes, timeouts: Timeouts, *, without_body: bool) -> Exchange:
        """Send a request; the exchange that is returned will receive the answer."""
        transport = cast(asyncio.Transport, self._transport)
        exchange = self.exchange = Exchange(self._loop, self, without_body=without_body)
        self._timeouts = timeouts
        if not body:
            transport.write(head)
        elif len(body) <= JOIN_LIMIT:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
        self._sent_at = self._loop.time()
        if self._writing:
            self._left_to_write = transport.get_write_buffer_size()
            self._set_deadline(self._sent_at + timeouts.idle)
        else:
            self._set_deadline(self._sent_at + timeouts.headers)
        return exchange

    def resume(self) -> None:
        """Read on after a pause; the upstream's silence counts from now."""
        if self._reading_paused and self._transport is not None and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()
            self._set_deadline(self._loop.time() + self._timeouts.idle)

    def hurry(self, seconds: float) -> None:
        """Close if the answer is not whole after so long, however steadily it comes."""
        self._set_deadline(min(self.deadline, self._loop.time() + seconds))

    def drop(self) -> None:
        """Close at once, without farewell; an exchange under way fails."""
        exchange, self.exchange = self.exchange, None
        if exchange is not None and exchange.error is None:
            exchange.fail(httpx.ReadError("The connection was closed on our side."))
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; from now on every unsent byte is noticed."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=1, low=0)
        self._poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Hand what arrived to the exchange and see whether that ends it."""
        exchange = self.exchange
        if exchange is None:
            self.drop()  # nobody asked: whatever this is must not become somebody's answer
            return
        exchange.feed(data)
        if exchange.complete:
            self._finish(exchange)
        elif exchange.error is not None:
            self.drop()
        elif exchange.head_done and not exchange.discarding:
            self.deadline = self._loop.time() + self._timeouts.idle
            if self.deadline < self._timer_at:  # only behind a head's deadline that is longer than the silence allowed
                self._set_deadline(self.deadline)
            if exchange.unread > UNREAD_LIMIT and not self._reading_paused:
                self._reading_paused = exchange.paused = True
                cast(asyncio.Transport, self._transport).pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchange, if any, and the pool."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._home.forget(self)
        self._transport = None
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        raced = self._loop.time() - self._sent_at <= RACE_SECONDS
        if self._used and exchange.untouched and raced:
            exchange.fail(StaleConnection("The provider closed the connection while it was used again."))
        elif exc is not None and self._writing and exchange.untouched:
            exchange.fail(httpx.WriteError("The connection broke while the request was being sent."))
        else:
            exchange.lost(exc)

    def pause_writing(self) -> None:
        """Notice that not all of the request has left yet."""
        self._writing = True

    def resume_writing(self) -> None:
        """Notice that it has: the wait for the head begins."""
        self._writing = False
        if self.exchange is not None and not self.exchange.head_done:
            self._set_deadline(self._loop.time() + self._timeouts.headers)

    # Inside.

    def _finish(self, exchange: Exchange) -> None:
        self.exchange = None
        exchange.detach()
        reusable = exchange.keep_alive and not exchange.surplus and not self._writing
        if reusable and not self._used:
            self._used = True
            self._keep_for = _announced(exchange.raw_headers)
        if reusable and self._home.put(self):
            self._set_deadline(self._loop.time() + self._keep_for)
        else:
            self.drop()

    def _set_deadline(self, when: float) -> None:
        self.deadline = when
        if when < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = when
            self._timer = self._loop.call_at(when, self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_at = None, NEVER
        now = self._loop.time()
        if now < self.deadline:
            self._set_deadline(self.deadline)
        elif self.exchange is None:
            self.drop()  # nobody needed it for a minute
        elif self._reading_paused or self._still_sending():
            self._set_deadline(now + self._timeouts.idle)  # the silence is ours
        else:
            self._time_out(self.exchange)

    def _still_sending(self) -> bool:
        """Tell whether the upstream has taken more of our request since we last looked."""
        if not self._writing or self._transport is None:
            return False
        before, self._left_to_write = self._left_to_write, self._transport.get_write_buffer_size()
        return self._left_to_write < before

    def _time_out(self, exchange: Exchange) -> None:
        if self._writing and not exchange.head_done:
            exchange.fail(httpx.WriteTimeout("The provider stopped taking the request."))
        elif not exchange.head_done:
            exchange.fail(httpx.ReadTimeout("The provider sent no response head in time."))
        else:
            exchange.fail(httpx.ReadTimeout("The provider fell silent in the middle of the answer."))
        self.drop()


def _announced(headers: HeaderList) -> float:
    """Return how long to keep a connection, by what the upstream says of itself."""
    for name, value in headers:
        if len(name) == 10 and name.lower() == b"keep-alive" and (found := ANNOUNCED.search(value)):
            return min(IDLE_SECONDS, int(found[1]) * ANNOUNCED_SHARE)
    return IDLE_SECONDS
