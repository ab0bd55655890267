"""The table behind quota.py: what was heard last of each account, for other processes and the next start. Blocking."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from accounts.models import Credential
from oauth.plan_usage import PlanUsage, Window
from proxx.kit import clock
from routing.models import QuotaStanding
from routing.quota import Standing, merged

FAULT_LENGTH = 240
_HEARD = ("windows", "plan", "stopped", "has_credits", "source", "heard_at")


def save(heard: Mapping[UUID, Standing]) -> None:
    """Store what was heard, beside what others stored, and the plans that it names."""
    known = QuotaStanding.objects.in_bulk(list(heard))
    accounts = Credential.objects.in_bulk(list(heard))
    rows = []
    for key, standing in heard.items():
        row = known.get(key) or QuotaStanding(credential_id=key)
        stored = standing_of(row)
        kept = standing if stored is None else merged(stored, standing)
        if key in accounts and kept is not stored:
            usage = kept.usage
            row.windows = [[one.name, one.used, one.resets_at, one.seconds] for one in usage.windows]
            row.plan, row.stopped, row.has_credits = usage.plan, usage.stopped, usage.has_credits
            row.source, row.heard_at = kept.source, datetime.fromtimestamp(kept.heard_at, UTC)
            rows.append(row)
    try:
        QuotaStanding.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["credential"], update_fields=list(_HEARD)
        )
    except IntegrityError:
        return  # an account was deleted meanwhile; the others are stored with the next news
    for row in rows:
        account = accounts[row.credential_id]
        if row.plan and account.plan_type != row.plan:
            account.plan_type = row.plan
            account.save(update_fields=["plan_type"])


def note_try(key: UUID, fault: str = "") -> None:
    """Store that an account was asked just now, and what was wrong, if anything."""
    QuotaStanding.objects.update_or_create(
        credential_id=key, defaults={"tried_at": clock.now(), "fault": fault[:FAULT_LENGTH]}
    )


def since(moment: float) -> dict[UUID, Standing]:
    """Return what was heard at or after a moment (seconds since 1970)."""
    rows = QuotaStanding.objects.filter(heard_at__gte=datetime.fromtimestamp(moment, UTC))
    return {row.credential_id: standing for row in rows if (standing := standing_of(row)) is not None}


def standing_of(row: QuotaStanding) -> Standing | None:
    """Return what a row says; nothing if it says nothing, or cannot be read."""
    if row.heard_at is None:
        return None
    try:
        windows = tuple(
            Window(str(name), min(max(0.0, float(used)), 100.0), _seconds(ends), _seconds(length))
            for name, used, ends, length in row.windows
        )
    except (TypeError, ValueError):
        return None
    usage = PlanUsage(windows, row.plan, row.stopped, row.has_credits)
    return Standing(usage, row.heard_at.timestamp(), row.source)


def _seconds(said: Any) -> float | None:
    found = None if said is None else float(said)
    return found if found is None or abs(found) < float("inf") else None  # neither nan nor infinity passes
