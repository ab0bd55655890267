"""The list of model facts and prices that ships with proxx, or a newer one that the operator imported.

A compact file of our own shape, per provider and model; `manage.py import_model_facts` makes one of the public lists
(facts_sources.py). It is read once per change of the file; of a process's memory it takes some hundred kilobytes.
"""

import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from proxx.kit import fastjson
from routing.capabilities import Facts, PriceList
from routing.pricing import Price, Tier, rate_of

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "data" / "model_facts.json"
IMPORTED = "model_facts.json"  # in the data directory
FILE_LIMIT = 8 * 1024 * 1024
MODELS_AT_MOST = 20_000

READS = {"images": "i", "audio": "a", "pdf": "p", "video": "v"}
DOES = {"tools": "t", "schema": "s", "reasoning": "r"}
RATE_NAMES = (
    *("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning"),
    *("audio_in", "audio_out", "image_in", "image_out", "image", "search", "request"),
)


class FactsFault(ValueError):
    """A file of facts that cannot be used; the text is a short sentence."""


def imported() -> Path:
    """Return where an imported list is kept."""
    return Path(settings.PROXY_DATA_DIR) / IMPORTED


def current() -> PriceList:
    """Return the list in force: the imported one if it can be used, else the shipped one."""
    path = imported()
    try:
        state = path.stat()
    except OSError:
        return _read(SHIPPED, 0, 0)
    try:
        return _read(path, state.st_mtime_ns, state.st_size)
    except FactsFault as fault:
        log.warning("The imported list of model facts is not used: %s", fault)
        return _read(SHIPPED, 0, 0)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, size: int) -> PriceList:
    if size > FILE_LIMIT:
        raise FactsFault(f"{path.name} is larger than {FILE_LIMIT} bytes.")
    try:
        return parse(fastjson.loads(path.read_bytes()))
    except OSError as error:
        raise FactsFault(f"{path.name} cannot be read: {error.strerror}.") from None
    except FactsFault:
        raise
    except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError):
        raise FactsFault(f"{path.name} does not have the shape of a list of facts.") from None


def parse(data: Mapping[str, Any]) -> PriceList:
    """Return the facts in a file's content; raise `FactsFault` or what reading a wrong shape raises."""
    providers = {provider_id: dict(_models(models)) for provider_id, models in data["providers"].items()}
    if sum(map(len, providers.values())) > MODELS_AT_MOST:
        raise FactsFault(f"A list of facts holds {MODELS_AT_MOST} models at most.")
    if not any(providers.values()):
        raise FactsFault("The list of facts names no model.")
    patterns = {
        provider_id: tuple(
            sorted(((name, models.pop(name)) for name in [one for one in models if "*" in one]), key=_by_strength)
        )
        for provider_id, models in providers.items()
    }
    makers: dict[str, Facts] = {}
    for provider_id in data.get("makers", ()):
        for name, facts in providers.get(provider_id, {}).items():
            makers.setdefault(name.rsplit("/", 1)[-1], facts)
    return PriceList(providers, makers, str(data.get("origin", "")), {one: row for one, row in patterns.items() if row})


def _by_strength(entry: tuple[str, Facts]) -> tuple[bool, int]:
    """Order patterns: beginnings before pieces, the longer before the shorter."""
    return entry[0].startswith("*"), -len(entry[0])


def _models(models: Mapping[str, Any]) -> Iterator[tuple[str, Facts]]:
    for name, said in models.items():
        yield name.lower(), _facts(said)


def _facts(said: Mapping[str, Any]) -> Facts:
    """One model: `context`, `output` tokens; letters of what it `reads` and `does`, and of what it surely does not;
    what it `makes`; `price` in dollars per million tokens."""
    able = {name: True for name, letter in READS.items() if letter in said.get("reads", "")}
    able |= {name: True for name, letter in DOES.items() if letter in said.get("does", "")}
    lacking = said.get("lacks", "")
    able |= {name: False for name, letter in (READS | DOES).items() if letter in lacking}
    makes = said.get("makes")
    return Facts(
        context_window=_whole(said.get("context")),
        max_output=_whole(said.get("output")),
        outputs=None if makes is None else tuple(str(one) for one in makes),
        price=_price(said.get("price") or {}),
        **able,
    )


def _price(said: Mapping[str, Any]) -> Price | None:
    if not said:
        return None
    rates: dict[str, Any] = {name: rate_of(said[name]) for name in RATE_NAMES if name in said}
    tiers = [
        Tier(
            int(row.get("above", 0)),
            service=str(row.get("service", "")),
            **{name: rate_of(rate) for name, rate in row.items() if name not in {"above", "service"}},
        )
        for row in said.get("tiers", ())
    ]
    return Price(**rates, tiers=tuple(sorted(tiers, key=lambda tier: tier.above)), source="list")


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None
