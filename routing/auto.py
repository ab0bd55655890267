"""Names that leave the choice of a model to proxx: auto:cheapest, auto:fastest and so on (F-073).

Of all listed models those that can serve the request are ranked; the first few become a pool, tried in order. Prices
and abilities are facts of the snapshot, speed and health what this process has seen, cleverness a table
(data/ranks.toml). A name that the operator gave to something else means that.
"""

import tomllib
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


@dataclass(frozen=True, slots=True)
class Model:
    """A listed model that holds conversations: its facts at the provider that would be asked first, its rank, and under
    which keys its accounts' health is kept, and who has it."""

    name: str
    facts: Facts
    rank: int
    keys: tuple[Key, ...]
    is_local: bool
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranks:
    """The table: how clever a model is by glob, the first that fits; which hold no conversation; chains of names."""

    ranks: tuple[tuple[str, int], ...]
    unknown: int
    not_chat: tuple[str, ...]
    small: tuple[str, ...]
    chains: dict[str, tuple[str, ...]]


# What sorts first; the smaller the better.
_Key = tuple[float, ...]
_Order = Callable[[Model, float], _Key]


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
    permits = [snapshot.permit_of(one) for one in who]
    fitting = [
        model
        for model in seen(snapshot)
        if _fits(model, needs, tokens) and all(_allowed(f"{PREFIX}{order}", model, permit) for permit in permits)
    ]
    if group == "cephalon":
        small = [model for model in fitting if model.is_local or _any(model.name, table().small)]
        return _chained("cephalon", small, lambda model: (not model.is_local, *ORDERS[inner](model, now)))
    key = ORDERS["smartest" if order == "vision" else order]
    return _chained(order, fitting, lambda model: (_unknown(model, needs), *key(model, now)))


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
    keys: list[Key] = []
    for stop in stops:
        held = snapshot.credentials.get(stop.provider_id, ())
        keys += [one.id for one in held] or [stop.provider_id]
    low = name.lower().rpartition("/")[2]
    rank = next((rank for glob, rank in table().ranks if fnmatchcase(low, glob)), table().unknown)
    providers = tuple(stop.provider_id for stop in stops)
    return stops[0], Model(name, facts, rank, tuple(keys), snapshot.providers[providers[0]].is_local, providers)


def _fits(model: Model, needs: frozenset[str], tokens: int) -> bool:
    return not able.short(model.facts, tokens) and all(getattr(model.facts, need) is not False for need in needs)


def _allowed(asked: str, model: Model, permit: Permit) -> bool:
    """Tell whether somebody may use a model at any of its providers; who may use the name itself may use all that is
    not refused."""
    return permit.allows_model((asked, *forms(model.name))) and any(map(permit.allows_provider, model.providers))


def _unknown(model: Model, needs: frozenset[str]) -> int:
    return sum(getattr(model.facts, need) is None for need in needs)


def _chained(order: str, models: list[Model], key: Callable[[Model], _Key]) -> list[str]:
    """Return the names, those of the order's chain first and in its order."""
    chain = table().chains.get(order, ())

    def place(model: Model) -> int:
        return next((index for index, glob in enumerate(chain) if fnmatchcase(model.name.lower(), glob)), len(chain))

    return [model.name for model in sorted(models, key=lambda model: (place(model), *key(model)))][
        : settings.PROXY_AUTO_MODEL_MAX_CANDIDATES
    ]


def _any(name: str, globs: tuple[str, ...]) -> bool:
    low = name.lower().rpartition("/")[2]
    return any(fnmatchcase(low, glob) for glob in globs)


def _price(model: Model) -> float:
    blended = model.facts.price.blended if model.facts.price is not None else None
    return float("inf") if blended is None else blended


def _rest(model: Model, now: float) -> float:
    """Return which share of its accounts rests."""
    return sum(health.resting(key, model.name, now) is not None for key in model.keys) / len(model.keys)


def _wait(model: Model) -> float:
    waits = [wait for key in model.keys if (wait := health.first_event(key, model.name)) is not None]
    return min(waits) if waits else float("inf")


_BY_WISH: dict[str, _Order] = {
    "cheapest": lambda one, now: (_price(one), _rest(one, now), -one.rank),
    "fastest": lambda one, now: (_wait(one), _rest(one, now), -one.rank),
    "smartest": lambda one, now: (-one.rank, _rest(one, now), _price(one)),
}
ORDERS: dict[str, _Order] = {
    **_BY_WISH,
    "healthiest": lambda one, now: (_rest(one, now), _wait(one), -one.rank),
}
