"""MultiVibe's statistics below /admin: rates are fractions, but `successRate` and `streamingRate` percent, as of old.

Sums tell what they can. What they do not (routes, statuses, percentiles) is worked out from the newest `SCANNED` calls
of the stretch; the answer says how many these were.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from accounts.models import Credential
from accounts.rights import Right
from analytics.models import RequestLog
from analytics.readings.filters import Filters
from analytics.readings.reader import Reader
from analytics.readings.sums import Sums
from proxx.api.control.callers import Needs
from proxx.api.control.errors import Refused
from proxx.api.control.seeds import asked
from proxx.api.control.seeds.asked import Stretch
from proxx.api.control.seeds.records import Json
from proxx.api.control.seeds.ui import SEED
from proxx.api.control.shelves import answers
from proxx.kit import ids

router = Router()

SCANNED = 5_000
TOTAL = ("requests", "ok", "errors", "refused", "input_tokens", "cache_read_tokens", "output_tokens", "cost_nano",
         "unpriced", "duration_ms")  # fmt: skip
_FIELDS = ("id", "endpoint", "credential_id", "status", "stream", "duration_ms", "input_tokens",
           "output_tokens")  # fmt: skip


class Narrowed(Stretch):
    """A stretch, and what of it."""

    accountId: str = Field("", max_length=200, description="A credential's id, or an account's name.")
    route: str = Field("", max_length=120, description="A path, such as `/v1/chat/completions`.")


@router.get("/stats/traces", auth=Needs(Right.USAGE_READ), response=answers(Json), tags=SEED)
def trace_statistics(request: HttpRequest, place: Query[Narrowed]) -> Any:
    """Sum the calls of a stretch: in all, by model, by hour (by day, where it is longer than two days)."""
    scope = asked.scope(request, Right.USAGE_READ)
    since, until = asked.stretch(place.sinceMs, place.untilMs)
    if place.route not in asked.ALL_ROUTES:
        said = "Sums are not kept by route: /admin/stats/usage tells of routes."
        raise Refused(422, "invalid_fields", said, param="route")
    whole = Filters(asked.period(since, until), scope)
    chosen = Filters(whole.period, scope, account=asked.account(request, place.accountId))
    found = of(chosen)
    _add_percentiles(found["timeseries"], scan(since, until, chosen), chosen)
    stored = of(whole)["totals"]["requests"] if chosen.account else found["totals"]["requests"]
    return {
        "ok": True,
        "filters": asked.said(since, until) | {"accountId": place.accountId or None, "route": None},
        "totalStored": stored,
        "matched": found["totals"]["requests"],
        "stats": found,
    }


@router.get("/stats/usage", auth=Needs(Right.USAGE_READ), response=answers(Json), tags=SEED)
def usage_statistics(request: HttpRequest, place: Query[Narrowed]) -> Any:
    """Sum the newest calls of a stretch by account and by route; `tracesEvaluated` says how many these are."""
    since, until = asked.stretch(place.sinceMs, place.untilMs)
    rows = scan(since, until, Filters(asked.period(since, until), asked.scope(request, Right.USAGE_READ)))
    account, route = asked.account(request, place.accountId), "" if place.route in asked.ALL_ROUTES else place.route
    matched = [row for row in rows if not route or row["endpoint"] == route]
    matched = [row for row in matched if account is None or row["credential_id"] == account]
    accounts = _grouped(matched, "credential_id")
    known = Credential.objects.defer("secret").in_bulk([pk for pk in accounts if pk])
    show = asked.masks(request).accounts
    told = [
        {"accountId": str(pk) if pk else None, "account": _account(known.get(pk), show), **usage}
        for pk, usage in accounts.items()
    ]
    return {
        "ok": True,
        "filters": asked.said(since, until) | {"accountId": place.accountId or None, "route": route or None},
        "totals": _usage(matched),
        "byAccount": told,
        "byRoute": [{"route": name, **usage} for name, usage in _grouped(matched, "endpoint").items()],
        "tracesEvaluated": len(rows),
        "tracesMatched": len(matched),
    }


def of(filters: Filters) -> Json:
    """Return totals, models and a time series of a stretch, from sums."""
    reader = Reader(filters, since=filters.period.start)
    totals, models = Sums(), []
    for (model,), sums in reader.groups("model", names=TOTAL).items():
        totals.add(sums)
        counts = {"model": model or None, "count": sums.requests, "okCount": sums.ok}
        models.append({**counts, **_tokens(sums)})
    series = [
        {
            "at": int(at.timestamp() * 1000),
            "requests": sums.requests,
            "errors": sums.errors + sums.refused,
            **_tokens(sums),
            "latencyAvgMs": _rounded(sums.mean_ms),
            "latencyP50Ms": None,
            "latencyP95Ms": None,
        }
        for at, sums in reader.line(TOTAL)
        if sums.requests
    ]
    failed = totals.errors + totals.refused
    return {
        "totals": {
            "requests": totals.requests,
            "errors": failed,
            "errorRate": round(failed / totals.requests, 4) if totals.requests else 0.0,
            **_tokens(totals),
            "latencyAvgMs": _rounded(totals.mean_ms),
        },
        "models": sorted(models, key=lambda one: (-one["count"], str(one["model"]))),
        "timeseries": series,
    }


def rows_between(since: datetime, until: datetime, scope: asked.Tenants) -> QuerySet[RequestLog]:
    """Return the calls of a stretch that the caller may see: a range of ids."""
    rows = RequestLog.objects.filter(id__gte=ids.earliest(since.timestamp()), id__lt=ids.earliest(until.timestamp()))
    if scope is None:
        return rows
    # One tenant as such: a list of one would not be read in the order of the index.
    return rows.filter(tenant_id__in=scope) if len(scope) != 1 else rows.filter(tenant_id=next(iter(scope)))


def scan(since: datetime, until: datetime, filters: Filters) -> list[Json]:
    """Return the newest calls of a stretch as plain columns, `SCANNED` at most, newest first. One query."""
    rows = rows_between(since, until, filters.tenants)
    if filters.account is not None:
        rows = rows.filter(credential_id=filters.account)
    return [dict(row) for row in rows.order_by("-id").values(*_FIELDS)[:SCANNED]]


def _add_percentiles(series: list[Json], rows: list[Json], filters: Filters) -> None:
    """Fill in the percentiles of those steps of which every call was looked at."""
    times = defaultdict[int, list[int]](list)
    for row in rows:
        at = filters.period.step_of(_began(row))
        times[int(at.timestamp() * 1000)].append(row["duration_ms"])
    oldest = min(times, default=0) if len(rows) == SCANNED else -1
    for one in series:
        if one["at"] in times and one["at"] != oldest:
            ordered = sorted(times[one["at"]])
            one["latencyP50Ms"], one["latencyP95Ms"] = _nearest(ordered, 0.50), _nearest(ordered, 0.95)


def _began(row: Json) -> datetime:
    return datetime.fromtimestamp(ids.moment(row["id"]), UTC)  # a model's instance for each row would take seconds


def _nearest(ordered: list[int], share: float) -> int:
    return ordered[ceil(share * len(ordered)) - 1]


def _grouped(rows: list[Json], column: str) -> dict[Any, Json]:
    """Return the usage of each group, the largest first."""
    groups = defaultdict[Any, list[Json]](list)
    for row in rows:
        groups[row[column]].append(row)
    return {name: _usage(groups[name]) for name in sorted(groups, key=lambda name: (-len(groups[name]), str(name)))}


def _usage(rows: list[Json]) -> Json:
    count, ok = len(rows), sum(1 for row in rows if 200 <= row["status"] < 400)
    streams = sum(1 for row in rows if row["stream"])
    time = sum(row["duration_ms"] for row in rows)
    sides = {name: sum(row[f"{name}_tokens"] or 0 for row in rows) for name in ("input", "output")}
    moments = [_began(row) for row in (rows[-1:] + rows[:1])]
    return {
        "requests": count,
        "ok": ok,
        "errors": count - ok,
        "successRate": round(100 * ok / count, 2) if count else 0.0,
        "stream": streams,
        "streamingRate": round(100 * streams / count, 2) if count else 0.0,
        "requestsWithUsage": sum(1 for row in rows if row["input_tokens"] is not None),
        "statusCounts": {str(status): many for status, many in sorted(Counter(row["status"] for row in rows).items())},
        "latencyMsTotal": time,
        "avgLatencyMs": round(time / count, 2) if count else 0.0,
        "firstAt": int(moments[0].timestamp() * 1000) if moments else None,
        "lastAt": int(moments[-1].timestamp() * 1000) if moments else None,
        "tokens": {"prompt": sides["input"], "completion": sides["output"], "total": sum(sides.values())},
    }


def _tokens(sums: Sums) -> Json:
    return {
        "tokensInput": sums.input_tokens,
        "tokensInputCached": sums.cache_read_tokens,
        "tokensOutput": sums.output_tokens,
        "tokensTotal": sums.tokens,
        "costUsd": sums.cost,
        "unpricedRequests": sums.unpriced,
    }


def _account(row: Credential | None, show: Callable[[str], str]) -> Json | None:
    if row is None:
        return None
    return {"id": str(row.pk), "provider": row.provider_id, "email": show(row.label), "enabled": row.enabled}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
