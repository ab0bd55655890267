"""Reads sums for one page: closed buckets from the largest sums that are right, the newest minutes from their rows.

A page makes one `Reader` and asks it for several groupings. What is not summed yet is looked up once, and read once, as
finely as any grouping may want it; it is little. So each grouping costs one query, however many calls there were.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, F, IntegerField, Q, Value, When

from analytics import usage_sums, whole_sum
from analytics.models import RequestLog, UsageRollup
from analytics.readings.filters import Filters, Period
from analytics.readings.sums import NAMES, Sums
from analytics.rollup import FROM_ROWS, LENGTH, SMALLER
from analytics.usage_sums import COLUMNS, named
from proxx.kit import ids

Place = tuple[Any, ...]
TIME = "time"


class Reader:
    """The sums behind one page. Groups are named by words: tenant, key, provider, account, model, time."""

    def __init__(self, filters: Filters, *, since: datetime | None = None) -> None:
        """`since` is the oldest moment that will be asked for; usually that of the stretch before."""
        self.filters = filters
        self._since = min(since or filters.period.before().start, filters.period.start)
        self._due: Mapping[str, set[datetime]] | None = None
        self._newest: list[dict[str, Any]] | None = None

    def groups(self, *by: str, names: Collection[str] = NAMES, of: Period | None = None) -> dict[Place, Sums]:
        """Return the sums of each combination of these words; `time` is the beginning of a step. One query, and two
        more for the first of a page. `of` is another stretch of time."""
        period = of or self.filters.period
        columns = [COLUMNS[word] for word in by if word != TIME]
        found: dict[Place, Sums] = {}
        sources = self._sums(period, columns, names, by_time=TIME in by)
        for part in (*sources, *self._rows_of(period)):
            place = tuple(period.step_of(part["bucket"]) if word == TIME else named(part[COLUMNS[word]]) for word in by)
            found.setdefault(place, Sums()).add(part, names)
        return found

    def total(self, *, names: Collection[str] = NAMES, of: Period | None = None) -> Sums:
        """Return the sums of everything together."""
        return self.groups(names=names, of=of).get((), Sums())

    @property
    def is_short(self) -> bool:
        """Whether more waits to be summed than is read from rows, so that figures may be too small."""
        return len(self._unsummed()["minute"]) > usage_sums.NEWEST_MINUTES

    def line(self, names: Collection[str] = NAMES) -> list[tuple[datetime, Sums]]:
        """Return the sums of each step of the stretch, oldest first; none is missing."""
        found = self.groups(TIME, names=names)
        return [(at, found.get((at,)) or Sums()) for at in self.filters.period.steps()]

    def _sums(
        self, period: Period, columns: Sequence[str], names: Collection[str], *, by_time: bool
    ) -> Iterator[Mapping[str, Any]]:
        where = reduce(or_, self._sources(period.grain, period.start, period.end))
        rows = UsageRollup.objects.filter(where & self.filters.of_sums())
        totals = {name: whole_sum.of(name) for name in names}
        words = [*columns, *(["bucket"] if by_time else [])]
        yield from rows.values(*words).annotate(**totals).order_by() if words else [rows.aggregate(**totals)]

    def _sources(self, grain: str, start: datetime, end: datetime) -> Iterator[Q]:
        """Return which sums hold a stretch of time: large ones where they are right, else the smaller ones in them."""
        wrong = {one for one in self._unsummed()[grain] if start <= one < end}
        yield Q(period=grain, bucket__gte=start, bucket__lt=end) & ~Q(bucket__in=wrong)
        if grain in SMALLER:
            for bucket in wrong:
                yield from self._sources(SMALLER[grain], bucket, bucket + LENGTH[grain])

    def _unsummed(self) -> Mapping[str, set[datetime]]:
        if self._due is None:
            self._due = usage_sums.unsummed(self._since, self.filters.period.end)
        return self._due

    def _rows_of(self, period: Period) -> Iterator[Mapping[str, Any]]:
        if self._newest is None:
            self._newest = self._read_rows(sorted(self._unsummed()["minute"]))
        return (row for row in self._newest if period.start <= row["bucket"] < period.end)

    def _read_rows(self, minutes: Sequence[datetime]) -> list[dict[str, Any]]:
        if not minutes:
            return []
        ranges = [
            Q(id__gte=ids.earliest(at.timestamp()), id__lt=ids.earliest((at + LENGTH["minute"]).timestamp()))
            for at in minutes
        ]
        place = Case(*(When(one, then=Value(at)) for at, one in enumerate(ranges)), output_field=IntegerField())
        rows = RequestLog.objects.filter(reduce(or_, ranges) & self.filters.of_calls(), tenant__isnull=False)
        keys = {f"by_{column}": F(column) for column in COLUMNS.values() if column != "model"}
        grouped = rows.values(**keys, by_model=F("model_routed"), by_minute=place)
        found: Any = grouped.annotate(**{f"sum_{name}": FROM_ROWS[name] for name in NAMES}).order_by()
        return [
            {
                "bucket": minutes[group["by_minute"]],
                **{column: group[f"by_{column}"] for column in COLUMNS.values()},
                **{name: group[f"sum_{name}"] for name in NAMES},
            }
            for group in found
        ]
