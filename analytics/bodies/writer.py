"""The way of bodies into the database: offered when a call ends, written in batches by a thread of its own.

Unlike records they have no journal: they would lie there in clear. So a process that is killed loses those that wait,
and a database that is away costs those that memory has no room for. Whatever is given up is counted, and the console
says so; a call is never held up.
"""

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from django.db import DatabaseError, InterfaceError

from analytics import ending, rows
from analytics.bodies import parts, pruning, store
from analytics.bodies.parts import Bodies
from analytics.side_thread import SideThread
from proxx.kit import clock, metrics
from proxx.kit.configured import settings

logger = logging.getLogger(__name__)

GATHER: Final = 0.25  # seconds in which bodies come together for one transaction
BATCH_CALLS, BATCH_BYTES = 64, 2 * 1024 * 1024  # of one transaction: short enough that records do not wait for it
FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0  # seconds of patience with a database that is away
MEASURE: Final = 60.0  # seconds between two looks at how much is stored

AWAY = (DatabaseError, InterfaceError)

Store = Callable[[Sequence[Bodies]], None]


class Writer:
    """What waits, and the task that writes it. All but the inserts happens in the loop's thread."""

    def __init__(self, write: Store = store.insert) -> None:
        """`write` is called in the thread."""
        self._write = write
        self._waiting: deque[Bodies] = deque()
        self._thread = SideThread("bodies")
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._told = self._refused = 0
        self._measure_at = 0.0

    @property
    def waiting(self) -> int:
        """Calls whose bodies are not in the database yet."""
        return len(self._waiting)

    def put(self, bodies: Bodies) -> None:
        """Take the bodies of a call that is over."""
        self._waiting.append(bodies)
        loop = asyncio.get_running_loop()
        if not ending.is_alive(self._task):
            self._wake = asyncio.Event()
            self._task = loop.create_task(self._run(), name="bodies.writer")
        self._wake.set()

    async def drain(self, seconds: float) -> None:
        """Stop, and write what can be written in that time; the rest is lost."""
        deadline = asyncio.get_running_loop().time() + seconds
        has_ended, self._task = await ending.end(self._task, seconds), None
        with contextlib.suppress(TimeoutError, *AWAY):
            async with asyncio.timeout_at(deadline):
                while has_ended and self._waiting:  # two at a time would take the same batch
                    await self._write_batch()
        self._thread.stop()

    async def _run(self) -> None:
        delay = 0.0
        while True:
            await self._pause(delay)
            try:
                while self._waiting:
                    await self._write_batch()
                await self._own_up()
                delay = 0.0
            except Exception as error:  # this task must outlive every fault
                delay = min(max(FIRST_DELAY, delay * 2), LONGEST_DELAY)
                if not isinstance(error, AWAY):
                    logger.exception("The writer of bodies stumbled; it goes on.")

    async def _pause(self, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        elif not self._waiting:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MEASURE):
                    await self._wake.wait()
            await asyncio.sleep(GATHER)

    async def _write_batch(self) -> None:
        batch = self._next()
        if await self._fault_of(batch) is None:
            self._done(batch)
        else:
            await self._write_one_by_one(batch)

    async def _write_one_by_one(self, batch: list[Bodies]) -> None:
        """Give up only those that cannot be stored: the others of their batch are not to blame."""
        refused, fault = 0, None
        try:
            for one in batch:
                if (fault_of_one := await self._fault_of([one])) is not None:
                    refused, fault = refused + 1, fault_of_one
                self._done([one], were_kept=fault_of_one is None)
        finally:
            self._refused += refused
            if refused:
                said = "The bodies of %d calls cannot be stored; they are given up."
                logger.error(said, refused, exc_info=fault)

    async def _fault_of(self, batch: list[Bodies]) -> Exception | None:
        """Write a batch; return why it cannot be stored. Raises if the database is away."""
        try:
            await self._thread.run(self._write, batch)
        except Exception as error:
            if isinstance(error, AWAY) and not isinstance(error, rows.UNFIT):
                raise
            return error
        return None

    def _done(self, batch: list[Bodies], *, were_kept: bool = True) -> None:
        if were_kept:
            metrics.count("proxx_bodies_kept", len(batch))
        for one in batch:
            self._waiting.popleft()
            one.release()

    def _next(self) -> list[Bodies]:
        batch: list[Bodies] = []
        size = 0
        for one in self._waiting:
            size += one.held
            if batch and (size > BATCH_BYTES or len(batch) >= BATCH_CALLS):
                break
            batch.append(one)
        return batch

    async def _own_up(self) -> None:
        """Tell every operator of what was given up, and keep the store within its size."""
        full, refused = parts.room.full - self._told, self._refused
        for count, reason in ((full, "bodies: memory full"), (refused, "bodies: refused")):
            if count:
                metrics.count("proxx_bodies_lost", count, reason=reason.removeprefix("bodies: "))
                await self._thread.run(rows.note_loss, count, reason)
        self._told, self._refused = self._told + full, self._refused - refused
        if clock.monotonic() >= self._measure_at:
            self._measure_at = clock.monotonic() + MEASURE
            await self._thread.run(pruning.to_size, settings.PROXY_BODIES_LIMIT)


_writer: Writer | None = None


def offer(bodies: Bodies, outcome: str, status: int) -> None:
    """Take what a call said, from the event loop's thread, if it is to be kept; never waits, never raises."""
    bodies.end()
    try:
        if bodies.is_wanted(outcome, status):
            _the_writer().put(bodies)
        else:
            bodies.release()
    except Exception:  # what is kept must never cost a caller the answer
        bodies.release()
        logger.exception("The bodies of a call could not be kept.")


async def drain(seconds: float) -> None:
    """Write what waits, within that time."""
    if _writer is not None:
        await _writer.drain(seconds)


def waiting() -> int:
    """Return how many calls' bodies wait in this process."""
    return _writer.waiting if _writer is not None else 0


def _the_writer() -> Writer:
    global _writer
    if _writer is None:
        _writer = Writer()
    return _writer


def _forget() -> None:
    global _writer
    _writer = None  # what waits is the parent's to write


os.register_at_fork(after_in_child=_forget)
