"""Names that leave the choice of a model to proxx: auto:cheapest, auto:fastest and so on (F-073).

Of all listed models those that can serve the request are ranked; the first few become a pool, tried in order. Prices
and abilities are facts of the snapshot, speed and health what this process has seen, cleverness a table
(data/ranks.toml). A name that the operator gave to something else means that.
"""

import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from routing import able, health, names
from routing.capabilities import Facts
from routing.permits import Permit
from routing.plan import Key
from routing.snapshot import Snapshot
from routing.snapshot.views import Who, forms

PREFIX = "auto:"
LASTS = 10.0  # seconds a ranking holds: speed and health move, but not from call to call
TABLE = Path(__file__).parent / "data" / "ranks.toml"
_SEEN = "models that can be chosen"
_OWNERS = "which account is whose"
_RESTING = "how many rest"
_ORDERED = "models in order"
_ALLOWED = "models that may be used"


@dataclass(frozen=True, slots=True)
class Model:
    """A listed model that holds conversations: its facts at the provider that would be asked first, its rank, who has
    it under which name, and how many accounts these have."""

    name: str
    facts: Facts
    rank: int
    stops: tuple[names.Stop, ...]
    accounts: int
    is_local: bool


@dataclass(frozen=True, slots=True)
class Ranks:
    """The table: how clever a model is by glob, the first that fits; which hold no conversation; chains of names."""

    ranks: tuple[tuple[str, int], ...]
    unknown: int
    not_chat: tuple[str, ...]
    small: tuple[str, ...]
    chains: dict[str, tuple[str, ...]]


_Resting = dict[str, Counter[str]]
# What sorts first; the smaller the better.
_Key = tuple[float, ...]
_Order = Callable[[Model, float], _Key]  # by a model, and the share of its accounts that rests


def order_of(name: str) -> str:
    """Return which order a name asks for, and of which models: `cheapest`, `vision`, `cephalon:fastest`; empty for any
    other name."""
    said = name.lower()
    if not said.startswith(PREFIX):
        return ""
    order = said[len(PREFIX) :]
    group, mark, inner = order.partition(":")
    if group == "cephalon":
        return f"cephalon:{inner or 'cheapest'}" if inner in ("", *_BY_WISH) else ""
    return order if not mark and (order in ORDERS or order == "vision") else ""


def wished(name: str, snapshot: Snapshot) -> str:
    """Return which order a name asks for, unless the operator declared a model of this name. What a provider lists
    says nothing here: nobody takes these names by listing them."""
    return "" if name.lower() in snapshot.declared else order_of(name)


def ranked(
    order: str, needs: frozenset[str], tokens: int, snapshot: Snapshot, now: float, *, who: tuple[Who, ...] = ()
) -> list[str]:
    """Return the names of the models to try, best first; those that are known to see, hear and so on before those of
    which nobody knows. `who` have lists of what they may use."""
    group, _, inner = order.partition(":")
    if order == "vision":
        needs = needs | {"images"}
    allowed = _allowed(order, who, snapshot) if who else None
    fitting = [
        model
        for model in _ordered("smartest" if order == "vision" else inner or order, snapshot, now)
        if (allowed is None or model.name in allowed) and _fits(model, needs, tokens)
    ]
    if group == "cephalon":
        fitting = [model for model in fitting if model.is_local or _is_small(model.name)]
        fitting.sort(key=lambda model: (_place(group, model.name), not model.is_local))
    else:
        fitting.sort(key=lambda model: (_place(order, model.name), _unknown(model, needs)))
    return [model.name for model in fitting[: settings.PROXY_AUTO_MODEL_MAX_CANDIDATES]]


def slot(now: float) -> float:
    """Return in which of the times that a ranking holds this is."""
    return now // LASTS


def seen(snapshot: Snapshot) -> tuple[Model, ...]:
    """Return the models that may be chosen at all, worked out once per picture."""
    known: tuple[Model, ...] | None = snapshot.memo.get(_SEEN)
    if known is None:
        entries = [entry.id for entry in snapshot.models if not entry.metadata.get("is_alias")]
        # A router lists under a vendor's path what its vendor lists, too: one stop is one model.
        by_stop: dict[names.Stop, Model] = {}
        for name in entries:
            if (found := _model(name, snapshot)) is not None:
                by_stop.setdefault(*found)
        known = tuple(by_stop.values())
        snapshot.memo.put(_SEEN, known, weight=len(known) + 1)
    return known


@lru_cache(maxsize=1)
def table() -> Ranks:
    """Return the table, read once."""
    said = tomllib.loads(TABLE.read_text())
    return Ranks(
        tuple((glob, int(rank)) for glob, rank in said["ranks"]),
        int(said["unknown"]),
        tuple(said["not_chat"]),
        tuple(said["small"]),
        {name: tuple(chain) for name, chain in said["chains"].items()},
    )


def _model(name: str, snapshot: Snapshot) -> tuple[names.Stop, Model] | None:
    """Return where a name would go first, and what is known of the model there; nothing if it holds no conversation."""
    if _any(name, table().not_chat) or wished(name, snapshot):
        return None
    stops = names.meaning(name, snapshot).stops
    if not stops:
        return None
    facts = snapshot.facts_of(stops[0].provider_id, stops[0].model)
    if facts.outputs is not None and "text" not in facts.outputs:
        return None
    accounts = sum(len(snapshot.credentials.get(stop.provider_id, "1")) for stop in stops)
    low = name.lower().rpartition("/")[2]
    rank = next((rank for glob, rank in table().ranks if fnmatchcase(low, glob)), table().unknown)
    is_local = snapshot.providers[stops[0].provider_id].is_local
    return stops[0], Model(name, facts, rank, stops, accounts, is_local)


def _ordered(order: str, snapshot: Snapshot, now: float) -> tuple[Model, ...]:
    """Return all models, best first by what configuration and health say; it holds for some seconds, for all calls."""
    known: tuple[float, tuple[Model, ...]] | None = snapshot.memo.get((_ORDERED, order))
    if known is None or known[0] != slot(now):
        resting = _resting(snapshot, now)
        models = sorted(seen(snapshot), key=lambda model: ORDERS[order](model, _rest(model, resting)))
        known = slot(now), tuple(models)
        snapshot.memo.put((_ORDERED, order), known, weight=1 + len(models) // 10)
    return known[1]


def _resting(snapshot: Snapshot, now: float) -> _Resting:
    """Return how many accounts rest, by provider and model ("" for all models): one pass over those that do."""
    known: tuple[float, _Resting] | None = snapshot.memo.get(_RESTING)
    if known is None or known[0] != slot(now):
        found: _Resting = {}
        owners = _owners(snapshot)
        for key in tuple(health.rests):
            if (provider_id := owners.get(key)) is not None:
                resting = [model for model, rest in tuple(health.rests.get(key, {}).items()) if rest.until > now]
                found.setdefault(provider_id, Counter()).update([""] if "" in resting else resting)
        known = slot(now), found
        snapshot.memo.put(_RESTING, known, weight=1)
    return known[1]


def _owners(snapshot: Snapshot) -> dict[Key, str]:
    known: dict[Key, str] | None = snapshot.memo.get(_OWNERS)
    if known is None:
        known = {one: one for one in snapshot.order if one not in snapshot.credentials}
        known |= {one.id: provider_id for provider_id, held in snapshot.credentials.items() for one in held}
        snapshot.memo.put(_OWNERS, known, weight=1 + len(known) // 10)
    return known


def _fits(model: Model, needs: frozenset[str], tokens: int) -> bool:
    return not able.short(model.facts, tokens) and all(getattr(model.facts, need) is not False for need in needs)


def _allowed(order: str, who: tuple[Who, ...], snapshot: Snapshot) -> frozenset[str]:
    """Return which models all of these may use, by their lists, whatever a request needs."""
    known: frozenset[str] | None = snapshot.memo.get((_ALLOWED, order, who))
    if known is None:
        permits, asked = [snapshot.permit_of(one) for one in who], f"{PREFIX}{order}"
        known = frozenset(one.name for one in seen(snapshot) if all(_may_use(asked, one, permit) for permit in permits))
        snapshot.memo.put((_ALLOWED, order, who), known, weight=1 + len(known) // 10)
    return known


def _may_use(asked: str, model: Model, permit: Permit) -> bool:
    """Tell whether somebody may use a model at any of its providers; who may use the name itself may use all that is
    not refused."""
    providers = (stop.provider_id for stop in model.stops)
    return permit.allows_model((asked, *forms(model.name))) and any(map(permit.allows_provider, providers))


def _unknown(model: Model, needs: frozenset[str]) -> int:
    return sum(getattr(model.facts, need) is None for need in needs)


@lru_cache(maxsize=10_000)
def _place(order: str, name: str) -> int:
    """Return a model's place in the chain of an order; all that are not in it come behind."""
    chain = table().chains.get(order, ())
    return next((index for index, glob in enumerate(chain) if fnmatchcase(name.lower(), glob)), len(chain))


@lru_cache(maxsize=10_000)
def _is_small(name: str) -> bool:
    return _any(name, table().small)


def _any(name: str, globs: tuple[str, ...]) -> bool:
    low = name.lower().rpartition("/")[2]
    return any(fnmatchcase(low, glob) for glob in globs)


def _price(model: Model) -> float:
    blended = model.facts.price.blended if model.facts.price is not None else None
    return float("inf") if blended is None else blended


def _rest(model: Model, resting: _Resting) -> float:
    """Return which share of its accounts rests."""
    found = 0
    for stop in model.stops if resting else ():
        if (at := resting.get(stop.provider_id)) is not None:
            found += at[""] + at[stop.model]
    return found / model.accounts


def _wait(model: Model) -> float:
    waits = [wait for stop in model.stops if (wait := health.usual_wait(stop.model)) is not None]
    return min(waits) if waits else float("inf")


_BY_WISH: dict[str, _Order] = {
    "cheapest": lambda one, rest: (_price(one), rest, -one.rank),
    "fastest": lambda one, rest: (_wait(one), rest, -one.rank),
    "smartest": lambda one, rest: (-one.rank, rest, _price(one)),
}
ORDERS: dict[str, _Order] = {
    **_BY_WISH,
    "healthiest": lambda one, rest: (rest, _wait(one), -one.rank),
}
