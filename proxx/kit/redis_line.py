"""One connection to Redis for the event loop: scripts asked in a line, answered in order, none waited for in a thread.

All that is asked within one turn of the loop leaves in one write. It knows which Redis it talks to (`run`, another one
after every restart) and how Redis' clock stands to our stopwatch. A Redis that does not answer within 250 ms counts as
away: whoever waits hears it at once, nobody else is kept waiting, and a task of its own tries again until it answers.
What is only told (`tell`) is told again after that, so telling must be safe to repeat.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection, parse_url

from proxx.kit import metrics

log = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds that an answer may take
GRACE = 0.005  # seconds in which a loop reads what has arrived
BREAK = 1.0  # seconds between two attempts to reach a Redis that is away
TOLD_AT_MOST = 20_000  # what is told while Redis is away; then the oldest is dropped

Waiting = asyncio.Future[Any]


class RedisAway(Exception):
    """Redis does not answer, or refuses; nobody knows whether it did what it was asked."""


class Script:
    """A Lua script: its text, and its name once Redis has it."""

    __slots__ = ("name", "text")

    def __init__(self, text: str) -> None:
        self.text, self.name = text, b""


class _Wire(asyncio.Protocol):
    """One connection's life; what an earlier one still has to say is not heard."""

    def __init__(self, line: "Line") -> None:
        self._line, self._reader = line, hiredis.Reader()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be there."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand on each answer."""
        self._reader.feed(data)
        try:
            while self._line.wire is self and (answer := self._reader.gets()) is not False:
                self._line.hear(answer)
        except hiredis.ProtocolError as fault:
            self._line.lose(self, str(fault))

    def connection_lost(self, exc: Exception | None) -> None:
        """Redis hung up."""
        self._line.lose(self, "it hung up")


class Line:
    """The connection of one event loop. Everything happens in that loop."""

    def __init__(self, url: str, scripts: Sequence[Script]) -> None:
        self.run = b""  # the Redis we talk to; keys named after it are gone for us when it restarts
        self._lead = 0.0  # what Redis' clock (milliseconds) is ahead of our stopwatch
        self._url, self._scripts = url, scripts
        self._loop = asyncio.get_running_loop()
        self.wire: _Wire | None = None
        self._out: list[bytes] = []
        # Who waits, since when; what was only told is kept until Redis has heard it.
        self._waiting: deque[tuple[Waiting | None, float, tuple[Any, ...]]] = deque()
        self._untold: deque[tuple[Any, ...]] = deque(maxlen=TOLD_AT_MOST)
        self._watch: asyncio.TimerHandle | None = None
        self._late = False
        self._coming: asyncio.Task[None] | None = None
        self._first: asyncio.Event = asyncio.Event()
        self._ready = False

    @property
    def ready(self) -> bool:
        """Tell whether Redis answers, as far as we know."""
        return self._ready

    def serves(self, url: str) -> bool:
        """Tell whether this is a line to that address, of the running loop."""
        return url == self._url and self._loop is asyncio.get_running_loop()

    async def ask(self, script: Script, *arguments: Any) -> Any:
        """Run a script and return its answer; raise `RedisAway`."""
        if not self._ready:
            await self.come()
        future: Waiting = self._loop.create_future()
        self._send(future, ("EVALSHA", script.name, 0, *arguments))
        return await future

    def tell(self, script: Script, *arguments: Any) -> None:
        """Run a script some time, without waiting for it; again if nobody knows whether it ran."""
        words = ("EVALSHA", script.name, 0, *arguments)
        if self._ready:
            self._send(None, words)
        else:
            self._untold.append(words)
            self._come()

    def now(self) -> float:
        """Return what the clock of Redis says now, in milliseconds, as far as we know."""
        return self._loop.time() * 1000 + self._lead

    def distrust(self) -> None:
        """Begin anew: what we know of Redis' clock is not true any more."""
        self._break("its clock has jumped")

    def close(self) -> None:
        """Let go of the connection; nobody is served any more."""
        if self._coming is not None:
            self._coming.cancel()
        self._first.set()
        self._fall("closed")

    # What the wire says.

    def hear(self, answer: Any) -> None:
        """Hand an answer to who waits for it."""
        if not self._waiting:
            return
        self._late = False
        future, _, words = self._waiting.popleft()
        if isinstance(answer, hiredis.ReplyError):
            # Scripts are ours and tried: it is Redis that cannot (out of memory, read-only, restored without them).
            if future is None:
                self._untold.append(words)
            elif not future.done():
                future.set_exception(RedisAway(str(answer)))
            self._break(str(answer))
        elif future is not None and not future.done():
            future.set_result(answer)

    def lose(self, wire: _Wire, why: str) -> None:
        """Hear that a connection is over."""
        if wire is self.wire:
            self._break(why)

    # Sending.

    def _send(self, future: Waiting | None, words: tuple[Any, ...]) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(hiredis.pack_command(words))
        self._waiting.append((future, self._loop.time(), words))
        if self._watch is None:
            self._watch = self._loop.call_later(PATIENCE, self._look)

    def _flush(self) -> None:
        if self.wire is not None and self.wire.transport is not None and self._out:
            self.wire.transport.write(b"".join(self._out) if len(self._out) > 1 else self._out[0])
        self._out = []

    def _look(self) -> None:
        """One timer for all: is the oldest question overdue?"""
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0][1] + PATIENCE - self._loop.time()
        if left <= 0 and self._late:
            self._break("it does not answer in time")
            return
        # A loop that was busy itself looks at its timers first: what has arrived meanwhile is read before we judge.
        self._late = left <= 0
        self._watch = self._loop.call_later(max(left, GRACE), self._look)

    # Coming and going.

    async def come(self) -> None:
        """Connect the first time, or raise `RedisAway`. Nobody's call comes back to a Redis that went away."""
        self._come()
        if not self._first.is_set():
            await self._first.wait()
        if not self._ready:
            raise RedisAway("Redis is away.")

    def _come(self) -> None:
        if self._coming is None:
            self._coming = self._loop.create_task(self._come_forever(), name="redis-line")

    async def _come_forever(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._connect()
                except (OSError, TimeoutError, hiredis.HiredisError, RedisAway) as fault:
                    self._first.set()
                    self._fall(str(fault) or "it does not answer in time")
                    await asyncio.sleep(BREAK)
                else:
                    return
        finally:
            self._coming = None

    async def _connect(self) -> None:
        options: Mapping[str, Any] = parse_url(self._url)
        await self._open(options)
        if options.get("password"):
            await self._say("AUTH", *([options["username"]] if options.get("username") else []), options["password"])
        if options.get("db"):
            await self._say("SELECT", options["db"])
        told = await self._say("INFO", "server")
        run = next((line.partition(b":")[2] for line in told.splitlines() if line.startswith(b"run_id:")), b"")
        if not run:
            raise RedisAway("Redis does not say which run this is.")
        for script in self._scripts:
            script.name = await self._say("SCRIPT", "LOAD", script.text)
        seconds, micros = await self._say("TIME")
        self._lead = int(seconds) * 1000 + int(micros) / 1000 - self._loop.time() * 1000
        self.run, self._ready = run, True
        untold, self._untold = self._untold, deque(maxlen=TOLD_AT_MOST)
        for words in untold:
            self._send(None, words)
        self._first.set()

    async def _open(self, options: Mapping[str, Any]) -> None:
        kind = options.get("connection_class")
        if kind is UnixDomainSocketConnection:
            _, self.wire = await self._loop.create_unix_connection(lambda: _Wire(self), options["path"])
        else:
            context = SSLConnection(**_of_tls(options)).ssl_context.get() if kind is SSLConnection else None
            host, port = options.get("host", "localhost"), options.get("port", 6379)
            _, self.wire = await self._loop.create_connection(lambda: _Wire(self), host, port, ssl=context)

    async def _say(self, *words: Any) -> Any:
        future: Waiting = self._loop.create_future()
        self._send(future, words)
        return await future

    def _break(self, why: str) -> None:
        was_ready = self._ready
        self._fall(why)
        if was_ready:
            metrics.count("proxx_redis_faults")
            log.warning("Redis is away (%s): limits are counted without it until it is back.", why)
            self._come()

    def _fall(self, why: str) -> None:
        """Tell everybody who waits; keep what was only told."""
        wire, self.wire, self._ready, self._late = self.wire, None, False, False
        if wire is not None and wire.transport is not None:
            wire.transport.abort()
        self._out = []
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        waiting, self._waiting = self._waiting, deque()
        for future, _, words in waiting:
            if future is None:
                self._untold.append(words)
            elif not future.done():
                future.set_exception(RedisAway(why))


def _of_tls(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name.startswith("ssl_") or name in ("host", "port")}
