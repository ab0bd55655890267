"""The traffic log: all that clients and providers say, in a file, for whoever looks for a fault. Off without a path.

The loop hands over pieces and goes on; a thread of the log's own hides what is secret and writes. What finds no room in
memory, and what goes because the file is full or its disk refuses, is counted, and the file says so itself. It holds
prompts and answers in clear: who may read the file may read them.
"""

import asyncio
import json
import logging
import os
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from analytics.traffic_log.file import LogFile, NotOurs
from analytics.traffic_log.passing import Entry, Saying
from proxx.kit import clock, metrics

logger = logging.getLogger(__name__)

ROOM: Final = 16 * 1024 * 1024  # bytes of pieces that wait
OVERHEAD: Final = 200  # bytes that a piece takes besides what it says
PAUSE: Final = 0.2  # seconds between two turns of the thread
AT_ONCE: Final = 256 * 1024  # bytes of one write
PATIENCE: Final = 3.0  # seconds for the last turn
INFO: Final = "system/info"

# What JSON leaves as it is, and terminals obey.
_OBEYED: Final = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}

WHY: Final = {
    "memory full": "found no room in memory, because the disk or this processor could not keep up",
    "file full": "went with the oldest file, because together they had reached PROXY_TRAFFIC_LOG_LIMIT",
    "disk full": "could not be written, because the disk refused",
}


class Log:
    """One process's log. `put` is the event loop's; all else happens in the log's own thread."""

    def __init__(self, path: Path, limit: int) -> None:
        """Open the file; raise `NotOurs`. It must be ended."""
        self._file = LogFile(path, limit)
        self._waiting: deque[tuple[Saying, float, bytes, bool]] = deque()
        self._put_in = self._taken_out = 0  # bytes; each counted by one thread only
        self._refused = self._told = 0  # pieces that found no room, and how many of them the file knows of
        self._lines: list[bytes] = []  # ready for the file, of `_size` bytes
        self._size = 0
        self._is_faulty = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="traffic-log", daemon=True)
        self._lines.append(_info("begun: prompts and answers of all calls, without what was recognised as a secret"))
        self._write()
        self._thread.start()

    @property
    def path(self) -> Path:
        """Return where it is."""
        return self._file.path

    def put(self, saying: Saying, moment: float, piece: bytes, *, is_last: bool) -> bool:
        """Take a piece, never waiting; tell whether there was room. The end of what was begun always has some."""
        if piece and self._put_in - self._taken_out > ROOM:
            self._refused += 1
            return False
        self._put_in += len(piece) + OVERHEAD
        self._waiting.append((saying, moment, piece, is_last))
        return True

    def end(self) -> None:
        """Write what waits and close the file; blocking, for a few seconds at most."""
        self._stop.set()
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop.wait(PAUSE)
            try:
                self._turn()
            except Exception:  # this thread must outlive whatever one entry meets
                logger.exception("The traffic log stumbled; it goes on.")
        self._file.close()

    def _turn(self) -> None:
        while self._waiting:
            saying, moment, piece, is_last = self._waiting.popleft()
            self._taken_out += len(piece) + OVERHEAD
            for entry in saying.entries(moment, piece, is_last=is_last):
                self._lines.append(_line(entry))
                self._size += len(self._lines[-1])
            if self._size >= AT_ONCE:
                self._write()
        refused = self._refused
        if refused > self._told:
            self._lines.append(_lost(refused - self._told, "memory full"))
            self._told = refused
        if self._lines:
            self._write()

    def _write(self) -> None:
        lines, self._lines, self._size = self._lines, [], 0
        try:
            if gone := self._file.write(lines):
                self._file.write([_lost(gone, "file full")])
            self._is_faulty = False
        except (OSError, NotOurs) as fault:
            _lost(len(lines), "disk full")
            if not self._is_faulty:
                logger.error("The traffic log cannot be written: %s", fault)
            self._is_faulty = True


def _line(entry: Entry) -> bytes:
    moment = datetime.fromtimestamp(entry["time"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = json.dumps({**entry, "time": moment}, ensure_ascii=False)
    return text.translate(_OBEYED).encode(errors="backslashreplace") + b"\n"


def _info(text: str, **more: Any) -> bytes:
    return _line({"time": clock.unix(), "direction": INFO, "text": text, **more})


def _lost(count: int, reason: str) -> bytes:
    metrics.count("proxx_traffic_log_dropped", count, reason=reason)
    return _info(f"{count} {'lines' if reason == 'file full' else 'pieces'} {WHY[reason]}", lost=count, reason=reason)


current: Log | None = None


def start(settings: Any) -> str | None:
    """Begin to log if the settings ask for it, and return the sentence that says so; raise `NotOurs`."""
    global current
    if not settings.PROXY_TRAFFIC_LOG:
        return None
    if current is None:
        current = Log(Path(settings.PROXY_TRAFFIC_LOG), settings.PROXY_TRAFFIC_LOG_LIMIT)
    return f"Prompts and answers of all calls are written in clear to {current.path}: PROXY_TRAFFIC_LOG is set."


async def drain() -> None:
    """Write what waits, and end."""
    global current
    log, current = current, None
    if log is not None:
        await asyncio.to_thread(log.end)


def _forget() -> None:
    global current
    current = None  # the file is the parent's


os.register_at_fork(after_in_child=_forget)
