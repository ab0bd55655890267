"""What one call said, in parts: as it passes, and as it is packed for the store.

While a call runs, parts hold references to bytes that are in memory anyway (small pieces are joined), each up to
PROXY_BODIES_PART_LIMIT, all of a process up to PROXY_BODIES_MEMORY; what is beyond is measured, not held. Everything
here runs in the event loop's thread, except `pack` and `unpack`. What of it may be stored is redact.py's.
"""

import random
import zlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from accounts.keeping import ALL, ERRORS, Keeping
from proxx.kit.configured import settings
from proxx.kit.sealing import Secret

# The four kinds, in the order of a call. Attempts are numbered from 1; 0 is the client's side.
ASKED, SENT, HEARD, TOLD = "asked", "sent", "heard", "told"
OVERHEAD: Final = 2048  # bytes that a call's parts take besides what they hold
MOST_PARTS: Final = 64  # of one call: more attempts than that say nothing new
SMALL: Final = 512  # bytes; smaller pieces are joined as they come, since each would take 60 bytes beside its own
QUICK: Final = 1  # zlib's level: a third of the bytes for a tenth of the time of its best
FAILED = ("error", "refused")
WORTHLESS = frozenset({401, 402, 403, 429})  # refusals that say nothing of what was asked, and come in floods


class Room:
    """How much this process holds of bodies; `full` counts calls of which something was not held for want of room."""

    __slots__ = ("full", "held")

    def __init__(self) -> None:
        self.held = self.full = 0


room = Room()


class Part(msgspec.Struct, array_like=True):
    """One part as it is stored. `size` is in bytes as they passed; `text` may hold less of it, which `cut` says: empty,
    `part` (the part's own limit) or `room` (the process's). `same_as` is the number of an earlier, equal part."""

    kind: str
    attempt: int
    size: int
    text: str = ""
    cut: str = ""
    same_as: int | None = None


class Passing:
    """One part while it passes."""

    __slots__ = ("attempt", "cut", "held", "is_over", "kind", "pieces", "size")

    def __init__(self, kind: str, attempt: int) -> None:
        self.kind, self.attempt, self.cut = kind, attempt, ""
        self.pieces: list[bytes | bytearray] = []
        self.held = self.size = 0
        self.is_over = False

    def take(self, piece: bytes) -> None:
        """Hold a piece as far as there is room for it; after one that was cut nothing more, for it would not follow."""
        if self.is_over or not piece:
            return
        size = len(piece)
        self.size += size
        if self.cut:
            return
        own, most = settings.PROXY_BODIES_PART_LIMIT - self.held, settings.PROXY_BODIES_MEMORY - room.held
        if size > own or size > most:
            self.cut = "part" if own <= most else "room"
            if (size := min(own, most)) <= 0:
                return
            piece = piece[:size]
        if size >= SMALL:
            self.pieces.append(piece)
        elif self.pieces and isinstance(last := self.pieces[-1], bytearray):
            last += piece
        else:
            self.pieces.append(bytearray(piece))
        self.held += size
        room.held += size

    def end(self) -> None:
        """Take nothing more."""
        self.is_over = True


class Bodies:
    """What one call says, from its first byte to its last. Whoever begins it must `end` and `release` it."""

    __slots__ = ("_counted", "_is_over", "call_id", "parts", "secrets", "share", "tenant_id")

    def __init__(self, call_id: UUID, tenant_id: UUID, share: int) -> None:
        self.call_id, self.tenant_id, self.share = call_id, tenant_id, share
        self.parts: list[Passing] = []
        self.secrets: set[Secret] = set()
        self._counted, self._is_over = True, False
        room.held += OVERHEAD

    def part(self, kind: str, attempt: int = 0, body: bytes = b"") -> Passing:
        """Begin a part."""
        part = Passing(kind, attempt)
        if self._is_over or len(self.parts) >= MOST_PARTS:
            part.is_over = True
            return part
        self.parts.append(part)
        part.take(body)
        return part

    def end(self) -> None:
        """Take nothing more: the call is over. What begins later would never be given back."""
        self._is_over = True
        for part in self.parts:
            part.end()

    @property
    def held(self) -> int:
        """Bytes that it holds."""
        return sum(part.held for part in self.parts)

    @property
    def why(self) -> str:
        """What was asked for, as the row says it."""
        if self.share == ERRORS:
            return Keeping.ERRORS
        return Keeping.FULL if self.share == ALL else Keeping.SAMPLED

    def is_wanted(self, outcome: str, status: int) -> bool:
        """Tell whether a call that ended so is one to keep."""
        return self.share != ERRORS or (outcome in FAILED and not (outcome == "refused" and status in WORTHLESS))

    def release(self) -> None:
        """Give the room back. Idempotent."""
        if self._counted:
            self._counted = False
            room.held -= OVERHEAD + self.held
            if any(part.cut == "room" for part in self.parts):
                room.full += 1


def begun(call_id: UUID, tenant_id: UUID, share: int) -> Bodies | None:
    """Return what collects the bodies of a call; None if it is not in the sample, or there is no room for any."""
    if 0 < share < ALL and random.random() * ALL >= share:  # noqa: S311  no secret
        return None
    if room.held + OVERHEAD > settings.PROXY_BODIES_MEMORY:
        room.full += 1
        return None
    return Bodies(call_id, tenant_id, share)


def pack(parts: Iterable[Part]) -> bytes:
    """Return parts as one row holds them, before it is sealed."""
    return zlib.compress(_encoder.encode(list(parts)), QUICK)


def unpack(packed: bytes) -> list[Part]:
    """Return the parts of a row; raise `ValueError` for what is none."""
    try:
        return _decoder.decode(zlib.decompress(packed))
    except zlib.error as fault:
        raise ValueError("These bytes hold no parts.") from fault


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Part])
