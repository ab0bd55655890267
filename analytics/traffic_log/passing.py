"""What one call says, on its way into the traffic log: taken in the loop's thread, told as entries in the log's.

A whole body is one entry, when it is complete; of a stream the head is one and each piece is one. Pieces end at lines,
so that nothing that is to be hidden lies in two of them. An entry has at most CUT characters.
"""

from collections.abc import Iterator
from typing import Any, Final, Protocol
from uuid import UUID

from analytics.bodies import parts
from analytics.bodies.redact import redacted, text_of
from analytics.traffic_log.head import Head, shown
from proxx.kit import clock, logs
from proxx.kit.sealing import Secret

CUT: Final = 20_000  # characters of an entry
HOLD: Final = 4 * CUT  # bytes that hold at least as many characters

DIRECTIONS: Final = {
    parts.ASKED: "downstream-request",
    parts.SENT: "upstream-request",
    parts.HEARD: "upstream-response",
    parts.TOLD: "downstream-response",
}
CHUNK: Final = "-chunk"

Entry = dict[str, Any]


class Put(Protocol):
    """Hand a piece on to the log; tell whether there was room for it."""

    def __call__(self, saying: "Saying", moment: float, piece: bytes, *, is_last: bool) -> bool: ...


class Saying:
    """One side of one exchange. `take` and `end` are the loop's; `entries`, and what begins with an underscore, is the
    log's thread's."""

    __slots__ = ("_held", "_is_begun", "_is_passed", "head", "is_cut", "is_over", "kind", "number", "size", "trail")

    def __init__(self, trail: "Trail", kind: str, number: int, head: Head) -> None:
        self.trail, self.kind, self.number, self.head = trail, kind, number, head
        self.size = 0
        self.is_over = self.is_cut = False  # cut: some of it found no room, so what follows would not follow
        self._held = bytearray()
        self._is_begun = self._is_passed = False

    def take(self, piece: bytes) -> None:
        """Take a piece, as far as an entry has room for it."""
        if self.is_over or not piece:
            return
        before, self.size = self.size, self.size + len(piece)
        if self.is_cut or (before >= HOLD and not self.head.streams):
            return
        if self.size > HOLD and not self.head.streams:
            piece = piece[: HOLD - before]
        self.is_cut = not self.trail.put(self, clock.unix(), piece, is_last=False)

    def end(self) -> None:
        """Nothing more comes."""
        if not self.is_over:
            self.is_over = True
            self.trail.put(self, clock.unix(), b"", is_last=True)

    def entries(self, moment: float, piece: bytes, *, is_last: bool) -> Iterator[Entry]:
        """Return what a piece makes; in the log's thread."""
        if not self.head.streams:
            self._held += piece
            if is_last:
                yield self._entry(moment, self._taken(len(self._held)), self.size, is_cut=self.is_cut)
            return
        if not self._is_begun:
            self._is_begun = True
            yield self._entry(moment)
        yield from self._chunks(moment, piece, is_last=is_last)

    def _chunks(self, moment: float, piece: bytes, *, is_last: bool) -> Iterator[Entry]:
        """Give whole lines; of one that is longer than an entry only its beginning."""
        if self._is_passed:  # in the rest of such a line
            end = piece.find(b"\n")
            if end < 0:
                return
            piece, self._is_passed = piece[end:], False
        self._held += piece
        is_cut = is_last and self.is_cut
        ready = len(self._held) if is_last else self._held.rfind(b"\n") + 1
        if not ready and len(self._held) > HOLD:
            ready, is_cut, self._is_passed = len(self._held), True, True
        if ready or is_cut:
            yield self._entry(moment, self._taken(ready), ready, is_cut=is_cut)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _entry(self, moment: float, raw: bytes | None = None, size: int = 0, *, is_cut: bool = False) -> Entry:
        """Return what is written: a head with or without its body, or a piece."""
        known = self.trail.known()
        is_chunk = self.head.streams and raw is not None
        entry: Entry = {
            "time": moment,
            "direction": DIRECTIONS[self.kind] + (CHUNK if is_chunk else ""),
            "call": str(self.trail.call_id),
        }
        if self.number:
            entry["attempt"] = self.number
        if not is_chunk:
            entry |= shown(self.head, known)
        if raw is not None:
            text = text_of(raw)
            is_cut = is_cut or len(text) > CUT or len(raw) < size
            entry |= {"bytes": size, "text": redacted(text[:CUT], known, is_cut=is_cut)}
            if is_cut:
                entry["cut"] = True
        return entry


class Trail:
    """What one call says. What the client asks is held back until it is known with which secret it is sent on: then
    that can be taken out of it, too."""

    __slots__ = ("_first", "_put", "_sayings", "_secrets", "call_id")

    def __init__(self, call_id: UUID, put: Put) -> None:
        self.call_id, self._put = call_id, put
        self._secrets: tuple[Secret, ...] = ()
        self._sayings: list[Saying] = []
        self._first: list[tuple[Saying, float, bytes, bool]] | None = []

    def hides(self, secret: Secret) -> None:
        """Take this secret out of whatever is said from now on."""
        if secret not in self._secrets:
            self._secrets = (*self._secrets, secret)

    def known(self) -> list[str]:
        """Return the secrets to take out, the longest first."""
        return sorted({*(one.reveal() for one in self._secrets), *logs.configured_secrets()}, key=len, reverse=True)

    def part(self, kind: str, number: int, body: bytes, head: Head) -> Saying:
        """Begin a part; one whose body is all here need not be ended."""
        if kind != parts.ASKED:
            self._release()
        saying = Saying(self, kind, number, head)
        if head.streams:
            self.put(saying, clock.unix(), b"", is_last=False)  # its head does not wait for its first word
        saying.take(body)
        if kind in (parts.ASKED, parts.SENT):
            saying.end()
        else:
            self._sayings.append(saying)
        return saying

    def put(self, saying: Saying, moment: float, piece: bytes, *, is_last: bool) -> bool:
        """Hand a piece on; tell whether there was room for it."""
        if self._first is not None and saying.kind == parts.ASKED:
            self._first.append((saying, moment, piece, is_last))
            return True
        return self._put(saying, moment, piece, is_last=is_last)

    def end(self) -> None:
        """The call is over."""
        self._release()
        for saying in self._sayings:
            saying.end()

    def _release(self) -> None:
        first, self._first = self._first, None
        for saying, moment, piece, is_last in first or ():
            if not self._put(saying, moment, piece, is_last=is_last):
                saying.is_cut = True
