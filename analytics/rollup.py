"""Closed minutes -> hours -> days: sums by tenant, key, provider, account and model that outlive their rows.

The work list (RollupDue) says which buckets changed since they were summed: the writer puts minutes on it in the
transaction of their rows, each sum puts its hour or day on it. A bucket is struck off and summed anew, whole, in one
transaction: running this twice, in two places or after a crash changes nothing, and rows that come late (a long
stream, a replayed journal) are summed when they come. Minutes are sums of rows, hours of minutes, days of hours.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, connection, transaction
from django.db.models import Count, F, Q, QuerySet, Sum, UUIDField, Value
from django.db.models.functions import Coalesce

from analytics import whole_sum
from analytics.models import NOBODY, RequestLog, RollupDue, UsageRollup
from analytics.retention import KEEP
from analytics.rows import touch
from proxx.kit import clock, ids

logger = logging.getLogger(__name__)

LAG = timedelta(seconds=10)  # records of a minute come a flush after it ends; summing twice would be waste, not wrong
MOST = 5_000  # buckets in one run; the next run takes the rest
LENGTH = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
LARGER = {"minute": "hour", "hour": "day"}
SMALLER = {larger: smaller for smaller, larger in LARGER.items()}
KEYS = ("tenant_id", "key_id", "provider_id", "credential_id", "model")
OF_ROWS: dict[str, Any] = {
    "tenant_id": F("tenant_id"),
    "key_id": Coalesce("key_id", Value(NOBODY, UUIDField())),
    "provider_id": F("provider_id"),
    "credential_id": Coalesce("credential_id", Value(NOBODY, UUIDField())),
    "model": F("model_routed"),
}
ESTIMATED = ("estimated", "replaced")

SUMMED = (
    *("input_tokens", "fresh_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("audio_in_tokens", "image_in_tokens"),
    *("output_tokens", "text_tokens", "reasoning_tokens", "audio_out_tokens", "image_out_tokens"),
    *("pictures", "server_tools", "cost_nano", "bytes_in", "bytes_out", "duration_ms", "first_event_ms"),
)
FROM_ROWS = {
    "requests": Count("id"),
    "ok": Count("id", filter=Q(outcome="ok")),
    "errors": Count("id", filter=Q(outcome="error")),
    "cancelled": Count("id", filter=Q(outcome="cancelled")),
    "refused": Count("id", filter=Q(outcome="refused")),
    "attempts": Sum("attempt_count", default=0),
    "first_event_count": Count("first_event_ms"),
    "streams": Count("id", filter=Q(stream=True)),
    "cache_hits": Count("id", filter=Q(cache_read_tokens__gt=0)),
    "retried": Count("id", filter=Q(attempt_count__gt=1)),
    "estimated": Count("id", filter=Q(usage_state__in=ESTIMATED)),
    "unpriced": Count("id", filter=Q(price_state="unpriced")),
    # Of streams only: a whole answer is waited for until its last word. Tokens a second are output by this.
    "output_ms": Sum(
        F("duration_ms") - F("first_event_ms"), filter=Q(stream=True, first_event_ms__isnull=False), default=0
    ),
    "streamed_tokens": Sum("output_tokens", filter=Q(stream=True, first_event_ms__isnull=False), default=0),
} | {name: whole_sum.of(name, default=0) for name in SUMMED}


def run() -> int:
    """Sum every bucket on the work list that has ended; return how many were summed."""
    now = clock.now()
    done = 0
    for period in LENGTH:
        # An hour is summed while it runs, from its closed minutes: only a minute must have ended.
        ended = now - LAG - LENGTH["minute"] if period == "minute" else now
        due = RollupDue.objects.filter(period=period, bucket__lte=ended).order_by("bucket")
        for bucket in list(due.values_list("bucket", flat=True)[:MOST]):
            try:
                done += _sum(period, bucket, now)
            except DataError:  # it stays on the list; all others must not wait for it
                logger.exception("The %s of %s cannot be summed.", period, bucket)
    return done


def start_of(period: str, moment: datetime) -> datetime:
    """Return the start of the minute, hour or day (UTC) in which a moment lies."""
    start = moment.replace(second=0, microsecond=0)
    if period == "minute":
        return start
    return start.replace(minute=0) if period == "hour" else start.replace(minute=0, hour=0)


def due(moment: datetime, now: datetime) -> tuple[str, datetime]:
    """Return which sum must be made anew when a row of that moment changes: its minute's, or, where minutes are thrown
    away already, its hour's."""
    period = "minute" if start_of("minute", moment) >= _oldest("minute", now) else "hour"
    return period, start_of(period, moment)


@transaction.atomic
def _sum(period: str, bucket: datetime, now: datetime) -> bool:
    struck, _ = RollupDue.objects.filter(period=period, bucket=bucket).delete()
    if not struck:
        return False  # another worker has it
    source = _source(period, bucket, now)
    if source is None:
        if period == "minute":  # too late for a sum of its own, perhaps not for its hour's
            touch("hour", start_of("hour", bucket))
        return False
    _put(period, bucket, _sums(source, bucket, bucket + LENGTH[period]))
    if period in LARGER:
        touch(LARGER[period], start_of(LARGER[period], bucket))
    return True


def _put(period: str, bucket: datetime, sums: "QuerySet[Any, Any]") -> None:
    """Let the database write what it has summed: sums that travel here and back as objects take ten times as long."""
    inner, values = sums.query.sql_with_params()
    names = [connection.ops.quote_name(name) for name in (*KEYS, *FROM_ROWS)]
    place = ", ".join(connection.ops.quote_name(name) for name in ("period", "bucket", *KEYS))
    newer = ", ".join(f"{name} = excluded.{name}" for name in names[len(KEYS) :])
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{UsageRollup._meta.db_table}" ("period", "bucket", {", ".join(names)}) '  # noqa: S608
            # WHERE: without it SQLite takes ON CONFLICT for a join's condition.
            f"SELECT %s, %s, summed.* FROM ({inner}) AS summed WHERE true ON CONFLICT ({place}) DO UPDATE SET {newer}",
            [period, connection.ops.adapt_datetimefield_value(bucket), *values],
        )


def _sums(source: str, start: datetime, end: datetime) -> "QuerySet[Any, Any]":
    """Return the sums of a stretch of time by `KEYS`, in the order of `KEYS` and `FROM_ROWS`; nothing is read yet."""
    if source == "rows":
        rows = RequestLog.objects.filter(
            id__gte=ids.earliest(start.timestamp()), id__lt=ids.earliest(end.timestamp()), tenant__isnull=False
        )
        keys = {f"by_{name}": place for name, place in OF_ROWS.items()}
        sums = {f"sum_{name}": how for name, how in FROM_ROWS.items()}
        grouped = rows.annotate(**keys).values(*keys).annotate(**sums)
    else:
        smaller = UsageRollup.objects.filter(period=source, bucket__gte=start, bucket__lt=end)
        keys = dict.fromkeys(KEYS)
        sums = {f"sum_{name}": whole_sum.of(name) for name in FROM_ROWS}
        grouped = smaller.values(*KEYS).annotate(**sums)
    whole: QuerySet[Any, Any] = grouped.order_by().values_list(*keys, *sums)
    return whole


def _source(period: str, bucket: datetime, now: datetime) -> str | None:
    """Return what a sum is made of: smaller sums if all are there still, else rows; None if parts are thrown away, for
    then a new sum would be smaller than the old one."""
    if period == "day":
        return "hour" if bucket >= start_of("day", now - KEEP["hour"]) + LENGTH["day"] else None
    if period == "minute":
        return "rows" if bucket >= _oldest("minute", now) else None
    if bucket >= _oldest("minute", now):
        return "minute"
    return "rows" if bucket >= start_of("hour", now - KEEP["log"]) + LENGTH["hour"] else None


def _oldest(period: str, now: datetime) -> datetime:
    """Return the oldest hour of which every minute is there, and can be made anew from its rows."""
    return start_of("hour", now - min(KEEP[period], KEEP["log"])) + LENGTH["hour"]
