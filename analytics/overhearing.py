"""Who listens to a call: what is kept of it in the database (bodies), the traffic log, or both.

The taps are in the gateway (overheard.py); a call that nobody listens to has none of this.
"""

from typing import Protocol
from uuid import UUID

from analytics.bodies import parts, writer
from analytics.bodies.parts import Bodies
from analytics.traffic_log import writer as traffic_log
from analytics.traffic_log.head import NOTHING, Head
from analytics.traffic_log.passing import Trail
from proxx.kit.sealing import Secret


class Taker(Protocol):
    """One part of what is said, on its way to those who listen."""

    def take(self, piece: bytes) -> None:
        """Take what came."""

    def end(self) -> None:
        """Nothing more comes. Idempotent."""


class Listeners:
    """Those who listen to one call. Whoever begins it must say when it is `over`."""

    __slots__ = ("_kept", "_logged")

    def __init__(self, kept: Bodies | None, logged: Trail | None) -> None:
        self._kept, self._logged = kept, logged

    @property
    def want_heads(self) -> bool:
        """Tell whether it is worth saying what stands before a body."""
        return self._logged is not None

    def hide(self, secret: Secret) -> None:
        """Have a secret taken out of what is said."""
        if self._kept is not None:
            self._kept.secrets.add(secret)
        if self._logged is not None:
            self._logged.hides(secret)

    def part(self, kind: str, attempt: int = 0, body: bytes = b"", head: Head = NOTHING) -> Taker:
        """Begin a part of one of the kinds of analytics/bodies/parts.py."""
        takers: list[Taker] = []
        if self._kept is not None:
            takers.append(self._kept.part(kind, attempt, body))
        if self._logged is not None:
            takers.append(self._logged.part(kind, attempt, body, head))
        return takers[0] if len(takers) == 1 else _All(takers)

    def over(self, outcome: str, status: int) -> None:
        """The call has ended."""
        if self._kept is not None:
            writer.offer(self._kept, outcome, status)
        if self._logged is not None:
            self._logged.end()


def begun(call_id: UUID, tenant_id: UUID, share: int) -> Listeners | None:
    """Return who listens to a call of which this share is to be kept; None if nobody does."""
    kept = parts.begun(call_id, tenant_id, share) if share else None
    log = traffic_log.current
    if kept is None and log is None:
        return None
    return Listeners(kept, None if log is None else Trail(call_id, log.put))


class _All:
    __slots__ = ("_takers",)

    def __init__(self, takers: list[Taker]) -> None:
        self._takers = takers

    def take(self, piece: bytes) -> None:
        for one in self._takers:
            one.take(piece)

    def end(self) -> None:
        for one in self._takers:
            one.end()
