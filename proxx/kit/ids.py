"""UUIDv7: identifiers that carry their moment and sort by it (RFC 9562)."""

import os
import threading
import time
import uuid


def new(unix: float | None = None) -> uuid.UUID:
    """Return a fresh UUIDv7 whose first 48 bits are the given moment (now, if none) in milliseconds."""
    return uuid.UUID(bytes=_stamp(time.time() if unix is None else unix) + _tail())


def earliest(unix: float) -> uuid.UUID:
    """Return the smallest UUIDv7 of a moment: ids from then on compare greater or equal."""
    return uuid.UUID(bytes=_stamp(unix) + b"\x70\x00\x80" + b"\x00" * 7)


def moment(identifier: uuid.UUID) -> float:
    """Return the moment inside a UUIDv7, in seconds since 1970."""
    return (identifier.int >> 80) / 1000


def _stamp(unix: float) -> bytes:
    return int(unix * 1000).to_bytes(6, "big")


def _tail() -> bytes:
    tail = bytearray(_randomness.take(10))
    tail[0] = tail[0] & 0x0F | 0x70
    tail[2] = tail[2] & 0x3F | 0x80
    return bytes(tail)


class _Randomness:
    """The system's randomness, fetched by the page: one system call for every four hundred ids."""

    def __init__(self) -> None:
        self._page, self._at = b"", 0

    def take(self, size: int) -> bytes:
        with _lock:  # two threads that meet here must not share bytes
            if self._at + size > len(self._page):
                self._page, self._at = os.urandom(PAGE), 0
            start, self._at = self._at, self._at + size
            return self._page[start : start + size]

    def forget(self) -> None:
        """Begin a new page: a forked child must not repeat its parent's ids."""
        self._page, self._at = b"", 0


PAGE = 4096
_lock = threading.Lock()
_randomness = _Randomness()
os.register_at_fork(after_in_child=_randomness.forget)
