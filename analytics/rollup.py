"""Closed minutes -> hours -> days: sums by tenant, provider and model that outlive the rows they were made of.

The work list (RollupDue) says which buckets changed since they were summed: the writer puts minutes on it in the
transaction of their rows, each sum puts its hour or day on it. A bucket is struck off and summed anew, whole, in one
transaction: running this twice, in two places or after a crash changes nothing, and rows that come late (a long
stream, a replayed journal) are summed when they come. Minutes are sums of rows, hours of minutes, days of hours.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, Sum

from analytics.models import RequestLog, RollupDue, UsageRollup
from analytics.retention import KEEP
from analytics.rows import touch
from proxx.kit import clock, ids

LAG = timedelta(seconds=10)  # records of a minute come a flush after it ends; summing twice would be waste, not wrong
MOST = 5_000  # buckets in one run; the next run takes the rest
LENGTH = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
LARGER = {"minute": "hour", "hour": "day"}
SMALLER = {larger: smaller for smaller, larger in LARGER.items()}
KEYS = ("tenant_id", "provider_id", "model")

FROM_ROWS = {
    "requests": Count("id"),
    "ok": Count("id", filter=Q(outcome="ok")),
    "errors": Count("id", filter=Q(outcome="error")),
    "cancelled": Count("id", filter=Q(outcome="cancelled")),
    "refused": Count("id", filter=Q(outcome="refused")),
    "attempts": Sum("attempt_count", default=0),
    "first_event_count": Count("first_event_ms"),
} | {
    name: Sum(name, default=0)
    for name in (
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "output_tokens",
        "reasoning_tokens",
        "cost_nano",
        "bytes_in",
        "bytes_out",
        "duration_ms",
        "first_event_ms",
    )
}


def run() -> int:
    """Sum every bucket on the work list that has ended; return how many were summed."""
    now = clock.now()
    done = 0
    for period in LENGTH:
        # An hour is summed while it runs, from its closed minutes: only a minute must have ended.
        ended = now - LAG - LENGTH["minute"] if period == "minute" else now
        due = RollupDue.objects.filter(period=period, bucket__lte=ended).order_by("bucket")
        for bucket in list(due.values_list("bucket", flat=True)[:MOST]):
            done += _sum(period, bucket, now)
    return done


def start_of(period: str, moment: datetime) -> datetime:
    """Return the start of the minute, hour or day (UTC) in which a moment lies."""
    start = moment.replace(second=0, microsecond=0)
    if period == "minute":
        return start
    return start.replace(minute=0) if period == "hour" else start.replace(minute=0, hour=0)


@transaction.atomic
def _sum(period: str, bucket: datetime, now: datetime) -> bool:
    struck, _ = RollupDue.objects.filter(period=period, bucket=bucket).delete()
    if not struck:
        return False  # another worker has it
    if bucket < _oldest(period, now):
        return False  # what it is made of is thrown away already: a new sum would be smaller than the old one
    names = ["period", "bucket", *KEYS]
    UsageRollup.objects.bulk_create(
        [UsageRollup(period=period, bucket=bucket, **sums) for sums in _sums(period, bucket)],
        update_conflicts=True,
        unique_fields=names,
        update_fields=list(FROM_ROWS),
        batch_size=500,
    )
    if period in LARGER:
        touch(LARGER[period], start_of(LARGER[period], bucket))
    return True


def _sums(period: str, bucket: datetime) -> Iterable[dict[str, Any]]:
    end = bucket + LENGTH[period]
    if period == "minute":
        rows = RequestLog.objects.filter(
            id__gte=ids.earliest(bucket.timestamp()), id__lt=ids.earliest(end.timestamp()), tenant__isnull=False
        )
        groups = rows.values("tenant_id", "provider_id", name=F("model_routed")).annotate(**FROM_ROWS)
        found: list[dict[str, Any]] = [dict(group) for group in groups]
        return [{"model": group.pop("name"), **group} for group in found]
    smaller = UsageRollup.objects.filter(period=SMALLER[period], bucket__gte=bucket, bucket__lt=end)
    return list(smaller.values(*KEYS).annotate(**{name: Sum(name) for name in FROM_ROWS}))


def _oldest(period: str, now: datetime) -> datetime:
    """The oldest bucket whose parts are surely all there still."""
    if period == "day":
        return start_of("day", now - KEEP["hour"]) + LENGTH["day"]
    if period == "hour":
        return start_of("hour", now - KEEP["minute"]) + LENGTH["hour"]
    return start_of("hour", now - min(KEEP["minute"], KEEP["log"])) + LENGTH["hour"]
