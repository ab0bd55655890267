"""Candidates in groups of equals, and the groups in order: by affinity where a conversation is known, else by strategy.

A group is what has the same provider, model and priority; groups follow each other as configuration says.
"""

from collections.abc import Callable, Iterable
from itertools import groupby

from routing import affinity, policies
from routing.plan import Belonging, Candidate, Group, Key, Place

AFFINITY = "affinity"
_SALT = (1 << 64) - 1


def groups_of(candidates: Iterable[Candidate]) -> tuple[Group, ...]:
    """Return neighbours that are equal as groups."""
    found = []
    for _, equals in groupby(candidates, key=lambda one: (one.place, one.model)):
        members = tuple(equals)
        salts = tuple(one.credential.id.int & _SALT for one in members if one.credential is not None)
        # Without credentials there is nobody to belong to.
        strategy = members[0].strategy if salts else "priority"
        is_even = len({one.weight for one in members}) == 1
        found.append(Group(members, members[0].place, strategy, salts, is_even))
    return tuple(found)


def in_order(
    groups: Iterable[Group], turns: policies.Turns, conversation: Callable[[], int]
) -> tuple[list[Candidate], Belonging | None]:
    """Return all candidates in order, and to whom the conversation belongs.

    `conversation` gives its digest, 0 for none; it is asked only if it matters.
    """
    ordered: list[Candidate] = []
    bound: dict[Place, Key] = {}
    known: int | None = None
    for group in groups:
        if len(group.candidates) == 1:
            ordered += group.candidates
            continue
        if group.strategy == AFFINITY:
            known = conversation() if known is None else known
            if known:
                ranked, bound[group.place] = affinity.ordered(group, known)
                ordered += ranked
                continue
        ordered += policies.STRATEGIES[group.strategy](group.candidates, turns(group.place[0]))
    return ordered, Belonging(known, bound) if known else None
