"""Errors: what fails, where, why."""

from typing import Literal

from django.urls import reverse

from analytics.readings import errors
from analytics.readings.errors import Errors
from analytics.readings.overview import Row
from analytics.readings.sums import Sums, change
from proxx.console.dashboards import numbers
from proxx.console.dashboards.asking import Asked
from proxx.console.dashboards.cards import Cell, Chart, Dashboard, Series, Table, Tile, number, times
from proxx.console.dashboards.pages.overview import ALARMING_ERRORS

MOST = 20
HEAD = ("Failed", "Rate", "Requests", "Retried")
RIGHT = frozenset(range(1, 5))


def dashboard(asked: Asked) -> Dashboard:
    """Return the page."""
    read = errors.read(asked.filters, asked.reader)
    labels = times([at for at, _ in read.line], asked.filters.period.step)
    line = [sums for _, sums in read.line]
    rates = [None if sums.error_rate is None else 100 * sums.error_rate for sums in line]
    page = Dashboard(tiles=_tiles(read))
    page.cards = [
        Chart("failed", "What did not go well", "bar", labels, [
            Series("failed", [sums.errors for sums in line], "bad"),
            Series("refused by us", [sums.refused for sums in line], "warn"),
            Series("left by the client", [sums.cancelled for sums in line], "off"),
        ], is_stacked=True),
        Chart("rate", "Error rate", "line", labels, [Series("error rate", rates, "bad")], unit="percent"),
        _reasons(read, asked),
        _table("Providers", "provider", read.providers, asked),
        _accounts(read, asked),
        _table("Models", "model", read.models, asked, width="whole"),
    ]  # fmt: skip
    return page


def _tiles(read: Errors) -> list[Tile]:
    now, before = read.now, read.before
    return [
        Tile("Failed", numbers.count(now.errors), f"before: {numbers.count(before.errors)}",
             change(now.errors, before.errors), less_is_better=True),
        Tile("Error rate", numbers.percent(now.error_rate, 2), "of calls that were answered or failed",
             change(now.error_rate, before.error_rate), less_is_better=True,
             alarming=(now.error_rate or 0.0) > ALARMING_ERRORS),
        Tile("Refused by us", numbers.count(now.refused), "limits, unknown models, bad requests",
             change(now.refused, before.refused), is_neutral=True),
        Tile("Left by the client", numbers.count(now.cancelled), "before the last byte",
             change(now.cancelled, before.cancelled), is_neutral=True),
        Tile("More than one attempt", numbers.count(now.retried), numbers.percent(now.retried_rate) + " of all calls",
             change(now.retried, before.retried), less_is_better=True),
    ]  # fmt: skip


def _reasons(read: Errors, asked: Asked) -> Table:
    rows = [
        [
            Cell(reason.code or "not said", mark="error"),
            number(str(reason.status or numbers.UNKNOWN)),
            Cell(reason.provider or "went nowhere"),
            number(numbers.count(reason.count)),
            Cell(
                f"{reason.at:%-d %b %H:%M:%S}",
                href=reverse("admin:analytics_requestlog_change", args=[reason.newest]),
            ),
        ]
        for reason in read.reasons[:MOST]
    ]
    head = ("Reason", "Status", "Provider", "Count", "Newest (UTC)")
    hint = f"of the newest {read.seen:,} failures" if read.seen else ""
    return Table("Why", head, rows, hint=hint, right=frozenset({1, 3}), width="whole", empty="Nothing failed.")


def _table(title: str, word: str, rows: list[Row], asked: Asked, *, width: Literal["half", "whole"] = "half") -> Table:
    failing = [row for row in rows if row.sums.errors][:MOST]
    lines = [[Cell(row.name, href=asked.link(**{word: row.name})), *_figures(row.sums)] for row in failing]
    return Table(title, (word.capitalize(), *HEAD), lines, right=RIGHT, width=width, empty="Nothing failed.")


def _accounts(read: Errors, asked: Asked) -> Table:
    failing = [(account, sums) for account, sums in read.accounts if sums.errors][:MOST]
    rows = [[Cell(asked.account(account)), *_figures(sums)] for account, sums in failing]
    return Table("Accounts", ("Account", *HEAD), rows, right=RIGHT, empty="Nothing failed.")


def _figures(sums: Sums) -> list[Cell]:
    return [
        number(numbers.count(sums.errors)),
        number(numbers.percent(sums.error_rate)),
        number(numbers.count(sums.requests)),
        number(numbers.count(sums.retried)),
    ]
