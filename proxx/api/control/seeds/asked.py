"""What the statistics of old are asked for: stretches of time in their units, and whose traffic the caller may see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

from accounts.models import Credential
from accounts.rights import Right
from accounts.sanitized import Masks, masks_for
from analytics import usage_sums
from analytics.readings.filters import Filters, Period
from analytics.readings.filters import period as named_period
from analytics.rollup import start_of
from proxx.api.control.callers import Caller
from proxx.api.control.errors import Refused
from proxx.api.control.seeds import shapes
from proxx.kit import clock

USUAL = timedelta(days=7)  # where no beginning is said
BY_HOURS = timedelta(days=2)  # a week of them may be more sums than a page should wait for
ALL_ROUTES = ("", "all")
NO_ACCOUNT = UUID(int=2**128 - 1)  # what nobody's account is

Tenants = frozenset[UUID] | None


class Stretch(Schema):
    """Which stretch of time; left out: the last week."""

    sinceMs: int | None = Field(None, ge=0, le=2**45, description="Milliseconds since 1970.")
    untilMs: int | None = Field(None, ge=0, le=2**45)


def caller_of(request: HttpRequest) -> Caller:
    """Return who asks."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def scope(request: HttpRequest, right: Right, tenant: str = "") -> Tenants:
    """Return the tenants whose rows the caller may see, only the named one (short name or id) if one is named; None is
    all. 404 for a tenant that is not theirs."""
    caller = caller_of(request)
    if tenant:
        return frozenset({shapes.tenant_named(caller, right, tenant).pk})
    return caller.who.tenants(right)


def moment(milliseconds: int | None) -> datetime | None:
    """Return a moment said in milliseconds since 1970."""
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise Refused(422, "invalid_fields", "This is no moment in milliseconds since 1970.", param="sinceMs") from None


def stretch(since_ms: int | None, until_ms: int | None) -> tuple[datetime, datetime]:
    """Return a stretch of time: a week up to now, as far as nothing else is said."""
    until = moment(until_ms) or clock.now()
    since = moment(since_ms) or until - USUAL
    if fault := usage_sums.fault_of(since, until):
        raise Refused(422, "invalid_fields", fault.replace("`since`", "`sinceMs`"), param="sinceMs")
    return since, until


def period(since: datetime, until: datetime) -> Period:
    """Return a stretch as readings take it: by hours, or by days where it is long; its ends are whole ones."""
    shape = named_period("24h" if until - since <= BY_HOURS else "30d")
    start = start_of(shape.grain, since)
    end = start_of(shape.grain, until - usage_sums.TICK) + shape.step
    return replace(shape, name="asked", start=start, end=end)


def window(name: str, tenants: Tenants, key: UUID | None = None) -> Filters:
    """Return what a page of old asked by a window's name: daily, weekly, monthly, and their other words."""
    said = name.strip().lower()
    known = {"daily": "24h", "weekly": "7d", "week": "7d", "7d": "7d", "monthly": "30d", "month": "30d", "30d": "30d"}
    return Filters(named_period(known.get(said, "24h")), tenants, key=key)


def masks(request: HttpRequest) -> Masks:
    """Return how names are shown to the caller."""
    return masks_for(request, caller_of(request).who)


def account(request: HttpRequest, name: str) -> UUID | None:
    """Return the credential that an account's id means, or its name for who may know names; one that nobody has if
    there is no such."""
    if not name:
        return None
    try:
        return UUID(name)
    except ValueError:
        if not caller_of(request).who.may(Right.CREDENTIALS_READ):
            return NO_ACCOUNT
        found = Credential.objects.filter(account_id=name).values_list("pk", flat=True).first()
        return found or NO_ACCOUNT


def said(since: datetime, until: datetime) -> dict[str, int | str | None]:
    """Return the ends of a stretch as answers repeat them."""
    return {"sinceMs": int(since.timestamp() * 1000), "untilMs": int(until.timestamp() * 1000)}
