"""Periodic jobs of this room; when they run is in proxx/celery.py."""

import logging

from celery import shared_task

from routing import facts_import, quota_refresh
from routing.catalog import refresh
from routing.facts_file import FactsFault

log = logging.getLogger(__name__)


@shared_task(name="routing.tasks.refresh_catalogs", ignore_result=True)
def refresh_catalogs() -> None:
    """Look at every provider's list of models."""
    refresh.refresh()


@shared_task(name="routing.tasks.fetch_prices", ignore_result=True)
def fetch_prices() -> None:
    """Fetch the lists of prices that the operator named, if any; a list that cannot be used changes nothing."""
    try:
        facts_import.refresh()
    except FactsFault as fault:
        log.warning("The price lists were not taken over: %s", fault)


@shared_task(name="routing.tasks.refresh_quota", ignore_result=True)
def refresh_quota() -> None:
    """Ask every account that can be asked how much of its plan is left."""
    quota_refresh.refresh()
