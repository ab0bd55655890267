"""What is thrown away, and when. Sums stay longer than what they were made of; days stay for ever."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts import ledger_pruning
from analytics.bodies import pruning
from analytics.models import CallTag, RecordLoss, RequestAttempt, RequestLog, RollupDue, UsageRollup
from oauth import pending
from proxx.kit import clock, ids

BATCH = 2_000  # rows of one delete: short enough that writers do not wait for it
MOST_BATCHES = 1_000  # of one run; the next run takes the rest

KEEP = {
    "log": timedelta(days=settings.PROXY_RECORD_RETENTION_DAYS),
    "bodies": timedelta(days=settings.PROXY_BODIES_RETENTION_DAYS),
    "ledger": timedelta(days=settings.PROXY_LEDGER_RETENTION_DAYS),
    "minute": timedelta(days=8),
    "hour": timedelta(days=400),
}


def prune() -> int:
    """Throw away what is older than it may be, in small steps; return how many rows of the request log went."""
    now = clock.now()
    # First: what was said goes before who said it. On Postgres its days are dropped whole.
    pruning.before(now - KEEP["bodies"] - (timedelta(days=1) if connection.vendor == "postgresql" else timedelta(0)))
    pruning.to_size(settings.PROXY_BODIES_LIMIT)
    gone = _prune_logs(now - KEEP["log"])
    for period in ("minute", "hour"):
        UsageRollup.objects.filter(period=period, bucket__lt=now - KEEP[period]).delete()
        RollupDue.objects.filter(period=period, bucket__lt=now - KEEP[period]).delete()
    CallTag.objects.filter(call_id__lt=ids.earliest((now - KEEP["log"]).timestamp())).delete()
    ledger_pruning.prune(KEEP["ledger"])
    pending.prune()
    RecordLoss.objects.filter(noticed_at__lt=now - KEEP["log"]).delete()
    return gone


def _prune_logs(before: datetime) -> int:
    """Delete old rows in steps. On Postgres days are dropped whole (partitions.py), so a row may stay a day more; only
    what has no day is left to this."""
    gone = 0
    old = RequestLog.objects.filter(id__lt=ids.earliest(_whole_days(before).timestamp())).order_by("id")
    for _ in range(MOST_BATCHES):
        batch = list(old.values_list("id", flat=True)[:BATCH])
        if not batch:
            break
        RequestAttempt.objects.filter(call_id__lte=batch[-1]).delete()
        gone += RequestLog.objects.filter(id__lte=batch[-1]).delete()[0]
    return gone


def _whole_days(before: datetime) -> datetime:
    """Return the moment before which rows are deleted singly: on Postgres after their day could have been dropped."""
    return before - timedelta(days=8) if connection.vendor == "postgresql" else before
