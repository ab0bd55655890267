"""The client side of a benchmark: one thread, epoll, sockets that stay open. It checks every answer and times it.

No asyncio and no HTTP library: on the one core that load and provider share, a client must cost little beside the
20 to 500 µs that are measured. Answers are read as far as needed: head, length or last chunk, stamps of events.
"""

import contextlib
import gc
import re
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

READ = 1 << 18
FAILURES = 100  # with no good answer between them: something is not running
GIVE_UP = 60.0  # seconds without a byte from anybody
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STAMP = re.compile(rb'"content": ?"(\d{12,})"')
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(slots=True)
class Requests:
    """One block of whole answers; times in nanoseconds."""

    seconds: float
    times: list[int] = field(default_factory=list)
    failed: int = 0
    reconnects: int = 0

    @property
    def done(self) -> int:
        """Return how many good answers came."""
        return len(self.times)


@dataclass(slots=True)
class Streams:
    """One block of streams: the age of every event when it was read, and when the first one came; nanoseconds."""

    wanted: int
    seconds: float = 0.0
    ages: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    finished: int = 0
    failed: int = 0


def post(path: str, body: bytes, *, key: str) -> bytes:
    """Return a whole POST as bytes."""
    lines = (
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        "user-agent: benchmark",
        "accept: */*",
        f"content-length: {len(body)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def get(path: str) -> bytes:
    """Return a whole GET as bytes."""
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: benchmark\r\naccept: */*\r\n\r\n".encode()


def ask_for(port: int, payload: bytes, *, concurrency: int, seconds: float) -> Requests:
    """Keep that many requests in flight for that many seconds; each connection sends again when it got its answer.

    Raises ConnectionError when there is nothing but failures.
    """
    block = Requests(seconds)
    with contextlib.ExitStack() as stack:
        poller = stack.enter_context(select.epoll())
        lines = [stack.enter_context(contextlib.closing(_Line(port, payload, poller))) for _ in range(concurrency)]
        stack.enter_context(_no_garbage())
        began = time.perf_counter_ns()
        _keep_asking(block, {line.fd: line for line in lines}, poller, began + int(seconds * 1e9))
        block.seconds = (time.perf_counter_ns() - began) / 1e9
    return block


def _keep_asking(block: Requests, by_fd: "dict[int, _Line]", poller: select.epoll, end: int) -> None:
    clock = time.perf_counter_ns
    busy = len(by_fd)
    for line in by_fd.values():
        line.send(clock())
    while busy:
        ready = poller.poll(GIVE_UP)
        if not ready:
            block.failed += busy
            return
        for fd, _ in ready:
            line = by_fd[fd]
            good = line.receive()
            if good is None:
                continue
            now = clock()
            if good:
                block.times.append(now - line.sent_at)
            else:
                block.failed += 1
                if block.failed > FAILURES and not block.times:
                    raise ConnectionError(f"Nothing but failures: {line.last[:200]!r}")
            if line.closed:
                del by_fd[fd]
                line.connect()
                by_fd[line.fd] = line
                block.reconnects += 1
            if now < end:
                line.send(now)
            else:
                busy -= 1


def stream_from(
    port: int, payload: bytes, *, count: int, at_once: int, ramp: float = 0.0, midway: Callable[[], None] | None = None
) -> Streams:
    """Run that many streams, at most `at_once` together, one more every `ramp` seconds until then.

    `midway` is called once, when half of the streams' time has probably passed (all are open by then).
    """
    block = Streams(count)
    poller = select.epoll()
    flows: dict[int, _Flow] = {}
    begun = 0
    clock = time.monotonic_ns
    with _no_garbage():
        began = clock()
        while begun < count or flows:
            while begun < count and len(flows) < at_once and clock() >= began + int(begun * ramp * 1e9):
                flow = _Flow(port, payload, poller)
                flows[flow.fd] = flow
                begun += 1
            pause = ramp / 2 if ramp and begun < count and len(flows) < at_once else GIVE_UP
            ready = poller.poll(pause)
            if not ready and pause == GIVE_UP:
                block.failed += len(flows)
                break
            for fd, _ in ready:
                flow = flows[fd]
                if not flow.receive(block, clock):
                    continue
                del flows[fd]
                flow.close()
            if midway is not None and begun == count and clock() > began + int(count * ramp * 1e9) + 2_000_000_000:
                midway()
                midway = None
        block.seconds = (clock() - began) / 1e9
    for flow in flows.values():
        flow.close()
    poller.close()
    return block


class _Line:
    """One connection that asks the same again and again."""

    def __init__(self, port: int, payload: bytes, poller: select.epoll) -> None:
        self._port, self._payload, self._poller = port, payload, poller
        self.sent_at = 0
        self.last = b""
        self.connect()

    def connect(self) -> None:
        """Open the connection."""
        self._socket = _connected(self._port)
        self.fd = self._socket.fileno()
        self._poller.register(self.fd, select.EPOLLIN)
        self._data = b""
        self._total = 0  # bytes of head and body; 0 unknown, -1 chunked
        self.closed = False

    def send(self, now: int) -> None:
        """Ask."""
        self.sent_at = now
        self._socket.send(self._payload)

    def receive(self) -> bool | None:
        """Read; say whether a whole answer was good, or None while it is incomplete."""
        try:
            data = self._socket.recv(READ)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.close()
            return False
        self._data = self._data + data if self._data else data
        if self._total == 0 and not self._measure():
            return None
        if self._total > len(self._data) or (self._total < 0 and not self._data.endswith(LAST_CHUNK)):
            return None
        good = self._data.startswith(b"HTTP/1.1 200")
        if not good:
            self.last = self._data
        self._data, self._total = b"", 0
        return good

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._poller.unregister(self.fd)
            self._socket.close()
            self.closed = True

    def _measure(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = LENGTH.search(self._data, 0, end)
        self._total = end + 4 + int(length[1]) if length else -1
        return True


class _Flow:
    """One stream on a connection of its own."""

    def __init__(self, port: int, payload: bytes, poller: select.epoll) -> None:
        self._poller = poller
        self._socket = _connected(port)
        self.fd = self._socket.fileno()
        poller.register(self.fd, select.EPOLLIN)
        self._begun = time.monotonic_ns()
        self._rest = b""
        self._head = False
        self._seen = False
        self._done = False
        self._socket.send(payload)

    def receive(self, block: Streams, clock: Callable[[], int]) -> bool:
        """Read what is there; say whether the stream is over."""
        try:
            data = self._socket.recv(READ)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        now = clock()
        if not data:
            block.failed += 1
            return True
        if not self._head:
            if not data.startswith(b"HTTP/1.1 200"):
                block.failed += 1
                return True
            self._head = True
        if self._rest:
            data = self._rest + data
        stamps = STAMP.findall(data)
        if stamps:
            block.ages.extend([now - int(stamp) for stamp in stamps])
            if not self._seen:
                self._seen = True
                block.first.append(now - self._begun)
        self._done = self._done or b"data: [DONE]" in data
        if data.endswith(LAST_CHUNK):
            block.finished += self._done
            block.failed += not self._done
            return True
        self._rest = data[data.rfind(b"\n") + 1 :]
        return False

    def close(self) -> None:
        """Close the connection."""
        self._poller.unregister(self.fd)
        self._socket.close()


class _no_garbage:
    """No collection in the middle of a measurement."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()


def _connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock
