"""What a call reserves with its limits, and how it is refused: plain data for all ways of counting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from accounts.limit import LimitView
from accounts.limit_set import EMPTY, NO_PLACES, LimitSet, Places
from accounts.windows import Bucket, Minute, Window

Budget = tuple[Window, int, int]  # where a budget is counted, its slot in the amounts, and how much it allows


class OverTheLimit(Exception):
    """A limit says no. `retry_after` (seconds) is None if time does not mend it; `alone` says that this call by itself
    is more than the limit; `lefts` as in `Held`."""

    def __init__(
        self,
        limit: LimitView,
        *,
        retry_after: float | None,
        alone: bool = False,
        lefts: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(str(limit.id))
        self.limit, self.retry_after, self.alone, self.lefts = limit, retry_after, alone, lefts


class LedgerAway(Exception):
    """The database must say whether a budget has room, and does not."""


class Worst(msgspec.Struct, frozen=True, gc=False):
    """The most that a call may use: `tokens` for budgets, `usual` tokens for rates, `nano` nano-dollars."""

    tokens: int = 0
    usual: int = 0
    nano: int = 0

    @property
    def amounts(self) -> tuple[int, int, int, int]:
        """Return what limits count of it, by their slot."""
        return 1, self.usual, self.tokens, self.nano


@dataclass(slots=True)
class Held:
    """What one call reserved with its `limits`, and must settle.

    `places` are the limits among them that the ledger counts, with the start of their window; the amount is the worst
    case's. Where they are held: in this process (`here`: then `budgets` are theirs, in the same order), in the tranches
    that Redis hands out (`shared` is then the prefix of that Redis' keys, `tranches` in the order of the places), or in
    the database for this call alone. `running` says that this process counts it among those that run, `buckets` where
    it counts its minutes (by number and slot of the limit).
    """

    call_id: UUID
    worst: Worst
    limits: LimitSet = EMPTY
    here: bool = True
    places: Places = NO_PLACES
    budgets: Sequence[Budget] = ()
    buckets: Sequence[tuple[int, int, Minute, Bucket]] = ()
    running: bool = False
    shared: bytes = b""
    tranches: list[UUID] = field(default_factory=list)
    lefts: Mapping[int, int] | None = None  # by a limit's number: what is left of it for this minute
    settled: bool = False


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How a sliding limit stands: `reset` is in how many seconds all of it is free again."""

    limit: int
    left: int
    reset: float
