"""What a name that leaves the choice to proxx has chosen: the models to try, and what configuration says about each.

The routes of a model are worked out once, whatever else a request needs; what differs from request to request is which
models are chosen, and that is a short list.
"""

from dataclasses import dataclass, replace

from routing import able, auto, routes
from routing.plan import Exclusion
from routing.routes import WHY_NOBODY, Asked, Routes
from routing.snapshot import Snapshot

_CHOSEN = "chosen models"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The models by name, best first, with the routes of each, none twice; who was struck out for good; and without
    any candidate the refusal. It holds while `slot` is the current one."""

    slot: float
    names: tuple[str, ...]
    parts: tuple[Routes, ...]
    excluded: tuple[Exclusion, ...]
    refusal: str | None


def of(known: Routes, needs: frozenset[str], tokens: int, snapshot: Snapshot, now: float) -> Chosen:
    """Return what was chosen for requests with these needs and at least so many tokens, of the moment."""
    said = known.asked
    # The name itself matters only to lists of what may be used; without them all such names share their routes.
    asked = Asked(f"{auto.PREFIX}{known.auto}" if said.who else auto.PREFIX, said.dialects, said.who)
    key = (_CHOSEN, known.auto, asked, needs, tokens)
    found: Chosen | None = snapshot.memo.get(key)
    if found is None or found.slot != auto.slot(now):
        found = _chosen(known.auto, asked, needs, tokens, snapshot, now)
        snapshot.memo.put(key, found, weight=1 + len(found.names) + len(found.excluded))
    return found


def remembered(key: object, asked: Asked, snapshot: Snapshot) -> Routes:
    """Return the routes for what is asked, remembered under this key."""
    known: Routes | None = snapshot.memo.get(key)
    if known is None:
        known = routes.found(asked, snapshot)
        snapshot.memo.put(key, known, weight=len(known.plan.candidates) + len(known.plan.excluded) + 1)
    return known


def _chosen(order: str, asked: Asked, needs: frozenset[str], tokens: int, snapshot: Snapshot, now: float) -> Chosen:
    names = tuple(auto.ranked(order, needs, tokens, snapshot, now, who=asked.who))
    parts: list[Routes] = []
    met: set[able.Model] = set()
    for name in names:
        part = _part(replace(asked, pool=(name,)), needs, tokens, snapshot)
        stops = {(one.place[0], one.candidates[0].model) for one in part.groups}
        if met & stops:
            groups = tuple(one for one in part.groups if (one.place[0], one.candidates[0].model) not in met)
            part = replace(part, groups=groups)
        met |= stops
        parts.append(part)
    excluded = tuple(dict.fromkeys(row for part in parts for row in part.plan.excluded))
    refusals = [part.plan.refusal for part in parts if part.plan.refusal is not None]
    refusal = None
    if len(refusals) == len(parts):
        refusal = next((one for one in WHY_NOBODY if one in refusals), refusals[0] if refusals else "no_model_fits")
    return Chosen(auto.slot(now), names, tuple(part for part in parts if part.groups), excluded, refusal)


def _part(asked: Asked, needs: frozenset[str], tokens: int, snapshot: Snapshot) -> Routes:
    """Return the routes of one model; they depend on the request only where a provider of the model lacks something."""
    part = remembered(asked, asked, snapshot)
    needs = needs & part.limits.lacking
    tokens = tokens if tokens * able.BYTES_PER_TOKEN > part.limits.narrow else 0
    if not needs and not tokens:
        return part
    asked = replace(asked, needs=needs, tokens=tokens)
    return remembered(asked, asked, snapshot)
