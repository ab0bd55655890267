"""Orderings by name: how the equal credentials of one provider take turns.

The planner groups candidates by provider and priority; a policy puts one group in order. The turn is the only state:
a counter per provider that outlives every snapshot, so that a reload does not send everybody back to the first.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from routing.plan import Candidate

T = TypeVar("T")
Turns = Callable[[str], int]

_turns: dict[str, "count[int]"] = {}


def next_turn(provider_id: str) -> int:
    """Return 0, 1, 2, ... for each provider: whose turn it is."""
    return next(_turns.setdefault(provider_id, count()))


def forget() -> None:
    """Begin all turns anew, as after a start."""
    _turns.clear()


def round_robin(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with the next one each time, one of weight 3 three times in a row; the others follow in their order."""
    total = sum(map(_weight, group))
    if total == len(group):
        return rotated(group, turn % total)
    place = turn % total
    for start, candidate in enumerate(group):
        place -= _weight(candidate)
        if place < 0:
            return rotated(group, start)
    return group


def _weight(candidate: Candidate) -> int:
    return max(1, candidate.credential.weight) if candidate.credential is not None else 1


def priority(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Keep the given order: the first one as long as it is well."""
    return group


def rotated(items: Sequence[T], start: int) -> Sequence[T]:
    """Return the items beginning at `start`, wrapped around."""
    return (*items[start:], *items[:start]) if start else items


POLICIES: dict[str, Callable[[Sequence[Candidate], int], Sequence[Candidate]]] = {
    "round_robin": round_robin,
    "priority": priority,
}
