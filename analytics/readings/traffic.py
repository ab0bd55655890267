"""Who calls, how it ends, how long it takes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from analytics.readings.filters import Filters
from analytics.readings.reader import Reader
from analytics.readings.sums import Sums

LINE = ("requests", "ok", "errors", "cancelled", "refused", "retried", "streams", "input_tokens", "output_tokens",
        "first_event_ms", "first_event_count", "duration_ms", "bytes_in", "bytes_out")  # fmt: skip
CALLERS = ("requests", "ok", "errors", "cancelled", "refused", "input_tokens", "output_tokens", "cost_nano", "unpriced",
           "duration_ms")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """What came with one key of a tenant; no key for calls with none of the stored ones."""

    tenant: UUID
    key: UUID | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Traffic:
    """A stretch of time and the one before; `callers` by requests."""

    now: Sums
    before: Sums
    line: list[tuple[datetime, Sums]]
    callers: list[Caller]


def read(filters: Filters, reader: Reader) -> Traffic:
    """Return the traffic. Three queries, besides what a reader's first takes."""
    line = reader.line(LINE)
    now = Sums()
    for _, sums in line:
        now.add(sums)
    callers = [
        Caller(place[0], place[1], sums) for place, sums in reader.groups("tenant", "key", names=CALLERS).items()
    ]
    callers.sort(key=lambda one: (-one.sums.requests, str(one.tenant), str(one.key)))
    return Traffic(now, reader.total(names=LINE, of=filters.period.before()), line, callers)
