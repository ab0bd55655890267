"""The clock of a connection, with time in the test's hand: which silence counts, and how few timers it takes."""

import heapq
import itertools
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from proxx.upstream.message import Timeouts
from proxx.upstream.transport.connection import Connection
from proxx.upstream.transport.exchange import UNREAD_LIMIT, Exchange

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"5\r\nhello\r\n"
TIMEOUTS = Timeouts(connect=1, headers=30, idle=10)


class Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class StillLoop:
    """A loop in which time passes only by `advance`; it counts the timers it was asked for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers = 0
        self._order = itertools.count()
        self._due: list[tuple[float, int, Timer]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self.timers += 1
        timer = Timer(callback)
        heapq.heappush(self._due, (when, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._due)
            if not timer.cancelled:
                timer.callback()
        self.now = until


class StillTransport:
    """Takes bytes only as far as the test lets it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unsent = 0
        self.stuck = False
        self.reading = True
        self.aborted = False

    def write(self, data: bytes) -> None:
        if self.stuck:
            self.unsent += len(data)
            self.protocol.pause_writing()

    def take(self, size: int) -> None:
        self.unsent = max(0, self.unsent - size)
        if not self.unsent:
            self.protocol.resume_writing()

    def get_extra_info(self, _name: str) -> socket.socket:
        return self.sock

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, **_limits: int) -> None: ...

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Home:
    def put(self, _connection: Connection) -> bool:
        return True

    def forget(self, connection: Connection) -> None: ...


@pytest.fixture
def loop() -> StillLoop:
    return StillLoop()


@pytest.fixture
def transport() -> Iterator[StillTransport]:
    ours, theirs = socket.socketpair()
    yield StillTransport(ours)
    ours.close()
    theirs.close()


@pytest.fixture
def connection(loop: Any, transport: Any) -> Connection:
    made = Connection(loop, Home(), ("http", b"host", 80))
    transport.protocol = made
    made.connection_made(transport)
    return made


def begin(connection: Connection, timeouts: Timeouts = TIMEOUTS, body: bytes = b"") -> Exchange:
    return connection.begin(b"POST / HTTP/1.1\r\n\r\n", body, timeouts, without_body=False)


def read(exchange: Exchange) -> bytes:
    """Take one item that is here already."""
    coroutine = exchange.__anext__()
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    return caught.value.value


def test_the_wait_for_a_head_ends_when_it_should(loop: StillLoop, connection: Connection) -> None:
    exchange = begin(connection)
    loop.advance(29.9)
    assert exchange.error is None
    loop.advance(0.2)
    assert isinstance(exchange.error, httpx.ReadTimeout)


def test_part_of_a_head_moves_no_deadline(loop: StillLoop, connection: Connection) -> None:
    exchange = begin(connection)
    loop.advance(29)
    connection.data_received(HEAD[:20])
    loop.advance(1.1)
    assert isinstance(exchange.error, httpx.ReadTimeout)


def test_every_read_of_a_body_moves_the_deadline(loop: StillLoop, connection: Connection) -> None:
    exchange = begin(connection)
    connection.data_received(HEAD)
    for _ in range(20):
        loop.advance(9)
        connection.data_received(CHUNK)
    assert exchange.error is None
    loop.advance(10.1)
    assert isinstance(exchange.error, httpx.ReadTimeout)
    assert [read(exchange) for _ in range(20)] == [b"hello"] * 20


def test_a_thousand_chunks_take_a_handful_of_timers(loop: StillLoop, connection: Connection) -> None:
    begin(connection)
    connection.data_received(HEAD)
    for _ in range(1000):
        loop.advance(0.05)
        connection.data_received(CHUNK)
    assert loop.timers <= 2 + 50 / TIMEOUTS.idle


def test_many_exchanges_take_a_handful_of_timers(loop: StillLoop, connection: Connection) -> None:
    for _ in range(1000):
        exchange = begin(connection, Timeouts(connect=1, headers=180, idle=300))
        loop.advance(0.01)
        connection.data_received(HEAD + CHUNK + b"0\r\n\r\n")
        assert exchange.complete
    assert loop.timers <= 4


def test_waiting_for_ever_takes_no_timer_until_the_connection_is_unused(
    loop: StillLoop, connection: Connection, transport: StillTransport
) -> None:
    exchange = begin(connection, Timeouts(*[float("inf")] * 3))
    loop.advance(1e6)
    connection.data_received(HEAD + CHUNK)
    loop.advance(1e6)
    assert (exchange.error, loop.timers) == (None, 0)
    connection.data_received(b"0\r\n\r\n")
    loop.advance(59.9)
    assert not transport.aborted
    loop.advance(0.2)
    assert transport.aborted


def test_an_upload_that_is_slow_but_steady_runs_into_no_timeout(
    loop: StillLoop, connection: Connection, transport: StillTransport
) -> None:
    transport.stuck = True
    exchange = begin(connection, body=b"x" * 1000)
    for _ in range(20):
        loop.advance(9)
        transport.take(50)
    assert transport.unsent > 0
    assert exchange.error is None
    loop.advance(20.1)
    assert isinstance(exchange.error, httpx.WriteTimeout)


def test_the_wait_for_a_head_begins_when_the_request_has_left(
    loop: StillLoop, connection: Connection, transport: StillTransport
) -> None:
    transport.stuck = True
    exchange = begin(connection, body=b"x" * 1000)
    loop.advance(9)
    transport.take(2000)
    loop.advance(29.9)
    assert exchange.error is None
    loop.advance(0.2)
    assert isinstance(exchange.error, httpx.ReadTimeout)


def test_silence_while_our_reader_makes_the_upstream_wait_is_no_timeout(
    loop: StillLoop, connection: Connection, transport: StillTransport
) -> None:
    exchange = begin(connection)
    connection.data_received(HEAD)
    piece = b"%x\r\n" % UNREAD_LIMIT + b"x" * UNREAD_LIMIT + b"\r\n"
    connection.data_received(piece)
    assert not transport.reading
    loop.advance(1000)
    assert exchange.error is None
    assert len(read(exchange)) == UNREAD_LIMIT
    assert transport.reading
    loop.advance(9.9)
    assert exchange.error is None
    loop.advance(0.2)
    assert isinstance(exchange.error, httpx.ReadTimeout)


def test_a_hurried_end_is_not_put_off_by_what_still_comes(
    loop: StillLoop, connection: Connection, transport: StillTransport
) -> None:
    exchange = begin(connection)
    connection.data_received(HEAD)
    exchange.finish_later(2)
    for _ in range(3):
        loop.advance(0.9)
        connection.data_received(CHUNK)
    assert transport.aborted
