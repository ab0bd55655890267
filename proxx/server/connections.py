"""All open client connections of this process: who is let in, whose deadline has passed, how everybody leaves.

Knows nothing of HTTP: a line (proxx/server/line.py, or Daphne's channel in stock.py) says itself what it waits for.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from email.utils import formatdate
from typing import Any, Final, Protocol

from proxx.server.bodies import Room
from proxx.server.limits import Limits

FAREWELL: Final = 3.0  # seconds that cancelled answers have for their last words
FLUSH: Final = 2.0  # seconds for written bytes to leave, once nothing runs any more


class Line(Protocol):
    """One open connection."""

    def check(self, now: float) -> None:
        """Act if a deadline has passed; `now` is the loop's time."""

    def stop(self) -> None:
        """Take no further request: close when idle or half-way through one, else after the running answer."""

    def abort(self) -> None:
        """Close at once, whatever is unsent."""


class Connections:
    """The register of lines and of the tasks that answer on them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.room = Room(limits.bodies_in_flight)
        self.open: set[Line] = set()
        self.sockets: set[Any] = set()  # WebSockets: Daphne closes them, here they only count
        self.tasks: set[asyncio.Task[None]] = set()
        self.closing = False
        self.date = b""
        self._by_address: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    def start(self) -> None:
        """Begin to watch the deadlines, on the running loop."""
        self._look(asyncio.get_running_loop())

    def admit(self, line: Line, address: str) -> bool:
        """Register a new connection, or return False if there are too many."""
        limits = self.limits
        if self.closing or len(self.open) + len(self.sockets) >= limits.connections:
            return False
        if limits.connections_per_address:
            if self._by_address[address] >= limits.connections_per_address:
                return False
            self._by_address[address] += 1
        self.open.add(line)
        return True

    def forget(self, line: Line, address: str) -> None:
        """Strike a connection that is no more."""
        if line not in self.open:
            return
        self.open.discard(line)
        if self._empty is not None and not self.open:
            self._empty.set()
        if self.limits.connections_per_address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def drain(self, seconds: float, hurry: asyncio.Event) -> None:
        """Let running answers finish for so long (or until `hurry`), then cancel them, then close everything."""
        self.closing = True
        for line in list(self.open):
            line.stop()
        await ended(self.tasks, seconds, hurry)
        for task in list(self.tasks):
            task.cancel()
        await ended(self.tasks, FAREWELL)
        for line in list(self.open):
            line.stop()
        if self.open:
            self._empty = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), FLUSH)
        for line in list(self.open):
            line.abort()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.sleep(0)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self.date = formatdate(usegmt=True).encode()
        for line in list(self.open):
            line.check(now)
        self._timer = loop.call_later(self.limits.beat, self._look, loop)


async def ended(tasks: set[asyncio.Task[None]], seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Wait until all tasks have ended, the time is up, or somebody is in a hurry."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + seconds
    impatient = loop.create_task(hurry.wait() if hurry is not None else asyncio.sleep(seconds))
    try:
        while running := {task for task in tasks if not task.done()}:
            left = give_up - loop.time()
            if left <= 0 or impatient.done():
                return
            await asyncio.wait({*running, impatient}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    finally:
        impatient.cancel()
