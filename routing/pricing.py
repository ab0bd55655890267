"""What a model costs, and what one reply cost, in whole nano-dollars. Unknown is "unpriced", never 0.

A rate is whole nano-dollars per million tokens: $2.50 per million is 2,500,000,000. Whole numbers, so that no sum of
costs depends on the order of adding. Where prices come from is capabilities.py and facts_file.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from proxx.protocols.hub.events import Usage

NANO = 1_000_000_000
MILLION = 1_000_000
# A thousand dollars per token: whatever is above is a misread unit.
LARGEST_RATE = 1000 * MILLION * NANO
TIERS_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Tier:
    """Other rates for calls whose input is larger than `above` tokens; None keeps the price's own rate."""

    above: int
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a model takes, in nano-dollars per million tokens; None where nobody says so.

    A missing rate of cached tokens means the input rate, of reasoning the output rate, of audio the text's rate.
    `image` is per picture that is made, `request` per call. `tiers` stand from the smallest `above` to the largest.
    `source` says who told: "console", "provider" (its own list), "list" (the shipped or imported facts), "maker" (what
    the maker takes, at a reseller that does not say) or "local" (the operator's own machines).
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_in: int | None = None
    audio_out: int | None = None
    image: int | None = None
    request: int | None = None
    tiers: tuple[Tier, ...] = ()
    source: str = ""

    def at(self, input_tokens: int) -> "Price":
        """Return the rates that hold for a call with that much input."""
        tier = next((tier for tier in reversed(self.tiers) if input_tokens > tier.above), None)
        if tier is None:
            return self
        said = {name: rate for name in TIER_RATES if (rate := getattr(tier, name)) is not None}
        # A longer cache life costs in proportion; a tier names only the usual one.
        if self.cache_write_1h is not None and self.cache_write and tier.cache_write is not None:
            said["cache_write_1h"] = self.cache_write_1h * tier.cache_write // self.cache_write
        return replace(self, **said)

    @property
    def is_free(self) -> bool:
        """Tell a price of nothing from one that is not known."""
        return self.input == 0 and self.output == 0 and not self.request

    @property
    def blended(self) -> int | None:
        """Return one number to compare models by: the input rate and the output rate together."""
        return None if self.input is None or self.output is None else self.input + self.output


FREE = Price(input=0, output=0, source="local")


def cost(usage: Usage, price: Price | None) -> int | None:
    """Return what a reply cost in whole nano-dollars, rounded to the nearest; None is "unpriced".

    Unpriced is a reply whose tokens nobody counted, and one with tokens of a kind that has no price.
    """
    if price is None or (usage.input_total is None and usage.output_total is None):
        return None
    total_in, total_out = max(0, usage.input_total or 0), max(0, usage.output_total or 0)
    rates = price.at(total_in) if price.tiers else price
    try:
        whole = _input(usage, rates, total_in) + _output(usage, rates, total_out)
    except _Unpriced:
        return None
    return (whole + MILLION // 2) // MILLION + (rates.request or 0)


def worst(input_tokens: int, output_tokens: int, price: Price | None, *, repeats: int = 1) -> int | None:
    """Return the most that a call of that size can cost, in nano-dollars, rounded up; None is "unpriced".

    Every token is taken at the dearest rate of its side, so that writing to a cache is no way around a budget.
    """
    if price is None:
        return None
    rates = price.at(input_tokens) if price.tiers else price
    if (rates.input is None and input_tokens) or (rates.output is None and output_tokens and not rates.image):
        return None
    paid = max(rates.input or 0, rates.cache_write or 0, rates.cache_write_1h or 0, rates.audio_in or 0)
    made = max(rates.output or 0, rates.reasoning or 0, rates.audio_out or 0)
    whole = input_tokens * paid + output_tokens * made
    return -(-whole // MILLION) + (rates.request or 0) + (rates.image or 0) * repeats


class _Unpriced(Exception):
    """There are tokens of a kind that has no rate."""


def _input(usage: Usage, rates: Price, total: int) -> int:
    """Charge cache reads, cache writes by their life, audio, and the rest of the input; never more than the total."""
    read = _share(usage.cache_read, total)
    write = _share(usage.cache_write, total - read)
    hour = _share(usage.cache_write_1h, write)
    audio = _share(usage.audio_in, total - read - write)
    return (
        _charge(read, rates.cache_read, rates.input)
        + _charge(hour, rates.cache_write_1h, rates.cache_write, rates.input)
        + _charge(write - hour, rates.cache_write, rates.input)
        + _charge(audio, rates.audio_in, rates.input)
        + _charge(total - read - write - audio, rates.input)
    )


def _output(usage: Usage, rates: Price, total: int) -> int:
    thought = _share(usage.reasoning, total)
    audio = _share(usage.audio_out, total - thought)
    return (
        _charge(thought, rates.reasoning, rates.output)
        + _charge(audio, rates.audio_out, rates.output)
        + _charge(total - thought - audio, rates.output)
    )


def _charge(tokens: int, *rates: int | None) -> int:
    """Charge tokens by the first rate that is known."""
    if not tokens:
        return 0
    for rate in rates:
        if rate is not None:
            return tokens * rate
    raise _Unpriced


def _share(part: int | None, whole: int) -> int:
    return max(0, min(part, whole)) if part else 0


def rate_of(dollars: Any, *, per_tokens: int = MILLION) -> int | None:
    """Return a rate from dollars per that many tokens, as text or number; None for what is no price.

    Routers write -1 for "it depends": that is no price either.
    """
    if isinstance(dollars, bool) or not isinstance(dollars, str | int | float | Decimal):
        return None
    try:
        rate = Decimal(str(dollars)) * NANO * MILLION / per_tokens
    except ArithmeticError:  # no number, or one beyond all measure
        return None
    return int(rate.to_integral_value()) if rate.is_finite() and 0 <= rate <= LARGEST_RATE else None


def to_dict(price: Price) -> dict[str, Any]:
    """Return what is known of a price, for a row or a file; `from_dict` reads it again."""
    said = {name: rate for name in RATES if (rate := getattr(price, name)) is not None}
    tiers = [
        {"above": tier.above} | {name: rate for name in TIER_RATES if (rate := getattr(tier, name)) is not None}
        for tier in price.tiers
    ]
    return said | ({"tiers": tiers} if tiers else {})


def in_dollars(price: Price | None) -> dict[str, Any] | None:
    """Return a price in dollars per million tokens (per picture, per call), as clients and people read it."""
    if price is None:
        return None
    said = {name: rate / NANO for name in RATES if (rate := getattr(price, name)) is not None}
    tiers = [
        {"above": tier.above} | {name: rate / NANO for name in TIER_RATES if (rate := getattr(tier, name)) is not None}
        for tier in price.tiers
    ]
    return {"currency": "USD", **said} | ({"tiers": tiers} if tiers else {}) | {"source": price.source}


def from_dict(said: Mapping[str, Any], *, source: str) -> Price | None:
    """Return the price that `to_dict` wrote, None for an empty one; raise `ValueError` if it is none of ours."""
    if not said:
        return None
    try:
        rows = [Tier(**row) for row in said.get("tiers", ())][:TIERS_AT_MOST]
        price = Price(**{name: rate for name, rate in said.items() if name != "tiers"}, source=source)
    except TypeError:
        raise ValueError("a price has other members") from None
    if not all(
        rate is None or type(rate) is int
        for rate in [*_numbers(price), *(number for row in rows for number in _numbers(row))]
    ):
        raise ValueError("a rate is a whole number")
    return replace(price, tiers=tuple(sorted(rows, key=lambda tier: tier.above)))


def _numbers(one: Price | Tier) -> list[Any]:
    names = RATES if isinstance(one, Price) else ("above", *TIER_RATES)
    return [getattr(one, name) for name in names]


RATES = tuple(one.name for one in fields(Price) if one.name not in {"tiers", "source"})
TIER_RATES = tuple(one.name for one in fields(Tier) if one.name != "above")
