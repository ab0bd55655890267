"""Traffic: who calls, how it ends, how long it takes."""

from analytics.readings import traffic
from analytics.readings.sums import Sums, change
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Cell, Chart, Dashboard, Series, Table, Tile, number, times
from proxx.console.dashboards.pages.overview import outcomes, success

CALLERS = 50


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    read = traffic.read(asked.filters, asked.reader)
    labels = times([at for at, _ in read.line], asked.filters.period.step)
    line = [sums for _, sums in read.line]
    page = Dashboard(tiles=_tiles(read.now, read.before))
    page.cards = [
        outcomes(line, labels),
        Chart("times", "How long it takes", "line", labels, [
            Series("first byte", [sums.ttft_ms for sums in line], 1),
            Series("whole call", [sums.mean_ms for sums in line], 2),
        ], unit="ms", hint="means"),
        Chart("tokens", "Tokens", "line", labels, [
            Series("in", [sums.input_tokens for sums in line], 1),
            Series("out", [sums.output_tokens for sums in line], 2),
        ]),
        Chart("streams", "Streamed or whole", "bar", labels, [
            Series("streamed", [sums.streams for sums in line], 1),
            Series("whole", [sums.requests - sums.streams for sums in line], 4),
        ], is_stacked=True),
        _callers(read.callers, asked),
    ]  # fmt: skip
    return page


def _tiles(now: Sums, before: Sums) -> list[Tile]:
    return [
        Tile("Requests", numbers.count(now.requests), f"before: {numbers.count(before.requests)}",
             change(now.requests, before.requests), is_neutral=True),
        success(now, before),
        Tile("Mean duration", numbers.span(now.mean_ms), "until the last byte", change(now.mean_ms, before.mean_ms),
             less_is_better=True),
        Tile("First byte", numbers.span(now.ttft_ms), "mean", change(now.ttft_ms, before.ttft_ms), less_is_better=True),
        Tile("Streamed", numbers.percent(now.streams / now.requests if now.requests else None), "of all calls"),
        Tile("Second attempts", numbers.percent(now.retried_rate),
             f"{numbers.count(now.retried)} calls needed them",
             change(now.retried_rate, before.retried_rate), less_is_better=True),
    ]  # fmt: skip


def _callers(callers: list[traffic.Caller], asked: Asked) -> Table:
    most = max((one.sums.requests for one in callers), default=0)
    rows = [
        [
            Cell(
                asked.key(one.key),
                note=asked.tenant(one.tenant),
                href=asked.link(key=str(one.key)) if one.key else "",
                bar=100 * one.sums.requests / most,
            ),
            number(numbers.count(one.sums.requests)),
            number(numbers.percent(one.sums.success_rate)),
            number(numbers.count(one.sums.refused)),
            number(numbers.count(one.sums.input_tokens)),
            number(numbers.count(one.sums.output_tokens)),
            number(numbers.span(one.sums.mean_ms)),
            number(numbers.cost(one.sums)),
        ]
        for one in callers[:CALLERS]
    ]
    head = ("Key", "Requests", "Success", "Refused", "Tokens in", "Tokens out", "Mean duration", "Cost")
    hint = f"the first {CALLERS} of {len(callers)}" if len(callers) > CALLERS else ""
    return Table("Who calls", head, rows, hint=hint, right=frozenset(range(1, 8)), width="whole")
