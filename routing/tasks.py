"""Periodic jobs of this room; when they run is in proxx/celery.py."""

from celery import shared_task

from routing import quota_refresh
from routing.catalog import refresh


@shared_task(name="routing.tasks.refresh_catalogs", ignore_result=True)
def refresh_catalogs() -> None:
    """Look at every provider's list of models."""
    refresh.refresh()


@shared_task(name="routing.tasks.refresh_quota", ignore_result=True)
def refresh_quota() -> None:
    """Ask every account that can be asked how much of its plan is left."""
    quota_refresh.refresh()
