"""Tiers of a price as people write them, one a line: `above 200000: input 6, output 22.5`, `flex: input 1, output 4`.

Dollars per million tokens. What a line does not name stays as in the price itself.
"""

import re
from decimal import Decimal

from routing.pricing import NANO, TIER_RATES, TIERS_AT_MOST, Tier, rate_of

SERVICES = ("batch", "fast", "flex", "priority")  # as providers name the tier that made an answer
LARGEST = 1_000_000_000  # tokens
_HEAD = re.compile(rf"^(?:({'|'.join(SERVICES)})\b)?\s*(?:above\s+(\d[\d_,]*))?$", re.IGNORECASE)
_RATE = re.compile(rf"^({'|'.join(TIER_RATES)})\s+\$?(\d+(?:\.\d+)?)$", re.IGNORECASE)


def read(text: str) -> tuple[Tier, ...]:
    """Return the tiers of a text, from the smallest to the largest; raise `ValueError` with a sentence for a person."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > TIERS_AT_MOST:
        raise ValueError(f"A price has {TIERS_AT_MOST} tiers at most.")
    tiers = [_tier(line) for line in lines]
    if len({(tier.service, tier.above) for tier in tiers}) < len(tiers):
        raise ValueError("Two lines are of the same tier.")
    return tuple(sorted(tiers, key=lambda tier: tier.above))


def written(tiers: tuple[Tier, ...]) -> str:
    """Return tiers as `read` reads them."""
    return "\n".join(f"{_head(tier)}: {', '.join(_rates(tier))}" for tier in tiers)


def _tier(line: str) -> Tier:
    head, colon, rates = line.partition(":")
    said = _HEAD.match(head.strip())
    if not colon or not head.strip() or said is None:
        raise ValueError(f"“{line[:60]}” does not begin with “above 200000:” or with one of {', '.join(SERVICES)}.")
    above = int(re.sub(r"\D", "", said[2])) if said[2] else 0
    if above > LARGEST:
        raise ValueError(f"“{line[:60]}”: no call has so many tokens.")
    found: dict[str, int] = {}
    for part in rates.split(","):
        one = _RATE.match(part.strip())
        rate = rate_of(one[2]) if one else None
        if one is None or rate is None or one[1].lower() in found:
            raise ValueError(f"“{part.strip()[:60]}” is not one of {', '.join(TIER_RATES)} with dollars behind it.")
        found[one[1].lower()] = rate
    return Tier(above, service=(said[1] or "").lower(), **found)


def _head(tier: Tier) -> str:
    return " ".join(filter(None, (tier.service, f"above {tier.above}" if tier.above or not tier.service else "")))


def _rates(tier: Tier) -> list[str]:
    return [f"{name} {Decimal(rate) / NANO:f}" for name in TIER_RATES if (rate := getattr(tier, name)) is not None]
