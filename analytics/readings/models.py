"""Models, providers and their pairs side by side: how soon, how fast, how surely, how often from the cache."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from analytics.readings.reader import Reader
from analytics.readings.scores import suitability
from analytics.readings.sums import Sums

WHOLE = ("requests", "ok", "errors", "cancelled", "refused", "input_tokens", "output_tokens", "cache_read_tokens",
         "cache_hits", "cost_nano", "unpriced", "duration_ms", "first_event_ms", "first_event_count", "output_ms",
         "streamed_tokens")  # fmt: skip
USUAL: Final = "suitability"


@dataclass(frozen=True, slots=True)
class Line:
    """One model, provider or pair. `partners` counts how many providers have the model, or models the provider."""

    provider: str
    model: str
    sums: Sums
    suitability: float
    partners: int = 1

    @property
    def name(self) -> str:
        """How people tell it from others."""
        return " / ".join(part for part in (self.provider, self.model) if part)


@dataclass(frozen=True, slots=True)
class Compared:
    """The same traffic in three ways, each in the order that was asked for."""

    models: list[Line]
    providers: list[Line]
    pairs: list[Line]


# What lists are sorted by: the smallest first; unknown is last, ties go by tokens, then by name.
ORDERS: Final[Mapping[str, Callable[[Line], float | None]]] = {
    "suitability": lambda one: -one.suitability,
    "requests": lambda one: -one.sums.requests,
    "tokens": lambda one: -one.sums.tokens,
    "ttft": lambda one: one.sums.ttft_ms,
    "tps": lambda one: None if one.sums.tps is None else -one.sums.tps,
    "e2e-tps": lambda one: None if one.sums.whole_tps is None else -one.sums.whole_tps,
    "errors": lambda one: one.sums.error_rate,
    "cache": lambda one: None if one.sums.cache_hit_rate is None else -one.sums.cache_hit_rate,
    "cost": lambda one: one.sums.cost,
}


def read(reader: Reader, *, order: str = USUAL) -> Compared:
    """Return models, providers and pairs. One query, besides what a reader's first takes."""
    groups = {place: sums for place, sums in reader.groups("provider", "model", names=WHOLE).items() if all(place)}
    models, providers = dict[str, Sums](), dict[str, Sums]()
    for (provider, model), sums in groups.items():
        models.setdefault(model, Sums()).add(sums)
        providers.setdefault(provider, Sums()).add(sums)
    of_model = {model: sum(1 for place in groups if place[1] == model) for model in models}
    of_provider = {provider: sum(1 for place in groups if place[0] == provider) for provider in providers}
    return Compared(
        models=_sorted([_line("", name, sums, of_model[name]) for name, sums in models.items()], order),
        providers=_sorted([_line(name, "", sums, of_provider[name]) for name, sums in providers.items()], order),
        pairs=_sorted([_line(place[0], place[1], sums) for place, sums in groups.items()], order),
    )


def _line(provider: str, model: str, sums: Sums, partners: int = 1) -> Line:
    return Line(provider, model, sums, suitability(sums), partners)


def _sorted(lines: list[Line], order: str) -> list[Line]:
    of = ORDERS.get(order, ORDERS[USUAL])

    def place(line: Line) -> tuple[bool, float, int, str]:
        value = of(line)
        return value is None, value or 0.0, -line.sums.tokens, line.name

    return sorted(lines, key=place)
