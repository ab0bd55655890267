"""Which price a call was priced by. A version is made of the rates themselves, so the same price is one version in
every process, and a changed list makes a new one by itself.

On the way of a call nothing is looked up: a record carries the version, and the price itself until this process knows
that the database has it (`confirm`). So a journal that another process replays lacks nothing.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from proxx.kit import clock, fastjson
from routing import pricing
from routing.models import PriceVersion
from routing.pricing import Price

MEMORY = 20_000  # prices; there are as many as models in use

_versions: dict[int, tuple[Price, int]] = {}  # by the object's identity, for a snapshot keeps its prices
_kept: set[int] = set()


def version_of(price: Price) -> int:
    """Return the version of a price: a number of 63 bits made of its rates and its source."""
    known = _versions.get(id(price))
    if known is not None and known[0] is price:
        return known[1]
    said = fastjson.dumps([sorted(pricing.to_dict(price).items()), price.source])
    version = int.from_bytes(sha256(said).digest()[:8], "big") >> 1
    if len(_versions) >= MEMORY:
        _versions.clear()
    _versions[id(price)] = price, version
    return version


def to_tell(version: int, price: Price) -> dict[str, Any] | None:
    """Return the price as a record carries it; None once the database has it."""
    return None if version in _kept else {"source": price.source, **pricing.to_dict(price)}


def keep(found: Mapping[int, Mapping[str, Any]]) -> None:
    """Write prices that records carry, in the caller's transaction; what is there already stays."""
    now = clock.now()
    rows = [
        PriceVersion(
            id=version,
            rates={name: rate for name, rate in said.items() if name != "source"},
            source=str(said.get("source", ""))[:16],
            first_used_at=now,
        )
        for version, said in found.items()
    ]
    PriceVersion.objects.bulk_create(rows, ignore_conflicts=True)


def confirm(found: Mapping[int, Any]) -> None:
    """Take note that the database has these versions: records need not carry them any more."""
    _kept.update(found)


def forget() -> None:
    """Carry every price again, as after a start."""
    _versions.clear()
    _kept.clear()
