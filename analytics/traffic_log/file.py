"""The file of the traffic log: for its owner's eyes, begun anew at each start, never larger than its limit.

Half of the limit is for the file, half for the one before it (`.old`), which goes when the next is full. A process
holds a lock on its file; where another process has it, the next number is taken: `.2`, `.3` and so on. A file that is
no traffic log is not touched. Blocking: for the log's own thread.
"""

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Final

MARK: Final = b'{"traffic_log": '  # how each of these files begins
VERSION: Final = 1
FORMER: Final = ".old"
PROCESSES_AT_MOST: Final = 99


class NotOurs(Exception):
    """Why the log cannot be written there, in one sentence."""


class LogFile:
    """An open file that is ours. Lines of it and of the one before are counted, to tell what goes with them."""

    def __init__(self, wished: Path, limit: int) -> None:
        """Open it and empty it, and remove what processes left that are gone; raise `NotOurs`."""
        self._wished, self._most = wished, limit // 2
        self._former_lines = 0
        try:
            self.path, self._handle = _first_free(wished)
            _remove(_former(self.path))
            for number in range(2, PROCESSES_AT_MOST + 1):
                _sweep(_numbered(wished, number))
            os.ftruncate(self._handle, 0)
            self._begin()
        except OSError as fault:
            raise NotOurs(f"PROXY_TRAFFIC_LOG: {wished} cannot be written ({fault.strerror}).") from None

    def write(self, lines: list[bytes]) -> int:
        """Write lines; return how many older ones went for them. Raises `OSError` or `NotOurs` where none of these
        lines could be written."""
        gone = self._turn() if self._size >= self._most else 0
        self._append(b"".join(lines))
        self._lines += len(lines)
        return gone

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)

    def _begin(self) -> None:
        self._size = self._lines = 0
        self._append(b'%b%d, "process": %d}\n' % (MARK, VERSION, os.getpid()))

    def _append(self, data: bytes) -> None:
        written = os.write(self._handle, data)
        if written != len(data):
            os.ftruncate(self._handle, self._size)  # half a line would spoil the next one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _turn(self) -> int:
        """Make this file the former one, and begin the next; return how many lines went with the former."""
        with contextlib.suppress(FileNotFoundError):  # somebody moved it away
            self.path.replace(_former(self.path))
        self.path, handle = _first_free(self._wished)
        os.close(self._handle)
        self._handle = handle
        gone, self._former_lines = self._former_lines, self._lines
        self._begin()
        return gone


def _former(path: Path) -> Path:
    return path.with_name(path.name + FORMER)


def _numbered(wished: Path, number: int) -> Path:
    return wished if number == 1 else wished.with_name(f"{wished.name}.{number}")


def _first_free(wished: Path) -> tuple[Path, int]:
    """Open and lock the first of these files that no other process has."""
    for number in range(1, PROCESSES_AT_MOST + 1):
        path = _numbered(wished, number)
        _refuse_others(path)
        handle = _locked(path)
        if handle is not None:
            return path, handle
    raise NotOurs(f"PROXY_TRAFFIC_LOG: {PROCESSES_AT_MOST} other processes write to {wished} and what follows it.")


def _locked(path: Path) -> int | None:
    """Return the file, locked; None if another process has it."""
    while True:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), path.stat()):
                os.fchmod(handle, 0o600)
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        os.close(handle)  # removed or replaced between its opening and its lock


def _sweep(path: Path) -> None:
    """Remove a file, and the one before it, of a process that is gone."""
    if os.path.lexists(path) or os.path.lexists(_former(path)):
        _refuse_others(path)
        handle = _locked(path)
        if handle is not None:
            _remove(_former(path))
            path.unlink(missing_ok=True)
            os.close(handle)


def _remove(path: Path) -> None:
    _refuse_others(path)
    path.unlink(missing_ok=True)


def _refuse_others(path: Path) -> None:
    """Raise `NotOurs` for what is not a traffic log: emptying it would lose what somebody needs."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        begun = os.read(handle, len(MARK)) if stat.S_ISREG(os.fstat(handle).st_mode) else b"?"
    finally:
        os.close(handle)
    if begun and begun != MARK:
        raise NotOurs(f"PROXY_TRAFFIC_LOG: {path} is there and is no traffic log; it stays as it is.")
