"""Seal what is stored under retired keys anew, under the first of PROXY_ENCRYPTION_KEYS, while proxx serves.

sealed_places.py knows where it lies. Each value is opened, sealed and exchanged only if it is still the one
that was read: whoever changes a secret meanwhile wins. A run that is stopped half-way loses nothing; the next one goes
on with what is left. Which keys there are is kit/sealing.py's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from accounts import audit
from accounts.sealed_places import Place, places
from proxx.kit import sealing

BATCH = 200
# A process that does not know the new key yet may seal under the old one behind our back; then there is more to do.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a run did: values sealed anew, values that somebody changed meanwhile, values that no key opens."""

    done: int = 0
    overtaken: int = 0
    broken: int = 0

    def __add__(self, other: "Resealed") -> "Resealed":
        return Resealed(self.done + other.done, self.overtaken + other.overtaken, self.broken + other.broken)


def retired() -> int:
    """Return how many values are stored under keys that seal nothing any more."""
    return sum(place.left().count() for place in places())


def reseal(*, batch: int = BATCH, told: Callable[[Resealed], None] = lambda _: None) -> Resealed:
    """Seal everything that is left under the first key; `told` hears after each batch how far it is."""
    total = Resealed()
    for _ in range(ROUNDS):
        before = total = replace(total, broken=0)
        for place in places():
            for part in _parts(place, batch):
                total += part
                told(total)
        if (total.done, total.overtaken) == (before.done, before.overtaken):
            break
    if total.done:
        audit.note("re-sealed", "stored secrets", {"values": total.done, "unreadable": total.broken})
    return total


def _parts(place: Place, batch: int) -> Iterator[Resealed]:
    last = None
    while True:
        left = place.left().order_by("pk")
        rows = list((left if last is None else left.filter(pk__gt=last))[:batch])
        if not rows:
            return
        yield sum((_exchange(place, row) for row in rows), Resealed())
        last = rows[-1].pk


def _exchange(place: Place, row: Any) -> Resealed:
    context = place.context(row)
    try:
        fresh = sealing.seal_bytes(sealing.unseal_bytes(place.read(row), context=context), context=context)
    except sealing.SealBroken:
        return Resealed(broken=1)
    return Resealed(done=1) if place.exchange(row, fresh) else Resealed(overtaken=1)
