"""Every read that pages and APIs use. History comes from sums; of rows only the newest are read, by range of id.

A minute on the work list is not summed yet (or no longer right), so for the hour that the first page shows it is read
from its rows: at most NEWEST_MINUTES of them, in one query. If sums fall further behind, the page says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Model, Q, QuerySet, Sum, Value, When

from analytics import whole_sum
from analytics.models import RecordLoss, RequestAttempt, RequestLog, RollupDue, UsageRollup
from proxx.kit import clock, ids

Rows = TypeVar("Rows", bound=Model)

# Whose traffic is read: of these tenants, or of all.
Tenants = frozenset[UUID] | None

MINUTE = timedelta(minutes=1)
NEWEST_MINUTES = 10
IN_USE = timedelta(days=31)
SAMPLE = 2_000  # newest calls that first-byte times are judged by

COUNTED = ("ok", "errors", "cancelled", "refused")
SUMMED = ("input_tokens", "output_tokens")


@dataclass(slots=True)
class Minute:
    """What came in one minute, by the start of the calls."""

    at: datetime
    ok: int = 0
    errors: int = 0
    cancelled: int = 0
    refused: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def requests(self) -> int:
        """All calls, however they ended."""
        return self.ok + self.errors + self.cancelled + self.refused


def traffic(minutes: int = 60, *, tenants: Tenants = None) -> list[Minute]:
    """Return the newest minutes, oldest first, the running one last; none is missing. Three queries."""
    running = clock.now().replace(second=0, microsecond=0)
    table = {at: Minute(at) for at in (running - MINUTE * back for back in range(minutes - 1, -1, -1))}
    first = running - MINUTE * (minutes - 1)
    due = set(RollupDue.objects.filter(period="minute", bucket__gte=first).values_list("bucket", flat=True))
    unsummed = sorted(due | {running})[-NEWEST_MINUTES:]
    for sums in (*_from_sums(first, tenants), *_from_rows([at for at in unsummed if at in table], tenants)):
        at = sums.pop("bucket")
        if at in table:  # another machine's clock may be ahead of ours
            table[at] = Minute(at, **sums)
    return list(table.values())


def behind() -> timedelta:
    """Return how long the oldest minute on the work list has been waiting for its sum; zero if there is none."""
    oldest = RollupDue.objects.filter(period="minute").order_by("bucket").values_list("bucket", flat=True).first()
    return clock.now() - oldest - MINUTE if oldest else timedelta(0)


def first_event_percentiles(
    within: timedelta = timedelta(hours=1), *, tenants: Tenants = None
) -> tuple[int, int] | None:
    """Return the median and the 95th percentile of the first byte (ms) among the newest good calls."""
    newest = _own(RequestLog.objects.all(), tenants).filter(
        id__gte=_first_id(within), outcome="ok", first_event_ms__isnull=False
    )
    sample = newest.order_by("-id").values_list("first_event_ms", flat=True)[:SAMPLE]
    times = sorted(time for time in sample if time is not None)
    return (_percentile(times, 0.5), _percentile(times, 0.95)) if times else None


def newest_calls(count: int, *, tenants: Tenants = None) -> list[RequestLog]:
    """Return the newest calls with their tenants, newest first. One query."""
    return list(_own(RequestLog.objects.select_related("tenant"), tenants).order_by("-id")[:count])


def call(identifier: str) -> RequestLog | None:
    """Return one call with its tenant, key and credential, as far as these still exist."""
    try:
        found = RequestLog.objects.filter(pk=UUID(identifier))
    except ValueError:
        return None
    return found.select_related("tenant", "key", "credential").first()


def attempts_of(call: RequestLog) -> list[RequestAttempt]:
    """Return a call's attempts in their order."""
    return list(RequestAttempt.objects.filter(call_id=call.pk).order_by("number"))


def recent_losses(within: timedelta = timedelta(days=1)) -> dict[str, int]:
    """Return how many records were given up lately, in all processes, by reason."""
    found = RecordLoss.objects.filter(noticed_at__gte=clock.now() - within).values_list("reason")
    return {reason: count for reason, count in found.annotate(Sum("count")).order_by("reason")}


def used(tenants: Tenants = None) -> list[tuple[str, str]]:
    """Return the pairs of provider and model that calls went to, in the last month; either may be empty. One query."""
    # By days: the hours of a year are too many to be read for a filter's choices.
    recent = UsageRollup.objects.filter(period="day", bucket__gte=clock.now() - IN_USE)
    return list(_own(recent, tenants).order_by().values_list("provider_id", "model").distinct())


def since(within: timedelta) -> Q:
    """Return the condition under which a call began within that time: a range of ids, so it is cheap."""
    return Q(id__gte=_first_id(within))


def has_succeeded() -> bool:
    """Tell whether any call went well, as far as hourly sums reach."""
    return UsageRollup.objects.filter(period="hour", ok__gt=0).exists()


def _own(rows: "QuerySet[Rows]", tenants: Tenants) -> "QuerySet[Rows]":
    return rows if tenants is None else rows.filter(tenant__in=tenants)


def _from_sums(first: datetime, tenants: Tenants) -> list[dict[str, Any]]:
    sums = _own(UsageRollup.objects.filter(period="minute", bucket__gte=first), tenants).values("bucket")
    return [dict(group) for group in sums.annotate(**{name: whole_sum.of(name) for name in COUNTED + SUMMED})]


def _from_rows(minutes: list[datetime], tenants: Tenants) -> list[dict[str, Any]]:
    ranges = [Q(id__gte=ids.earliest(at.timestamp()), id__lt=ids.earliest((at + MINUTE).timestamp())) for at in minutes]
    place = Case(
        *(When(condition, then=Value(number)) for number, condition in enumerate(ranges)),
        output_field=IntegerField(),
    )
    rows = _own(RequestLog.objects.filter(reduce(or_, ranges)), tenants).annotate(place=place).values("place")
    outcomes = {"ok": "ok", "errors": "error", "cancelled": "cancelled", "refused": "refused"}
    groups = rows.annotate(
        **{name: Count("id", filter=Q(outcome=outcome)) for name, outcome in outcomes.items()},
        **{name: whole_sum.of(name, default=0) for name in SUMMED},
    )
    found: list[dict[str, Any]] = [dict(group) for group in groups]
    return [{"bucket": minutes[group.pop("place")], **group} for group in found]


def _first_id(within: timedelta) -> Any:
    return ids.earliest((clock.now() - within).timestamp())


def _percentile(ordered: list[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
