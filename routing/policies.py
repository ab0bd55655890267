"""Strategies by name: how the equal accounts of one provider are ordered.

The planner groups candidates by provider and priority; a strategy puts one group in order, by whose turn it is and by
what health.py knows. The turn is a counter per provider that outlives every snapshot, so that a reload does not send
everybody back to the first. Conversations that stay with their account are affinity.py's; here `affinity` is what is
done with a call that belongs to none.
"""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from proxx.kit import clock
from routing import health, quota
from routing.plan import Candidate, Key, Place

T = TypeVar("T")
Turns = Callable[[str], int]
Strategy = Callable[[Sequence[Candidate], int], Sequence[Candidate]]

GOLDEN = 0.6180339887498949  # its multiples spread over 0..1 as evenly as can be, however many one takes
EXPLORED = 0.1  # share of calls that `fastest` gives to whoever's turn it is: an account that was slow may have mended
A_HAIR = 1e-6  # seconds by which a dearer plan counts as slower: enough to decide between equals
ALIKE = 0.12  # seconds: nobody notices a smaller difference, so those as fast as the fastest take turns

# What a plan is worth, and what a call on it costs, against others; a plan that is not named is unknown.
WORTH = {"plus": 5, "pro": 4, "business": 4, "enterprise": 4, "team": 2, "free": 0}
COST = {"free": 0, "team": 1, "plus": 2, "pro": 2, "business": 2, "enterprise": 2}
UNKNOWN_PLAN = 1

STICKY = 300.0  # seconds in which `quota_first` stays with its choice, so that what an account has read counts again

_kept: dict[tuple[Place, str], tuple[Key, float]] = {}
_turns: dict[str, int] = {}
_lots = random.Random()  # noqa: S311 - spreads, protects nothing


def next_turn(provider_id: str) -> int:
    """Return 0, 1, 2, ... for each provider: whose turn it is."""
    turn = _turns.get(provider_id, 0)
    _turns[provider_id] = turn + 1
    return turn


def turn_to_come(provider_id: str) -> int:
    """Return whose turn it will be, without using it up."""
    return _turns.get(provider_id, 0)


def forget(seed: int | None = None) -> None:
    """Begin all turns anew, as after a start; with a seed `random` draws the same lots again."""
    _turns.clear()
    _kept.clear()
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
    """Begin with who usually speaks soonest; who was never heard counts as average, and some calls explore.

    Of those that nobody can tell apart the cheaper plan comes first."""
    in_turn = round_robin(group, turn)
    waits = [health.first_event(one.key, one.model) for one in in_turn]
    heard = [wait for wait in waits if wait is not None]
    if not heard or turn * GOLDEN % 1 < EXPLORED:
        return in_turn
    average, alike = sum(heard) / len(heard), min(heard) + ALIKE
    places = [
        max(average if wait is None else wait, alike) + A_HAIR * _cost(one)
        for wait, one in zip(waits, in_turn, strict=True)
    ]
    return [in_turn[place] for place in sorted(range(len(places)), key=places.__getitem__)]


def by_lot(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Draw lots, by weight."""
    return sorted(group, key=lambda one: _lots.expovariate(one.weight))


def quota_first(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with who is untouched, so that its windows begin; then who is unknown, in turn; then who loses soonest
    what it has left. The choice is kept for some minutes. Who has nothing left was struck out by the planner."""
    now = clock.monotonic()
    quota.renew(now)
    in_order = quota.ranked(round_robin(group, turn))
    slot = group[0].place, group[0].model
    key, until = _kept.get(slot, ("", 0.0))
    if now < until and quota.spent_until(key, now) is None and health.resting(key, group[0].model, now) is None:
        place = next((place for place, one in enumerate(in_order) if one.key == key), 0)
        return [in_order[place], *in_order[:place], *in_order[place + 1 :]] if place else in_order
    if quota.rank(in_order[0].key) != quota.UNKNOWN:
        _kept[slot] = (in_order[0].key, now + STICKY)
    return in_order


def plan_aware(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with the plan that is worth most; equals take turns."""
    return sorted(round_robin(group, turn), key=lambda one: -WORTH.get(plan_of(one), UNKNOWN_PLAN))


def free_first(group: Sequence[Candidate], turn: int) -> Sequence[Candidate]:
    """Begin with free plans, then what costs least; equals take turns."""
    return sorted(round_robin(group, turn), key=_cost)


def plan_of(candidate: Candidate) -> str:
    """Return the plan of a candidate's account, empty if it is unknown."""
    return candidate.credential.plan_type if candidate.credential is not None else ""


def rotated(items: Sequence[T], start: int) -> Sequence[T]:
    """Return the items beginning at `start`, wrapped around."""
    return (*items[start:], *items[:start]) if start else items


def _cost(candidate: Candidate) -> int:
    return COST.get(candidate.credential.plan_type if candidate.credential is not None else "", UNKNOWN_PLAN)


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
    "quota_first": quota_first,
    "plan_aware": plan_aware,
    "free_first": free_first,
}
