"""What one finished call owes its limits: plain data that travels with the call's record, through journal and restart.

It is written as an array, so the order of the fields is a format: a new one goes last and has a default.
"""

import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

Charge = tuple[uuid.UUID, int, int]
NOWHERE = msgspec.Raw(b"[]")


class Bill(msgspec.Struct, array_like=True, kw_only=True, gc=False):
    """`tokens` and `nano` (nano-dollars) are what is charged, `tranches`, if there are any, say for each window what it
    was held in.

    Windows are named by their limit and their start (unix seconds). Where all are charged by what they measure, as
    nearly always, `windows` name them with the slot of their measure: written once for all calls with the same limits.
    Otherwise `charges` say how much of it counts in each.
    """

    tokens: int = 0
    nano: int = 0
    charges: list[Charge] = []
    tranches: list[uuid.UUID] = []
    windows: msgspec.Raw = NOWHERE

    def charged(self, *, times: int = 1) -> Sequence[Charge]:
        """Return what is charged in each window; of a sum of bills with the same windows, `times` says how many."""
        amounts = by_slot(self.tokens, self.nano, times)
        return self.charges or [(limit, starts, amounts[slot]) for limit, starts, slot in _read(bytes(self.windows))]


def by_slot(tokens: int, nano: int, times: int = 1) -> tuple[int, int, int, int]:
    """Return what limits count of so many calls, by the slot of their measure (`LimitView.slot`)."""
    return times, tokens, tokens, nano


def written(windows: Iterable[Charge]) -> msgspec.Raw:
    """Write windows (limit, start, slot) as bills carry them."""
    return msgspec.Raw(_encode(list(windows)))


_encode = msgspec.json.Encoder().encode
_read = lru_cache(256)(msgspec.json.Decoder(list[Charge]).decode)
