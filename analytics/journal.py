"""An append-only journal per process: what was offered and is not yet in the database.

A journal is a folder with a random name, an exclusive lock held for life, and numbered segments. One record is one
line: the CRC-32 of the rest in eight hex digits, a blank, the record as JSON. A line that a crash tore does not match
its sum and is passed over. There is no fsync: a journal survives its process, not a power cut. A journal whose lock
is free belongs to the dead, and whoever takes the lock replays it; ids are unique, so replaying twice changes nothing.
This file knows files only; what is inserted, and when, is writer.py's.
"""

import contextlib
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from analytics.record import UsageRecord
from proxx.kit import metrics

SEGMENT_BYTES = 4 * 1024 * 1024
LOCK = "lock"
SUFFIX = ".log"
UNBORN = ".new-"  # a folder that has no lock yet: nobody may take it for dead
STILLBORN_AFTER = 3600.0  # seconds after which such a folder is rubbish

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(UsageRecord).decode


def line_of(record: UsageRecord) -> bytes:
    """Write a record as one line of the journal; raise `UnicodeError` for text that is not Unicode."""
    body = _encode(record)
    return b"%08x %b\n" % (crc32(body), body)


def records_in(segment: Path) -> Iterator[UsageRecord]:
    """Read a segment line by line, passing over (and counting) what is torn; a segment that is gone holds nothing."""
    try:
        file = segment.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            body = line[9:-1]
            try:
                if int(line[:8], 16) != crc32(body):
                    raise ValueError
                record = _decode(body)
            except (ValueError, msgspec.DecodeError):
                metrics.count("proxx_journal_torn_lines")
                continue
            yield record


class Segment:
    """One file of a journal and what is known of its records."""

    __slots__ = ("in_memory", "on_disk_only", "path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.in_memory = 0
        self.on_disk_only = 0


class Journal:
    """This process's own journal. One thread appends and settles: the event loop's."""

    def __init__(self, root: Path, *, limit: int, carried: int = 0, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Make the folder, lock it, and only then let others see it. Raise `OSError`.

        `limit` is in bytes; `carried` is how many records memory holds already that no journal took.
        """
        self.dropped = 0  # records given up because the cap was reached
        self._limit = limit
        self._segment_bytes = min(segment_bytes, max(1, limit // 4))
        self._closed: list[Segment] = []
        self._numbers = 0
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = uuid.uuid4().hex
        unborn = root / f"{UNBORN}{name}"
        unborn.mkdir(mode=0o700)
        self._lock = os.open(unborn / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.folder = unborn.rename(root / name)
        self._file, self._active = self._begin()
        self._active.in_memory = carried

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self._closed) + self._active.size

    @property
    def on_disk_only(self) -> int:
        """Records that memory had no room for."""
        return sum(segment.on_disk_only for segment in self._closed) + self._active.on_disk_only

    def append(self, line: bytes, *, in_memory: bool) -> None:
        """Write one line; say whether memory holds the record too. Raise `OSError` if the disk refuses."""
        if self._active.size >= self._segment_bytes:
            with contextlib.suppress(OSError):  # no new file to be had: the old one grows on
                self._rotate()
        segment = self._active
        segment.in_memory += in_memory  # also if the disk refuses: `settled` counts what memory holds
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, segment.size)  # half a line would spoil the next one
            raise OSError("The journal's disk is full.")
        segment.size += written
        segment.on_disk_only += not in_memory

    def settled(self, count: int) -> None:
        """Take note that the oldest `count` records of memory are in the database; forget what is done with."""
        for segment in (*self._closed, self._active):
            step = min(count, segment.in_memory)
            segment.in_memory -= step
            count -= step
        self._forget_finished()

    def backlog(self) -> Segment | None:
        """Return the oldest segment with records that memory does not hold; nobody writes to it any more."""
        if self._active.on_disk_only:
            self._rotate()
        return next((segment for segment in self._closed if segment.on_disk_only), None)

    def replayed(self, segment: Segment) -> None:
        """Take note that every record of a closed segment is in the database."""
        segment.on_disk_only = 0
        self._forget_finished()

    def close(self) -> None:
        """Let go of the lock; leave the folder to others if anything in it is not in the database."""
        os.close(self._file)
        self._forget_finished()
        if not self._closed and not (self._active.in_memory or self._active.on_disk_only):
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def _rotate(self) -> None:
        file, fresh = self._begin()
        os.close(self._file)
        self._closed.append(self._active)
        self._file, self._active = file, fresh
        self._forget_finished()
        excess = self.size - self._limit
        for segment in self._closed:
            if excess <= 0:
                break
            excess -= segment.size
            self.dropped += segment.on_disk_only
            segment.size = segment.on_disk_only = 0  # what memory holds of it stays counted, so that `settled` is right
            segment.path.unlink(missing_ok=True)

    def _begin(self) -> tuple[int, Segment]:
        self._numbers += 1
        path = self.folder / f"{self._numbers:08d}{SUFFIX}"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), Segment(path)

    def _forget_finished(self) -> None:
        finished = [segment for segment in self._closed if not (segment.in_memory or segment.on_disk_only)]
        if finished:
            self._closed = [segment for segment in self._closed if segment not in finished]
            for segment in finished:
                segment.path.unlink(missing_ok=True)
        active = self._active
        if active.size and not (active.in_memory or active.on_disk_only):
            with contextlib.suppress(OSError):
                os.truncate(active.path, 0)
                active.size = 0


class Orphan:
    """A journal whose process is gone, locked by us."""

    def __init__(self, folder: Path, lock: int) -> None:
        self._folder, self._lock = folder, lock

    def segments(self) -> list[Path]:
        """List what is left of it, oldest first."""
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    def bury(self) -> None:
        """Remove it, for everything in it is in the database."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Leave it as it is, for a later try."""
        os.close(self._lock)


def orphans(root: Path) -> Iterator[Orphan]:
    """Lock and hand out, one by one, the journals that nobody holds."""
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if folder.name.startswith(UNBORN):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > STILLBORN_AFTER:
                    shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            lock = os.open(folder / LOCK, os.O_RDWR)
        except OSError:
            continue  # buried by another process in this moment, or not a journal
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        yield Orphan(folder, lock)


def trim(root: Path, limit: int) -> int:
    """Give up the oldest records of journals that nobody holds until the rest is under the cap; return how many."""
    found = list(orphans(root))
    segments = [(path.stat(), path) for orphan in found for path in orphan.segments()]
    excess = sum(state.st_size for state, _ in segments) - limit
    dropped = 0
    for state, path in sorted(segments, key=lambda pair: (pair[0].st_mtime, pair[1])):
        if excess <= 0:
            break
        excess -= state.st_size
        with path.open("rb") as file:
            dropped += sum(1 for _ in file)
        path.unlink()
    for orphan in found:
        orphan.release()
    return dropped
