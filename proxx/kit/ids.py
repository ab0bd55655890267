"""UUIDv7: identifiers that carry their moment and sort by it (RFC 9562)."""

import os
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
    tail = bytearray(os.urandom(10))
    tail[0] = tail[0] & 0x0F | 0x70
    tail[2] = tail[2] & 0x3F | 0x80
    return bytes(tail)
