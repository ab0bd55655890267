"""The periodic jobs of analytics; their hours are in proxx/celery.py."""

from celery import shared_task

from analytics import alert_sending, alert_watch
from analytics import partitions as partition_rules
from analytics import retention as retention_rules
from analytics import rollup as sums
from proxx.kit import clock


@shared_task(name="analytics.tasks.rollup")
def rollup() -> int:
    """Sum what changed; return the number of buckets."""
    return sums.run()


@shared_task(name="analytics.tasks.retention")
def retention() -> int:
    """Throw away what is too old, whole days first where the database can; return the number of calls."""
    now, keep = clock.now(), retention_rules.KEEP
    partition_rules.drop(now - keep["bodies"], "bodies")
    return partition_rules.drop(now - keep["log"]) + retention_rules.prune()


@shared_task(name="analytics.tasks.partitions")
def partitions() -> int:
    """Make the partitions of the days to come, where the database has any; return how many were made."""
    return partition_rules.ensure()


@shared_task(name="analytics.tasks.alerts")
def alerts() -> int:
    """Look at what the rules ask for, and tell people; return how many alerts reached everybody."""
    alert_watch.run()
    return alert_sending.deliver()
