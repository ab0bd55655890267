"""Overview: the figures against the stretch before, traffic, cost, a year by days, who is used, who is in trouble."""

from django.urls import reverse

from analytics.readings import overview
from analytics.readings.filters import Filters
from analytics.readings.overview import Overview, Row
from analytics.readings.reader import Reader
from analytics.readings.sums import NANO, Sums, change
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Calendar, Cell, Chart, Dashboard, Series, Table, Tile, Week, number, times
from routing import health_admin, reload

TOP = 8
ALARMING_ERRORS = 0.05


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    asked.reader = Reader(asked.filters, since=overview.year_of_weeks().start)
    read = overview.read(asked.filters, asked.reader)
    weeks = overview.calendar(asked.reader)
    page = Dashboard(tiles=_tiles(read, asked.filters))
    page.cards = [*_lines(read, asked.filters), _calendar(weeks), _top("Top models", "model", read.models, asked)]
    page.cards.append(_top("Top providers", "provider", read.providers, asked))
    if asked.sees_accounts:
        page.cards.append(_troubled(asked))
    return page


def _tiles(read: Overview, said: Filters) -> list[Tile]:
    now, before = read.now, read.before
    usual = f"the {said.period.label} before: "
    water = numbers.water(read.footprint.water_ml)
    top = read.models[0].name if read.models else ""
    return [
        Tile("Requests", numbers.count(now.requests), usual + numbers.count(before.requests),
             change(now.requests, before.requests), is_neutral=True),
        success(now, before),
        Tile("Tokens", numbers.count(now.tokens),
             f"{numbers.count(now.input_tokens)} in, {numbers.count(now.output_tokens)} out",
             change(now.tokens, before.tokens), is_neutral=True),
        cost(now, before),
        Tile("First byte", numbers.span(now.ttft_ms), f"mean; {numbers.rate(now.tps)} tokens/s in streams",
             change(now.ttft_ms, before.ttft_ms), less_is_better=True),
        Tile("From caches", numbers.percent(now.cache_share), "of the input tokens",
             change(now.cache_share, before.cache_share)),
        Tile("Energy", numbers.energy(read.footprint.joules), f"water {water}, estimates"),
        Tile("Top model", top or numbers.UNKNOWN,
             f"{numbers.count(read.models[0].sums.requests)} requests" if top else "nothing in this time"),
    ]  # fmt: skip


def success(now: Sums, before: Sums) -> Tile:
    """Return the tile that says how many calls went well."""
    apart = [
        f"{numbers.count(value)} {word}"
        for value, word in ((now.errors, "failed"), (now.refused, "refused"), (now.cancelled, "left by the client"))
        if value
    ]
    return Tile(
        "Success",
        numbers.percent(now.success_rate),
        ", ".join(apart) or "nothing failed",
        change(now.success_rate, before.success_rate),
        alarming=(now.error_rate or 0.0) > ALARMING_ERRORS,
    )


def cost(now: Sums, before: Sums) -> Tile:
    """Return the tile that says what it cost, and what that leaves out."""
    hint = f"without {numbers.count(now.unpriced)} unpriced calls" if now.unpriced else "everything has a price"
    grown = change(now.cost_nano, before.cost_nano)
    return Tile("Cost", numbers.cost(now), hint, grown, less_is_better=True)


def outcomes(line: list[Sums], labels: list[str]) -> Chart:
    """Return the chart of calls by how they ended."""
    return Chart(
        "outcomes",
        "Requests",
        "bar",
        labels,
        [
            Series("OK", [sums.ok for sums in line], "ok"),
            Series("refused", [sums.refused for sums in line], "warn"),
            Series("left by the client", [sums.cancelled for sums in line], "off"),
            Series("failed", [sums.errors for sums in line], "bad"),
        ],
        is_stacked=True,
    )


def _lines(read: Overview, said: Filters) -> list[Chart]:
    labels = times([at for at, _ in read.line], said.period.step)
    line = [sums for _, sums in read.line]
    dollars = [sums.cost_nano / NANO for sums in line]
    tokens = [
        Series("in", [sums.input_tokens for sums in line], 1),
        Series("of these from caches", [sums.cache_read_tokens for sums in line], 3),
        Series("out", [sums.output_tokens for sums in line], 2),
    ]
    return [
        outcomes(line, labels),
        Chart("cost", "Cost", "line", labels, [Series("cost", dollars, 2)], unit="usd"),
        Chart("tokens", "Tokens", "line", labels, tokens, width="whole"),
    ]


def _calendar(weeks: list[list[overview.Day]]) -> Calendar:
    shown = [Week([_day(day) for day in week], month=_month(week)) for week in weeks]
    active = sum(1 for week in weeks for day in week if day.requests)
    return Calendar("Activity", shown, hint=f"{active} {'day' if active == 1 else 'days'} with calls in the last year")


def _day(day: overview.Day) -> tuple[int, str]:
    money = numbers.money(day.cost_nano / NANO)
    return day.level, f"{day.date:%a %-d %b %Y}: {day.requests:,} requests, {money}"


def _month(week: list[overview.Day]) -> str:
    return f"{week[0].date:%b}" if week[0].date.day <= 7 else ""


def _top(title: str, word: str, rows: list[Row], asked: Asked) -> Table:
    most = max((row.sums.requests for row in rows), default=0)
    lines = [
        [
            Cell(row.name, href=asked.link(**{word: row.name}), bar=100 * row.sums.requests / most if most else None),
            number(numbers.count(row.sums.requests)),
            number(numbers.count(row.sums.tokens)),
            number(numbers.cost(row.sums)),
            number(numbers.percent(row.sums.error_rate)),
        ]
        for row in rows[:TOP]
    ]
    right = frozenset({1, 2, 3, 4})
    return Table(title, (word.capitalize(), "Requests", "Tokens", "Cost", "Errors"), lines, right=right)


def _troubled(asked: Asked) -> Table:
    """Return the accounts that somebody should look at, as this process knows them."""
    picture = reload.current()
    rows = []
    for views in picture.credentials.values():
        for view in views:
            mark, state = health_admin.state_of(view.id)
            if mark != "well":
                name = asked.account(view.id)
                link = reverse("admin:accounts_credential_change", args=[view.id])
                rows.append([Cell(name, note=view.provider_id, href=link), Cell(state, mark=tone(mark))])
    all_well = "All accounts are well." if picture.credentials else "There is no account yet."
    return Table("Accounts in trouble", ("Account", "State"), rows, width="whole", empty=all_well)


def tone(mark: str) -> str:
    """Return the colour of a badge for how an account stands."""
    return {"rests": "error", "open": "error", "well": "ok", "off": ""}.get(mark, "refused")
