"""What was used, for who holds a key: the sums of its own calls, or of its whole tenant with the scope `usage:read`.

Read beside the loop, by a thread of its own: a slow database holds up no call. Operators and programs of the house ask
the control API, which knows every tenant.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import django.db
from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts import scopes
from accounts.asking import Asker, TooManyWaiting
from accounts.keys import KeyHolder
from analytics import usage_sums
from proxx.api.auth import Policy, lacking
from proxx.gateway.errors import BadRequest, Unavailable
from proxx.kit import clock, fastjson

router = Router(auth=Policy(scopes.USAGE, *scopes.FAMILIES), tags=["Usage"])

BY: Final = ("key", "provider", "model", "hour", "day")
WINDOWS: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
HOURS_AT_MOST: Final = timedelta(days=31)
WAITING_LIMIT: Final = 64  # a sum takes milliseconds; a longer line says that the database is away
_asker = Asker("usage", waiting_limit=WAITING_LIMIT)


@router.get("/v1/usage", summary="What this key, or its tenant, has used")
async def own_usage(request: HttpRequest) -> HttpResponse:
    """Answer with sums, split as `by` says, over `since` to `until` or the last `window`."""
    holder: KeyHolder = request.auth  # type: ignore[attr-defined]
    sees_tenant = scopes.USAGE in holder.scopes
    if not sees_tenant and holder.key_id is None:  # callers with keys of others share their records
        raise lacking(scopes.USAGE)
    by, (since, until) = _by(request), _stretch(request)
    if "hour" in by and until - since > HOURS_AT_MOST:
        raise BadRequest("Hours are told for 31 days at most.", code="invalid_value", param="by")
    own = {"tenants": [holder.tenant_id], "key": None if sees_tenant else holder.key_id}
    told = {"object": "usage", "tenant": holder.tenant, "key": own["key"], "since": since, "until": until}
    try:
        body = await asyncio.wrap_future(_asker.ask(lambda: _written(told, by, own)))
    except (TooManyWaiting, django.db.Error):
        raise Unavailable("Usage cannot be read at the moment.", retry_after=5) from None
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


def _written(told: dict[str, Any], by: list[str], own: dict[str, Any]) -> bytes:
    found = usage_sums.sums(told["since"], told["until"], by=by, **own)
    return fastjson.dumps({**told, "behind_seconds": usage_sums.behind_seconds(), "data": found})


def _by(request: HttpRequest) -> list[str]:
    words = [word for said in request.GET.getlist("by") for word in str(said).split(",") if word]
    if wrong := next((word for word in words if word not in BY), None):
        raise BadRequest(f"'{wrong[:40]}' is none of {', '.join(BY)}.", code="invalid_value", param="by")
    return list(dict.fromkeys(words))


def _stretch(request: HttpRequest) -> tuple[datetime, datetime]:
    until = _moment(request, "until") or clock.now()
    window = str(request.GET.get("window", "day"))
    if window not in WINDOWS:
        raise BadRequest(f"A window is one of {', '.join(WINDOWS)}.", code="invalid_value", param="window")
    since = _moment(request, "since") or usage_sums.earlier(until, WINDOWS[window])
    if fault := usage_sums.fault_of(since, until):
        raise BadRequest(fault, code="invalid_value", param="since")
    return since, until


def _moment(request: HttpRequest, name: str) -> datetime | None:
    """Return a moment that was said as ISO 8601 (without an offset: UTC) or in unix seconds."""
    said = str(request.GET.get(name, "")).strip()
    if not said:
        return None
    try:
        if said.isdigit():
            return datetime.fromtimestamp(int(said), UTC)
        moment = datetime.fromisoformat(said.replace(" ", "+"))  # an unescaped plus arrives as a space
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise BadRequest(
            f"`{name}` is no moment: send ISO 8601 or unix seconds.", code="invalid_value", param=name
        ) from None
