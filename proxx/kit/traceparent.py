"""The header that ties the spans of different programs together (W3C Trace Context): read, and written.

A call's trace is its client's, if it sent a good header, else its own id. The ids of our spans follow from the call's
id, so that a header can be written long before the span is made.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

HEADER = b"traceparent"
_SHAPE = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Parent:
    """The span of the client that a call belongs to."""

    trace_id: int
    span_id: int
    is_sampled: bool


def read(text: str) -> Parent | None:
    """Return what a header says; nothing for one that the standard has us ignore."""
    found = _SHAPE.fullmatch(text.strip()) if len(text) <= 256 else None
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    trace_id, span_id = int(found[2], 16), int(found[3], 16)
    if not trace_id or not span_id:
        return None
    return Parent(trace_id, span_id, bool(int(found[4], 16) & _SAMPLED))


def span_id(call_id: UUID, attempt: int = 0) -> int:
    """Return the id of a call's span, or of that of one of its attempts, counted from 1; never 0."""
    text = blake2b(call_id.bytes + attempt.to_bytes(4, "big"), digest_size=8).digest()
    return int.from_bytes(text, "big") or 1


def write(call_id: UUID, attempt: int, said: str) -> bytes:
    """Return the header by which an attempt is told upstream; `said` is the client's."""
    parent = read(said)
    trace_id = parent.trace_id if parent else call_id.int
    flags = _SAMPLED if parent is None or parent.is_sampled else 0
    return f"00-{trace_id:032x}-{span_id(call_id, attempt):016x}-{flags:02x}".encode()
