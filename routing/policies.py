"""Strategies by name: how the equal accounts of one provider are ordered.

The planner groups candidates by provider and priority; a strategy puts one group in order, by whose turn it is and by
what health.py knows. The turn is a counter per provider that outlives every snapshot, so that a reload does not send
everybody back to the first. Conversations that stay with their account are affinity.py's; here `affinity` is what is
done with a call that belongs to none.
"""

import random
from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from routing import health
from routing.plan import Candidate

T = TypeVar("T")
Turns = Callable[[str], int]
Strategy = Callable[[Sequence[Candidate], int], Sequence[Candidate]]

GOLDEN = 0.6180339887498949  # its multiples spread over 0..1 as evenly as can be, however many one takes
EXPLORED = 0.1  # share of calls that `fastest` gives to whoever's turn it is: an account that was slow may have mended
ALIKE = 0.12  # seconds: nobody notices a smaller difference, so those as fast as the fastest take turns

_turns: dict[str, "count[int]"] = {}
_lots = random.Random()  # noqa: S311 - spreads, protects nothing


def next_turn(provider_id: str) -> int:
    """Return 0, 1, 2, ... for each provider: whose turn it is."""
    return next(_turns.setdefault(provider_id, count()))


def forget(seed: int | None = None) -> None:
    """Begin all turns anew, as after a start; with a seed `random` draws the same lots again."""
    _turns.clear()
    _lots.seed(seed)


def priority(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Keep the given order: the first one as long as it is well."""
    return group


def round_robin(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with the next one each time, one of weight 3 three times in a row; the others follow in their order."""
    total = sum(one.weight for one in group)
    return rotated(group, turn % total if total == len(group) else _holder(group, turn % total))


def weighted(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with each one as often as its weight says, but seldom twice in a row."""
    return rotated(group, _holder(group, turn * GOLDEN % 1 * sum(one.weight for one in group)))


def least_in_flight(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with who has the fewest calls under way for its weight; the idle take turns."""
    return sorted(round_robin(group, turn), key=lambda one: health.in_flight(one.key) / one.weight)


def fastest(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with who usually speaks soonest; who was never heard counts as average, and some calls explore."""
    in_turn = round_robin(group, turn)
    heard = {one.key: wait for one in group if (wait := health.first_event(one.key, one.model)) is not None}
    if not heard or turn * GOLDEN % 1 < EXPLORED:
        return in_turn
    average = sum(heard.values()) / len(heard)
    alike = min(heard.values()) + ALIKE
    return sorted(in_turn, key=lambda one: max(heard.get(one.key, average), alike))


def by_lot(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Draw lots, by weight."""
    return sorted(group, key=lambda one: _lots.expovariate(one.weight))


def rotated(items: Sequence[T], start: int) -> Sequence[T]:
    """Return the items beginning at `start`, wrapped around."""
    return (*items[start:], *items[:start]) if start else items


def _holder(group: Sequence[Candidate], place: float) -> int:
    """Return who holds a place, if each holds as many in a row as its weight."""
    for index, candidate in enumerate(group):
        place -= candidate.weight
        if place < 0:
            return index
    return 0


STRATEGIES: dict[str, Strategy] = {
    "affinity": round_robin,
    "round_robin": round_robin,
    "weighted": weighted,
    "priority": priority,
    "least_in_flight": least_in_flight,
    "fastest": fastest,
    "random": by_lot,
}
