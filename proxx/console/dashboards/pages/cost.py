"""Cost: where the money goes, and how sure the figures are."""

from uuid import UUID

from django.urls import reverse

from analytics.readings import cost, tiers
from analytics.readings.cost import Cost
from analytics.readings.filters import DAY
from analytics.readings.overview import Row, footprint_of
from analytics.readings.sums import NANO, Sums, change
from analytics.readings.tiers import Tiers
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Cell, Chart, Dashboard, Notice, Series, Table, Tile, number, times
from proxx.console.dashboards.pages import overview

MOST = 20
SHOWN_TIERS = 4
# Every bucket that a token can be in, in the order of docs/analytics.md.
BUCKETS = (
    ("fresh input", "fresh_tokens"),
    ("cache reads", "cache_read_tokens"),
    ("cache writes", "cache_write_tokens"),
    ("cache writes for an hour", "cache_write_1h_tokens"),
    ("audio in", "audio_in_tokens"),
    ("pictures in", "image_in_tokens"),
    ("text out", "text_tokens"),
    ("reasoning", "reasoning_tokens"),
    ("audio out", "audio_out_tokens"),
    ("pictures out", "image_out_tokens"),
)


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    read = cost.read(asked.filters, asked.reader)
    labels = times(read.steps, asked.filters.period.step)
    lines = [
        Series(name, [nano / NANO for nano in line], "off" if name == cost.OTHERS else place)
        for place, (name, line) in enumerate(read.lines, 1)
    ]
    page = Dashboard(tiles=_tiles(read, asked), notices=_notices(read.now, asked))
    page.cards = [
        Chart("cost", "Cost by model", "bar", labels, lines, unit="usd", is_stacked=True, width="whole"),
        _split(read.now),
        _shares("providers", "Cost by provider", read.providers),
        _table("Models", "model", read.models, asked),
        _tenants(read.tenants, asked),
    ]
    return page


def _tiles(read: Cost, asked: Asked) -> list[Tile]:
    now, before, period = read.now, read.before, asked.filters.period
    dollars = None if now.cost is None else now.cost_nano / NANO
    days = (period.end - period.start) / DAY
    month = None if dollars is None else dollars / days * 30
    each = dollars / now.requests if dollars is not None and now.requests else None
    million = dollars / now.tokens * 1e6 if dollars is not None and now.tokens else None
    taken = footprint_of(read.models)
    return [
        overview.cost(now, before),
        Tile("A month at this rate", numbers.money(month), f"{numbers.ESTIMATE} from {period.label}"),
        Tile("Per request", numbers.money(each), "mean"),
        Tile("Per million tokens", numbers.money(million), "mean, in and out"),
        Tile("Tokens", numbers.count(now.tokens), f"before: {numbers.count(before.tokens)}",
             change(now.tokens, before.tokens), is_neutral=True),
        Tile("Estimated usage", numbers.percent(now.estimated / now.requests if now.requests else None),
             f"{numbers.count(now.estimated)} calls whose provider said nothing"),
        Tile("Pictures made", numbers.count(now.pictures), f"{numbers.count(now.server_tools)} web searches"),
        _tier(tiers.read(asked.filters)),
        Tile("Energy", numbers.energy(taken.joules), f"water {numbers.water(taken.water_ml)}, estimates"),
    ]  # fmt: skip


def _tier(read: Tiers) -> Tile:
    """Say at which tiers providers served calls; nobody said so of most."""
    if not read.said:
        return Tile("Service tiers", numbers.UNKNOWN, f"no provider named one for {numbers.count(read.scanned)} calls")
    (most, calls), *others = read.counts.most_common(SHOWN_TIERS)
    rest = "".join(f"{name} {numbers.percent(count / read.said)}, " for name, count in others)
    said = f"{rest}of {numbers.count(read.said)} calls that said one"
    return Tile("Service tiers", f"{most} {numbers.percent(calls / read.said)}", said)


def _notices(now: Sums, asked: Asked) -> list[Notice]:
    if not now.unpriced:
        return []
    text = f"{now.unpriced:,} calls went to models without a known price: what they cost is not in these figures."
    if not asked.request.user.has_perm("routing.view_factsetting"):
        return [Notice(text)]
    return [Notice(text, reverse("admin:routing_factsetting_changelist"), "Set prices")]


def _split(now: Sums) -> Chart:
    parts = [(name, getattr(now, column)) for name, column in BUCKETS if getattr(now, column)]
    values = Series("tokens", [value for _, value in parts])
    return Chart("buckets", "Tokens by kind", "doughnut", [name for name, _ in parts], [values])


def _shares(name: str, title: str, rows: list[Row]) -> Chart:
    paid = [row for row in rows if row.sums.cost_nano]
    values = Series("cost", [row.sums.cost_nano / NANO for row in paid])
    return Chart(name, title, "doughnut", [row.name for row in paid], [values], unit="usd")


def _table(title: str, word: str, rows: list[Row], asked: Asked) -> Table:
    lines = [[Cell(row.name, href=asked.link(**{word: row.name})), *_figures(row.sums)] for row in rows[:MOST]]
    return Table(title, (word.capitalize(), *FIGURES), lines, right=RIGHT)


def _tenants(tenants: list[tuple[UUID, Sums]], asked: Asked) -> Table:
    rows = [
        [Cell(asked.tenant(tenant), href=asked.link(tenant=str(tenant), key=None)), *_figures(sums)]
        for tenant, sums in tenants[:MOST]
    ]
    return Table("Tenants", ("Tenant", *FIGURES), rows, right=RIGHT)


FIGURES = ("Cost", "Requests", "Tokens", "Unpriced")
RIGHT = frozenset(range(1, 5))


def _figures(sums: Sums) -> list[Cell]:
    return [
        number(numbers.cost(sums)),
        number(numbers.count(sums.requests)),
        number(numbers.count(sums.tokens)),
        number(numbers.count(sums.unpriced) if sums.unpriced else numbers.UNKNOWN),
    ]
