"""What is thrown away, and when. Sums stay longer than what they were made of; days stay for ever."""

from datetime import datetime, timedelta

from django.conf import settings

from analytics.models import RecordLoss, RequestAttempt, RequestLog, RollupDue, UsageRollup
from proxx.kit import clock, ids

BATCH = 2_000  # rows of one delete: short enough that writers do not wait for it
MOST_BATCHES = 1_000  # of one run; the next run takes the rest

KEEP = {
    "log": timedelta(days=settings.PROXY_RECORD_RETENTION_DAYS),
    "minute": timedelta(days=8),
    "hour": timedelta(days=400),
}


def prune() -> int:
    """Throw away what is older than it may be, in small steps; return how many rows of the request log went."""
    now = clock.now()
    gone = _prune_logs(now - KEEP["log"])
    for period in ("minute", "hour"):
        UsageRollup.objects.filter(period=period, bucket__lt=now - KEEP[period]).delete()
        RollupDue.objects.filter(period=period, bucket__lt=now - KEEP[period]).delete()
    RecordLoss.objects.filter(noticed_at__lt=now - KEEP["log"]).delete()
    return gone


def _prune_logs(before: datetime) -> int:
    gone = 0
    old = RequestLog.objects.filter(id__lt=ids.earliest(before.timestamp())).order_by("id")
    for _ in range(MOST_BATCHES):
        batch = list(old.values_list("id", flat=True)[:BATCH])
        if not batch:
            break
        RequestAttempt.objects.filter(call_id__lte=batch[-1]).delete()
        gone += RequestLog.objects.filter(id__lte=batch[-1]).delete()[0]
    return gone
