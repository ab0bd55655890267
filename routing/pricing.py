"""What a model costs, and what one reply cost, in whole nano-dollars. Unknown is "unpriced", never 0.

A rate is whole nano-dollars per million tokens: $2.50 per million is 2,500,000,000. Whole numbers, so that no sum of
costs depends on the order of adding. Where prices come from is capabilities.py and facts_file.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from proxx.protocols.hub.events import Usage
from routing import buckets
from routing.buckets import Buckets

NANO = 1_000_000_000
MILLION = 1_000_000
# A thousand dollars per token: whatever is above is a misread unit.
LARGEST_RATE = 1000 * MILLION * NANO
TIERS_AT_MOST = 16
MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Tier:
    """Other rates for calls whose input is larger than `above` tokens, or that a `service` tier made ("flex",
    "priority", "batch", "fast"; then `above` may be 0), or both; None keeps the price's own rate."""

    above: int
    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model takes, in nano-dollars per million tokens; None where nobody says so.

    A missing rate of cached tokens means the input rate, of reasoning the output rate, of audio the text's rate.
    `image_in` and `image_out` are rates of pictures' tokens, `image` is per picture that is made (where its tokens
    have no rate), `search` per web search that the provider ran, `request` per call. `tiers` stand from the smallest
    `above` to the largest.
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
    image_in: int | None = None
    image_out: int | None = None
    search: int | None = None

    def at(self, input_tokens: int, service: str = "") -> "Price":
        """Return the rates that hold for a call with that much input, made by that service tier.

        Where a service tier has no rates for long input of its own, its rates grow as the usual ones do.
        """
        long = self._tier(input_tokens, "")
        served = self._tier(input_tokens, service) if service else None
        if served is None:
            return self._with(long)
        if long is None or served.above >= long.above:
            return self._with(served)
        grown: dict[str, Any] = {
            name: _in_proportion(getattr(served, name), getattr(long, name), getattr(self, name)) for name in TIER_RATES
        }
        return self._with(long)._with(replace(served, **grown))

    def knows(self, service: str) -> bool:
        """Tell whether a service tier has rates of its own here."""
        return any(tier.service == service for tier in self.tiers)

    def _tier(self, input_tokens: int, service: str) -> Tier | None:
        fit = (tier for tier in reversed(self.tiers) if tier.service == service)
        return next((tier for tier in fit if input_tokens > tier.above or (service and not tier.above)), None)

    def _with(self, tier: Tier | None) -> "Price":
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
        return self.input == 0 and self.output == 0 and not (self.request or self.image or self.search or self.tiers)

    @property
    def blended(self) -> int | None:
        """Return one number to compare models by: the input rate and the output rate together."""
        return None if self.input is None or self.output is None else self.input + self.output


_dearest_rates: dict[int, tuple[Price, tuple[int, int]]] = {}
FREE = Price(input=0, output=0, source="local")


def cost(usage: Usage, price: Price | None, sorted_in: Buckets | None = None) -> int | None:
    """Return what a reply cost in whole nano-dollars, rounded to the nearest; None is "unpriced".

    Unpriced is a reply of which nobody counted anything, and one with something in it that has no price. `sorted_in`
    are its buckets, where the caller has them already.
    """
    if price is None or (usage.input_total is None and usage.output_total is None and usage.pictures is None):
        return None
    if sorted_in is None:
        sorted_in = buckets.of(usage)
    rates = price.at(sorted_in.total_in, usage.tier) if price.tiers else price
    if rates.is_free:
        return 0
    try:
        drawn = _pictures(usage.pictures, sorted_in, rates) if usage.pictures and usage.pictures > 0 else None
        whole = _input(sorted_in, rates) + _output(sorted_in, rates, drawn_apart=drawn is not None)
    except _Unpriced:
        return None
    each = (drawn or 0) + (rates.request or 0) + max(0, usage.web_searches or 0) * (rates.search or 0)
    return (whole + MILLION // 2) // MILLION + each


def worst(input_tokens: int, output_tokens: int, price: Price | None, *, repeats: int = 1) -> int | None:
    """Return the most that a call of that size can cost, in nano-dollars, rounded up; None is "unpriced".

    Every token is taken at the dearest rate of its side, so that neither writing to a cache nor a service tier is a way
    around a budget. All tiers count: an account may be set to one that the call does not name.
    """
    if price is None:
        return None
    rates = price.at(input_tokens) if price.tiers else price
    if (rates.input is None and input_tokens) or (rates.output is None and output_tokens and not rates.image):
        return None
    dearest_in, dearest_out = _dearest(rates)
    whole = input_tokens * dearest_in + output_tokens * dearest_out
    if price.tiers:
        for service in {tier.service for tier in price.tiers if tier.service}:
            dearest_in, dearest_out = _dearest(price.at(input_tokens, service))
            whole = max(whole, input_tokens * dearest_in + output_tokens * dearest_out)
    return -(-whole // MILLION) + (rates.request or 0) + (rates.image or 0) * repeats


def _dearest(of: Price) -> tuple[int, int]:
    """Return the dearest rate of each side; worked out once for prices that live on, which are asked for in each call
    under a budget."""
    known = _dearest_rates.get(id(of))
    if known is not None and known[0] is of:  # while it is kept here nothing else has its identity
        return known[1]
    into = max(of.input or 0, of.cache_read or 0, of.cache_write or 0, of.cache_write_1h or 0)
    into = max(into, of.audio_in or 0, of.image_in or 0)
    found = into, max(of.output or 0, of.reasoning or 0, of.audio_out or 0, of.image_out or 0)
    if not of.tiers:
        if len(_dearest_rates) >= MOST_REMEMBERED:
            _dearest_rates.clear()
        _dearest_rates[id(of)] = of, found
    return found


class _Unpriced(Exception):
    """There are tokens of a kind that has no rate."""


def _input(of: Buckets, rates: Price) -> int:
    whole = _charge(of.fresh, rates.input)
    if of.cache_read:
        whole += _charge(of.cache_read, rates.cache_read, rates.input)
    if of.cache_write:
        whole += _charge(of.cache_write, rates.cache_write, rates.input)
    if of.cache_write_1h:
        whole += _charge(of.cache_write_1h, rates.cache_write_1h, rates.cache_write, rates.input)
    if of.audio_in:
        whole += _charge(of.audio_in, rates.audio_in, rates.input)
    if of.image_in:
        whole += _charge(of.image_in, rates.image_in, rates.input)
    return whole


def _output(of: Buckets, rates: Price, *, drawn_apart: bool) -> int:
    whole = _charge(of.text, rates.output)
    if of.reasoning:
        whole += _charge(of.reasoning, rates.reasoning, rates.output)
    if of.audio_out:
        whole += _charge(of.audio_out, rates.audio_out, rates.output)
    if of.image_out and not drawn_apart:
        whole += _charge(of.image_out, rates.image_out, rates.output)
    return whole


def _pictures(count: int, of: Buckets, rates: Price) -> int | None:
    """Return what pictures cost by the piece; None where they are paid by their tokens."""
    if of.image_out and rates.image_out is not None:
        return None
    if rates.image is not None:
        return count * rates.image
    if of.image_out:
        return None
    raise _Unpriced


def _in_proportion(served: int | None, long: int | None, usual: int | None) -> int | None:
    """Return a service tier's rate for long input, from its rate for short."""
    return served * long // usual if served is not None and long is not None and usual else served


def _charge(tokens: int, *rates: int | None) -> int:
    """Charge tokens by the first rate that is known."""
    if not tokens:
        return 0
    for rate in rates:
        if rate is not None:
            return tokens * rate
    raise _Unpriced


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
        _about(tier) | {name: rate for name in TIER_RATES if (rate := getattr(tier, name)) is not None}
        for tier in price.tiers
    ]
    return said | ({"tiers": tiers} if tiers else {})


def in_dollars(price: Price | None) -> dict[str, Any] | None:
    """Return a price in dollars per million tokens (per picture, per call), as clients and people read it."""
    if price is None:
        return None
    said = {name: rate / NANO for name in RATES if (rate := getattr(price, name)) is not None}
    tiers = [
        _about(tier) | {name: rate / NANO for name in TIER_RATES if (rate := getattr(tier, name)) is not None}
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


def _about(tier: Tier) -> dict[str, Any]:
    return {"above": tier.above} | ({"service": tier.service} if tier.service else {})


def _numbers(one: Price | Tier) -> list[Any]:
    names = RATES if isinstance(one, Price) else ("above", *TIER_RATES)
    return [getattr(one, name) for name in names]


RATES = tuple(one.name for one in fields(Price) if one.name not in {"tiers", "source"})
TIER_RATES = tuple(one.name for one in fields(Tier) if one.name not in {"above", "service"})
