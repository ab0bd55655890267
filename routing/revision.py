"""The configuration's number: read it, raise it, tell everybody. What follows from a new number is reload.py."""

from django.db import transaction
from django.db.models import F

from proxx.kit import shared_state
from routing.models import ConfigRevision

CHANNEL = "revision"


def number() -> int:
    """Return the configuration's number; 0 before the first migration's row."""
    return ConfigRevision.objects.filter(pk=ConfigRevision.ONLY).values_list("number", flat=True).first() or 0


def raise_number() -> None:
    """Raise the number in the current transaction and announce it once that is committed.

    Writers that bypass signals (bulk writes, `update`) call this themselves; all others are heard by wiring.py.
    """
    if not ConfigRevision.objects.filter(pk=ConfigRevision.ONLY).update(number=F("number") + 1):
        ConfigRevision.objects.get_or_create(pk=ConfigRevision.ONLY)
    transaction.on_commit(announce, robust=True)


def announce() -> None:
    """Tell every process that the configuration may have changed; a Redis that is away costs half a second at most."""
    shared_state.publish(CHANNEL, b"")
