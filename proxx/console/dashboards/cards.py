"""What a dashboard is made of: tiles, charts, tables, a calendar. Plain data; templates and dashboards.js draw it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from analytics.readings.filters import DAY
from proxx.console.dashboards import numbers

Unit = Literal["count", "usd", "ms", "percent"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its name. `change` is the share by which it grew; `less_is_better` colours it the other way."""

    name: str
    value: str
    hint: str = ""
    change: float | None = None
    less_is_better: bool = False
    is_neutral: bool = False
    alarming: bool = False

    @property
    def change_text(self) -> str:
        """The change as people say it."""
        return numbers.change(self.change)

    @property
    def change_mark(self) -> str:
        """How the change is coloured: better, worse or same."""
        if self.change is None or abs(self.change) < 0.005 or self.is_neutral:
            return "same"
        return "worse" if (self.change > 0) == self.less_is_better else "better"


@dataclass(frozen=True, slots=True)
class Series:
    """One line, row of bars or ring of a chart. `colour` is one of dashboards.css: ok, bad, warn, off, or 1 to 8."""

    name: str
    values: Sequence[float | None]
    colour: str | int = 1
    kind: str = ""  # of this series, if not the chart's
    is_second: bool = False  # on an axis of its own


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of numbers; `labels` are the points below it, or the slices of a doughnut."""

    id: str
    title: str
    kind: Literal["line", "bar", "doughnut", "across"]
    labels: Sequence[str]
    series: Sequence[Series]
    unit: Unit = "count"
    second_unit: Unit = "count"
    hint: str = ""
    is_stacked: bool = False
    width: Literal["whole", "half", "third"] = "half"
    card: str = "chart"

    @property
    def data(self) -> dict[str, Any]:
        """What dashboards.js reads."""
        return {
            "kind": self.kind,
            "labels": list(self.labels),
            "unit": self.unit,
            "secondUnit": self.second_unit,
            "stacked": self.is_stacked,
            "series": [
                {
                    "name": one.name,
                    "values": list(one.values),
                    "colour": one.colour,
                    "kind": one.kind,
                    "second": one.is_second,
                }
                for one in self.series
            ],
        }

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for one in self.series for value in one.values)

    @property
    def summary(self) -> str:
        """The picture in words, for those who do not see it."""
        totals = (f"{one.name} {_total(one, self.unit)}" for one in self.series)
        return f"{self.title}: {', '.join(totals)}" if self.kind != "doughnut" else f"{self.title}: {self._slices()}"

    def _slices(self) -> str:
        values = self.series[0].values if self.series else []
        return ", ".join(f"{name} {_said(value, self.unit)}" for name, value in zip(self.labels, values, strict=True))


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table: a text, perhaps with a smaller note, a link, a mark, or a bar (percent) behind it."""

    text: str
    note: str = ""
    href: str = ""
    mark: str = ""
    bar: float | None = None
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their names; `right` are the places of columns with numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    hint: str = ""
    empty: str = "Nothing in this time."
    right: frozenset[int] = frozenset()
    width: Literal["whole", "half", "third"] = "half"
    card: str = "table"

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The names of the columns, and whether they hold numbers."""
        return [(name, place in self.right) for place, name in enumerate(self.head)]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days (or, of the running week, fewer): each a level (0..4) and words; `month` where one begins."""

    days: Sequence[tuple[int, str]]
    month: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A year of days in weeks."""

    title: str
    weeks: Sequence[Week]
    hint: str = ""
    card: str = "calendar"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence on top of the page."""

    text: str
    href: str = ""
    link: str = ""


@dataclass(slots=True)
class Dashboard:
    """One page: tiles in a row, then cards in their order."""

    tiles: list[Tile] = field(default_factory=list)
    cards: list[Any] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def number(text: str, **more: Any) -> Cell:
    """Return a cell that stands at the right."""
    return Cell(text, is_number=True, **more)


def times(steps: Sequence[datetime], step: timedelta) -> list[str]:
    """Return the points of a line over time as people say them (UTC)."""
    if step >= DAY:
        return [f"{at:%-d %b}" for at in steps]
    if len(steps) * step > DAY:
        return [f"{at:%-d %b %H:%M}" for at in steps]
    return [f"{at:%H:%M}" for at in steps]


def _total(one: Series, unit: Unit) -> str:
    known = [value for value in one.values if value is not None]
    if unit in ("ms", "percent"):  # a sum of means means nothing
        return f"at most {_said(max(known), unit)}" if known else "unknown"
    return _said(sum(known), unit)


def _said(value: float | None, unit: Unit) -> str:
    if value is None:
        return "unknown"
    return {"usd": numbers.money, "ms": numbers.span, "percent": _percent, "count": numbers.count}[unit](value)


def _percent(value: float) -> str:
    return f"{value:.1f} %"
