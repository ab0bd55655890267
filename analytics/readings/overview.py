"""The first look: how much, how well, for how much, against the stretch before; a year by days; who is used most."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.readings.filters import DAY, Filters, Period, period
from analytics.readings.reader import TIME, Place, Reader
from analytics.readings.sums import Sums
from routing import footprint
from routing.footprint import Footprint

WEEKS = 53
LINE = ("requests", "ok", "errors", "cancelled", "refused", "input_tokens", "output_tokens", "cost_nano",
        "cache_read_tokens", "unpriced")  # fmt: skip
CALENDAR = ("requests", "cost_nano")
WHOLE = ("requests", "ok", "errors", "cancelled", "refused", "retried", "input_tokens", "output_tokens", "cost_nano",
         "cache_read_tokens", "cache_hits", "unpriced", "pictures", "first_event_ms", "first_event_count",
         "streamed_tokens", "output_ms", "duration_ms")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """The sums of one thing, known by a name."""

    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Overview:
    """A stretch of time and the one before; `line` has every step; models and providers by requests."""

    now: Sums
    before: Sums
    line: list[tuple[datetime, Sums]]
    models: list[Row]
    providers: list[Row]
    footprint: Footprint


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar; `level` is 0 for nothing, else 1 to 4 by how its calls compare with the busiest day."""

    date: date
    requests: int
    cost_nano: int
    level: int


def read(filters: Filters, reader: Reader) -> Overview:
    """Return the overview. Three queries, besides what a reader's first takes."""
    pairs = reader.groups("provider", "model", names=WHOLE)
    now = Sums()
    for sums in pairs.values():
        now.add(sums)
    return Overview(
        now=now,
        before=reader.total(names=WHOLE, of=filters.period.before()),
        line=reader.line(LINE),
        models=folded(pairs, 1),
        providers=folded(pairs, 0),
        footprint=footprint_of(folded(pairs, 1)),
    )


def calendar(reader: Reader) -> list[list[Day]]:
    """Return a year in weeks from Monday to Sunday, the running one last and as far as it went. One query."""
    year = year_of_weeks()
    found = reader.groups(TIME, names=CALENDAR, of=year)
    most = max((sums.requests for sums in found.values()), default=0)
    days = []
    for at in year.steps():
        sums = found.get((at,)) or Sums()
        days.append(Day(at.date(), sums.requests, sums.cost_nano, _level(sums.requests, most)))
    return [days[number : number + 7] for number in range(0, len(days), 7)]


def year_of_weeks() -> Period:
    """Return the stretch of the calendar: whole weeks, and of the running one what there is."""
    days = period("365d")
    today = days.end - DAY
    start = today - timedelta(days=today.weekday()) - timedelta(weeks=WEEKS - 1)
    return Period("calendar", "", start, days.end, DAY, "day")


def folded(groups: dict[Place, Sums], part: int) -> list[Row]:
    """Return groups summed by one part of their place, the most used first; those without a name (calls that went
    nowhere) are left out."""
    found: dict[str, Sums] = {}
    for place, sums in groups.items():
        if place[part]:
            found.setdefault(str(place[part]), Sums()).add(sums)
    return [Row(name, found[name]) for name in sorted(found, key=lambda name: (-found[name].requests, name))]


def footprint_of(models: list[Row]) -> Footprint:
    """Return what all these models' tokens may have taken: an estimate."""
    each = [footprint.estimate(one.name, one.sums.input_tokens, one.sums.output_tokens) for one in models]
    return Footprint(sum(one.joules for one in each), sum(one.water_ml for one in each))


def _level(requests: int, most: int) -> int:
    if not requests:
        return 0
    return min(4, -(-4 * requests // most))
