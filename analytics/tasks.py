"""The periodic jobs of analytics; their hours are in proxx/celery.py."""

from celery import shared_task

from analytics import retention as retention_rules
from analytics import rollup as sums


@shared_task(name="analytics.tasks.rollup")
def rollup() -> int:
    """Sum what changed; return the number of buckets."""
    return sums.run()


@shared_task(name="analytics.tasks.retention")
def retention() -> int:
    """Throw away what is too old; return the number of calls."""
    return retention_rules.prune()
