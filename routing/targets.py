"""What an alias stands for: one model, or several that are tried in order, some only for a reasoning effort."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.question import EFFORTS


@dataclass(frozen=True, slots=True)
class Target:
    """One of the names that an alias stands for; with an effort (F-068) only for requests that ask to think so much."""

    name: str
    effort: str = ""


def read(text: str) -> Target:
    """Read a target as operators write it: a model, or `high:model`."""
    effort, mark, name = text.partition(":")
    return Target(name.strip(), effort.lower()) if mark and name.strip() and effort.lower() in EFFORTS else Target(text)


def in_order(targets: Sequence[Target], effort: str) -> list[str]:
    """Return the targets for a request of this effort, by name: its own tier, the next higher ones, the lower ones
    from above, then those of any effort.

    A request that names no effort gets the targets of any effort; where there are none, all as they stand.
    """
    plain = [one.name for one in targets if not one.effort]
    if effort not in EFFORTS:
        return plain or [one.name for one in targets]
    place = EFFORTS.index(effort)
    tiers = (*EFFORTS[place:], *reversed(EFFORTS[:place]))
    return [one.name for tier in tiers for one in targets if one.effort == tier] + plain
