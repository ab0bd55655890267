"""The way of records into the database: in batches, off the event loop, again and again until they are in.

One Writer per process. `put` runs in the loop's thread and ends with the record in the journal; a background task
takes batches from memory, inserts them in a thread of its own and then lets the journal move on. While the database
is away the task waits longer and longer, memory fills to its bound, and the journal alone keeps the rest; afterwards
memory is written first and what only the journal holds is replayed. So are the journals of processes that are gone:
at start and every minute. What a row looks like is rows.py's; what the console shows is read elsewhere.
"""

import asyncio
import contextlib
import logging
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, InterfaceError, transaction

from accounts import keys
from analytics import ending, live, rows
from analytics.journal import Journal, Orphan, line_of, orphans, records_in, trim
from analytics.record import UsageRecord, mended
from analytics.side_thread import SideThread
from proxx.kit import clock, ids, metrics

logger = logging.getLogger(__name__)

AWAY = (DatabaseError, InterfaceError)
ROOM = 20  # batches that memory holds while the database is away; the rest is on disk only
LONGEST_LINE = 64 * 1024  # an ordinary record has 600 bytes; a longer one is cut before it is kept
SWEEP = 60.0  # seconds between two looks for journals of the dead
FIRST_DELAY, LONGEST_DELAY = 0.25, 5.0  # seconds of patience with a database that is away
REOPEN = 1.0  # seconds before a journal that could not be opened is tried again
KEY_USE = 60.0  # seconds between two notes that a key was used
SWITCH_INTERVAL = 0.0005  # at Python's 5 ms the insert thread would hold up the event loop; see design section 9

Store = Callable[[Sequence[UsageRecord]], int]


class Writer:
    """Memory, journal and task of one process. All but the inserts happens in the loop's thread."""

    def __init__(self, root: Path, *, batch: int, flush: float, limit: int, store: Store = rows.insert) -> None:
        """`batch` is in records, `flush` in seconds, `limit` in bytes of journal; `store` returns refused records."""
        self.fault: str | None = None  # why the database takes nothing, in one word
        self.lost = 0  # records given up in this process's life
        self._root, self._batch_size, self._flush, self._limit, self._store = root, batch, flush, limit, store
        self._waiting: deque[UsageRecord] = deque()
        self._batch: list[UsageRecord] = []
        self._losses: dict[str, int] = {}
        self._journal: Journal | None = None
        self._reopen_at = 0.0
        self._dropped = 0
        self._noted: dict[UUID, float] = {}
        self._thread = SideThread("records")
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Records that are offered and not yet in the database, as far as this process knows."""
        on_disk = self._journal.on_disk_only if self._journal else 0
        return len(self._waiting) + len(self._batch) + on_disk

    @property
    def journal_bytes(self) -> int:
        """Bytes of this process's journal."""
        return self._journal.size if self._journal else 0

    def start(self) -> None:
        """Begin writing on the running loop, unless that is already so on this one or another."""
        loop = asyncio.get_running_loop()
        if ending.is_alive(self._task):
            return
        self._stopped = False
        self._wake = asyncio.Event()
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL))
        self._task = loop.create_task(self._run(), name="analytics.writer")

    def put(self, record: UsageRecord) -> None:
        """Keep a record: in the journal, and in memory while there is room. Never raises for a full disk."""
        in_memory = len(self._waiting) < self._batch_size * ROOM and not self._stopped
        on_disk = self._write_down(record, in_memory=in_memory)
        if in_memory:
            self._waiting.append(record)
            if len(self._waiting) in (1, self._batch_size):
                self._wake.set()
        elif not on_disk:
            self._lose(1, "disk full")
        if not self._stopped and (self._task is None or self._task.done()):
            with contextlib.suppress(RuntimeError):  # no loop runs here: the journal keeps it for the next start
                self.start()

    async def drain(self, seconds: float) -> None:
        """Stop the task and write what can be written, both in that time; the journal keeps the rest."""
        self._stopped = True
        deadline = asyncio.get_running_loop().time() + seconds
        has_ended, self._task = await ending.end(self._task, seconds), None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while has_ended and (self.waiting or self._losses):  # two at a time would take the same batch
                    try:
                        await self._write_turn()
                    except AWAY:
                        await asyncio.sleep(FIRST_DELAY)
        self.close()

    def close(self) -> None:
        """Let go of thread and journal; what is not in the database is left to whoever finds the journal."""
        self._thread.stop()
        self._waiting.clear()
        self._batch = []
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _write_down(self, record: UsageRecord, *, in_memory: bool) -> bool:
        try:
            line = line_of(record)
        except (UnicodeError, ValueError, OverflowError):
            line = b""
        if not 0 < len(line) <= LONGEST_LINE:
            line = line_of(mended(record))
        try:
            self._open().append(line, in_memory=in_memory)
        except OSError as error:
            if clock.monotonic() >= self._reopen_at:
                self._reopen_at = clock.monotonic() + REOPEN
                logger.error("The journal cannot be written (%s): records are in memory only.", error.strerror or error)
            metrics.count("proxx_journal_faults")
            return False
        return True

    def _open(self) -> Journal:
        if self._journal is None:
            if clock.monotonic() < self._reopen_at:
                raise OSError("The journal could not be opened a moment ago.")
            self._journal = Journal(self._root, limit=self._limit, carried=len(self._waiting) + len(self._batch))
            self._dropped = 0
        return self._journal

    async def _run(self) -> None:
        sweep_at, delay = 0.0, 0.0
        while True:
            try:
                await self._pause(sweep_at, delay)
                if clock.monotonic() >= sweep_at:
                    await self._sweep()
                    sweep_at = clock.monotonic() + SWEEP
                while await self._write_turn():
                    pass
                delay = 0.0
            except Exception as error:  # this task must outlive every fault, also those nobody thought of
                delay = min(max(FIRST_DELAY, delay * 2), LONGEST_DELAY)
                self._complain(error)

    async def _pause(self, sweep_at: float, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311  not a secret
            return
        if not self._waiting:
            await self._woken(sweep_at - clock.monotonic())
        if len(self._waiting) < self._batch_size:
            await self._woken(self._flush)

    async def _woken(self, seconds: float) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _write_turn(self) -> bool:
        """Write one batch from memory and one segment of the backlog; tell whether another turn is due at once."""
        await self._write_batch()
        await self._own_up()
        journal = self._journal
        segment = journal.backlog() if journal is not None and journal.on_disk_only else None
        if journal is not None and segment is not None:
            await self._replay(segment.path)
            journal.replayed(segment)
        return segment is not None or len(self._waiting) >= self._batch_size

    async def _write_batch(self) -> None:
        if not self._batch:
            take = min(self._batch_size, len(self._waiting))
            self._batch = [self._waiting.popleft() for _ in range(take)]
        if not self._batch:
            return
        batch = self._batch
        self._lose(await self._thread.run(self._store_and_note, batch), "refused")
        self._batch = []
        if self._journal is not None:
            self._journal.settled(len(batch))
        if self.fault:
            logger.warning("The database takes records again.")
            self.fault = None
        metrics.count("proxx_records_written", len(batch))
        await live.publish(batch)

    async def _replay(self, segment: Path) -> None:
        """Insert all of a segment in batches; between two, memory has its turn if a batch is full."""
        records = records_in(segment)
        while chunk := await self._thread.run(_next, records, self._batch_size):
            self._lose(await self._thread.run(self._store, chunk), "refused")
            metrics.count("proxx_records_replayed", len(chunk))
            if len(self._waiting) >= self._batch_size:
                await self._write_batch()

    async def _sweep(self) -> None:
        found = orphans(self._root)
        while orphan := await self._thread.run(_next_orphan, found):
            try:
                for segment in orphan.segments():
                    await self._replay(segment)
                    segment.unlink(missing_ok=True)
            except OSError:
                logger.exception("A journal of an earlier process cannot be read; it is left where it is.")
                orphan.release()
            except AWAY:
                orphan.release()
                self._lose(await self._thread.run(trim, self._root, self._limit), "journal full")
                raise
            except BaseException:
                orphan.release()
                raise
            else:
                orphan.bury()

    def _store_and_note(self, batch: list[UsageRecord]) -> int:
        refused = self._store(batch)
        now = clock.monotonic()
        used = {record.key_id: record for record in batch if record.key_id}
        due = [key for key in used if now - self._noted.get(key, -KEY_USE) >= KEY_USE]
        if due:
            if len(self._noted) > 10_000:
                self._noted = {key: at for key, at in self._noted.items() if now - at < KEY_USE}
            self._noted.update(dict.fromkeys(due, now))
            try:
                with transaction.atomic():
                    keys.note_used([_use(used[key]) for key in due])
            except AWAY:
                logger.warning("The last use of %d keys was not noted.", len(due))
        return refused

    async def _own_up(self) -> None:
        """Tell the database, and so every operator, of records that were given up."""
        dropped = self._journal.dropped if self._journal else 0
        self._lose(dropped - self._dropped, "journal full")
        self._dropped = dropped
        while self._losses:
            reason, count = next(iter(self._losses.items()))
            await self._thread.run(rows.note_loss, count, reason)
            self._losses[reason] -= count
            if not self._losses[reason]:
                del self._losses[reason]

    def _lose(self, count: int, reason: str) -> None:
        if count:
            self.lost += count
            self._losses[reason] = self._losses.get(reason, 0) + count
            metrics.count("proxx_records_lost", count, reason=reason)

    def _complain(self, error: Exception) -> None:
        if not isinstance(error, AWAY):
            logger.exception("Records could not be written; they are tried again.")
        elif not self.fault:
            logger.warning("The database takes no records (%s); the journal keeps them.", type(error).__name__)
        self.fault = type(error).__name__


def _use(record: UsageRecord) -> tuple[UUID, datetime, str]:
    key_id = record.key_id or record.id
    return key_id, datetime.fromtimestamp(ids.moment(record.id), UTC), record.client_address


def _next(records: Iterator[UsageRecord], count: int) -> list[UsageRecord]:
    return list(islice(records, count))


def _next_orphan(found: Iterator[Orphan]) -> Orphan | None:
    return next(found, None)
