"""What a reading is asked for: a stretch of time, whose traffic, and what of it. Plain data; nothing is read here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from proxx.kit import clock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
USUAL: Final = "24h"
CHOSEN: Final = "chosen"  # the name of a stretch between two dates
DAYS_AT_MOST: Final = 366
DAYS_BY_HOURS: Final = 3
HOURS_ARE_KEPT: Final = timedelta(days=300)  # with the stretch before, well within what retention leaves
OLDEST: Final = timedelta(days=3653)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time `start` <= t < `end`, the sums that it is read from (`grain`: minute, hour, day), and how far
    the points of a line over it are apart (`step`)."""

    name: str
    label: str
    start: datetime
    end: datetime
    step: timedelta
    grain: str

    def before(self) -> "Period":
        """Return the stretch of the same length just before, to compare with."""
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    def steps(self) -> list[datetime]:
        """Return the beginnings of all points of a line over time, oldest first."""
        count = int((self.end - self.start) / self.step)
        return [self.start + self.step * number for number in range(count)]

    def step_of(self, moment: datetime) -> datetime:
        """Return the beginning of the point to which a moment belongs."""
        return self.start + self.step * ((moment - self.start) // self.step)


@dataclass(frozen=True, slots=True)
class _Shape:
    label: str
    step: timedelta
    count: int
    grain: str


# A line over a week has a point a day: by hours it would read a fifth of a month's sums.
PERIODS: Final[Mapping[str, _Shape]] = {
    "1h": _Shape("1 hour", MINUTE, 60, "minute"),
    "6h": _Shape("6 hours", 5 * MINUTE, 72, "minute"),
    "24h": _Shape("24 hours", HOUR, 24, "hour"),
    "7d": _Shape("7 days", DAY, 7, "day"),
    "30d": _Shape("30 days", DAY, 30, "day"),
    "90d": _Shape("90 days", DAY, 90, "day"),
    "365d": _Shape("365 days", DAY, 365, "day"),
}
# Words that older clients use for the same.
ALIASES: Final = {"daily": "24h", "weekly": "7d", "week": "7d", "monthly": "30d", "month": "30d", "year": "365d"}


def period(name: str = USUAL) -> Period:
    """Return the stretch of that name, which ends with the running minute, hour or day; the usual one for any other."""
    said = name.strip().lower()
    said = ALIASES.get(said, said)
    said = said if said in PERIODS else USUAL
    shape = PERIODS[said]
    end = EPOCH + shape.step * ((clock.now() - EPOCH) // shape.step + 1)
    return Period(said, shape.label, end - shape.step * shape.count, end, shape.step, shape.grain)


def between(first: date, last: date) -> Period | None:
    """Return the days from the first to the last, by hours where they are few; the days that are still to come are left
    out. None where that is no stretch of time, or too long a one."""
    today = clock.now().date()
    last = min(last, today)
    days = (last - first).days + 1
    if days < 1 or first < today - OLDEST or days > DAYS_AT_MOST:
        return None
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    is_fine = days <= DAYS_BY_HOURS and start >= clock.now() - HOURS_ARE_KEPT
    step, grain = (HOUR, "hour") if is_fine else (DAY, "day")
    label = "1 day" if days == 1 else f"{days} days"
    return Period(CHOSEN, label, start, start + DAY * days, step, grain)


@dataclass(frozen=True, slots=True)
class Filters:
    """Whose traffic is read, and what of it. `tenants` is what the reader may see at all (None: everything); the others
    narrow, and are empty where nothing is chosen."""

    period: Period
    tenants: frozenset[UUID] | None = None
    tenant: UUID | None = None
    key: UUID | None = None
    provider: str = ""
    model: str = ""
    account: UUID | None = None

    def of_sums(self) -> Q:
        """Return the condition on rows of UsageRollup, without time."""
        return self._where("model")

    def of_calls(self) -> Q:
        """Return the condition on rows of RequestLog, without time."""
        return self._where("model_routed")

    def _where(self, model_column: str) -> Q:
        found = Q() if self.tenants is None else Q(tenant__in=self.tenants)
        chosen = {
            "tenant_id": self.tenant,
            "key_id": self.key,
            "provider_id": self.provider,
            model_column: self.model,
            "credential_id": self.account,
        }
        return found & Q(**{column: value for column, value in chosen.items() if value})
