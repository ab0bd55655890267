"""Models and providers side by side: how soon, how fast, how surely, how often from the cache."""

from analytics.readings import models
from analytics.readings.models import Compared, Line
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Cell, Chart, Dashboard, Series, Table, Tile, number

TOP = 8
MOST = 100
ORDER_NAMES = {
    "suitability": "suitability",
    "requests": "requests",
    "tokens": "tokens",
    "ttft": "first byte",
    "tps": "tokens/s",
    "e2e-tps": "tokens/s, whole call",
    "errors": "fewest errors",
    "cache": "cache hits",
    "cost": "lowest cost",
}


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    read = models.read(asked.reader, order=asked.order)
    page = Dashboard(tiles=_tiles(read))
    busiest = sorted(read.models, key=lambda one: -one.sums.requests)[:TOP]
    names = [one.model for one in busiest]
    page.cards = [
        Chart("used", "Requests by model", "across", names, [
            Series("OK", [one.sums.requests - one.sums.errors for one in busiest], "ok"),
            Series("failed", [one.sums.errors for one in busiest], "bad"),
        ], is_stacked=True),
        Chart("soon", "First byte and speed", "bar", names, [
            Series("first byte (mean)", [one.sums.ttft_ms for one in busiest], 2),
            Series("tokens/s", [one.sums.tps for one in busiest], 1, is_second=True),
        ], unit="ms"),
        _table("Models", read.models, asked, partners="Providers"),
        _table("Providers", read.providers, asked, partners="Models"),
        _table("Models at their providers", read.pairs, asked),
    ]  # fmt: skip
    return page


def orders(asked: Asked) -> list[tuple[str, str, bool]]:
    """Return what the lists can be ordered by: address, name, whether it is chosen."""
    chosen = asked.order if asked.order in models.ORDERS else models.USUAL
    return [(asked.link(order=word), ORDER_NAMES[word], word == chosen) for word in models.ORDERS]


def _tiles(read: Compared) -> list[Tile]:
    best = max(read.providers, key=lambda one: one.suitability, default=None)
    top = max(read.models, key=lambda one: one.sums.requests, default=None)
    return [
        Tile("Models in use", numbers.count(len(read.models)), "that calls went to"),
        Tile("Providers in use", numbers.count(len(read.providers)), "that calls went to"),
        Tile("Pairs", numbers.count(len(read.pairs)), "of a model and a provider"),
        Tile("Most used model", top.model if top else numbers.UNKNOWN,
             f"{numbers.count(top.sums.requests)} requests" if top else ""),
        Tile("Best provider", best.provider if best else numbers.UNKNOWN,
             f"suitability {numbers.percent(best.suitability, 0)}" if best else ""),
    ]  # fmt: skip


def _table(title: str, lines: list[Line], asked: Asked, partners: str = "") -> Table:
    found = [line for line in lines if asked.search.lower() in line.name.lower()]
    rows = [_row(line, asked, has_partners=bool(partners)) for line in found[:MOST]]
    head = [
        "Name", "Suitability", "Requests", "Errors", "First byte", "Tokens/s", "Whole call", "Cache hits", "Tokens",
        "Cost", *([partners] if partners else []),
    ]  # fmt: skip
    hint = f"the first {MOST} of {len(found)}" if len(found) > MOST else ""
    return Table(title, head, rows, hint=hint, right=frozenset(range(2, len(head))), width="whole")


def _row(line: Line, asked: Asked, *, has_partners: bool) -> list[Cell]:
    sums = line.sums
    link = asked.link(**{word: name for word, name in (("provider", line.provider), ("model", line.model)) if name})
    partners = [number(numbers.count(line.partners))] if has_partners else []
    return [
        Cell(line.model or line.provider, note=line.provider if line.model else "", href=link),
        Cell(numbers.percent(line.suitability, 0), bar=100 * line.suitability),
        number(numbers.count(sums.requests)),
        number(numbers.percent(sums.error_rate)),
        number(numbers.span(sums.ttft_ms)),
        number(numbers.rate(sums.tps)),
        number(numbers.rate(sums.whole_tps)),
        number(numbers.percent(sums.cache_hit_rate)),
        number(numbers.count(sums.tokens)),
        number(numbers.cost(sums)),
        *partners,
    ]
