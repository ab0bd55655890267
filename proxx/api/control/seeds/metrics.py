"""OpenProxy's /api/metrics: summary, recent requests, models and hours; for who may see usage and requests (F-291).

Of old nobody was asked who they are. A number out of its bounds is the usual one, as of old.
"""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.rights import Right
from analytics import calls
from analytics.calls import CallFilters
from analytics.readings.filters import HOUR, Filters
from analytics.readings.reader import Reader
from analytics.readings.sums import Sums
from proxx.api.control.callers import Needs
from proxx.api.control.errors import Refused
from proxx.api.control.seeds import asked, records
from proxx.api.control.seeds.records import Json
from proxx.api.control.seeds.ui import SEED
from proxx.api.control.shelves import answers
from proxx.kit import clock

router = Router()

HOURS, LIMIT = (24, 720), (100, 1000)  # the usual, the most
SUMMED = ("requests", "input_tokens", "output_tokens", "cost_nano", "unpriced", "duration_ms")


class Asked(Schema):
    """How many hours back, and how many of the newest calls."""

    hours: str = Field("", max_length=40, description="1 to 720; anything else is 24.")
    limit: str = Field("", max_length=40, description="1 to 1000; anything else is 100.")


@router.get("/metrics", auth=Needs(Right.REQUESTS_READ), response=answers(Json), tags=SEED)
def get_metrics(request: HttpRequest, wish: Query[Asked]) -> Any:
    """Sum the last hours, of the tenants whose usage and requests the caller may see."""
    scope = asked.scope(request, Right.REQUESTS_READ)
    usage = asked.scope(request, Right.USAGE_READ)
    if usage is not None and not (usage and scope is not None and scope <= usage):
        raise Refused(403, "missing_right", f"This needs the right {Right.USAGE_READ} here.")
    hours, limit = _number(wish.hours, *HOURS), _number(wish.limit, *LIMIT)
    until = clock.now()
    filters = Filters(asked.period(until - hours * HOUR, until), scope)
    reader = Reader(filters, since=filters.period.start)
    by_model = reader.groups("model", names=SUMMED)
    clients = sum(1 for (key,) in reader.groups("key", names=("requests",)) if key is not None)
    total = Sums()
    for sums in by_model.values():
        total.add(sums)
    newest = calls.find(CallFilters(since=until - hours * HOUR), scope, limit=limit).calls
    by = records.names((), asked.masks(request))  # these rows name no account
    data = {
        "summary": {
            "totalRequests": total.requests,
            "totalTokens": total.tokens,
            "totalCost": total.cost,
            "avgResponseTime": _mean(total),
            "uniqueModels": sum(1 for (model,) in by_model if model),
            "uniqueClients": clients,
            "unpricedRequests": total.unpriced,
        },
        "recentRequests": [records.metric_row(call, by) for call in newest],
        "modelBreakdown": [
            {"model": model, "request_count": sums.requests, **_rest(sums)}
            for (model,), sums in sorted(by_model.items(), key=lambda one: (-one[1].requests, one[0]))
        ],
        "hourlyTrends": [
            {"hour": records.iso(at), "requests": sums.requests, "tokens": sums.tokens, "cost": sums.cost,
             "avg_response_time": _mean(sums)}
            for at, sums in reader.line(SUMMED)
        ],
    }  # fmt: skip
    return {"success": True, "data": data, "timeRange": f"{hours} hours"}


def _rest(sums: Sums) -> Json:
    return {"total_tokens": sums.tokens, "total_cost": sums.cost, "avg_response_time": _mean(sums)}


def _mean(sums: Sums) -> float | None:
    return None if sums.mean_ms is None else round(sums.mean_ms, 2)


def _number(said: str, usual: int, most: int) -> int:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 and 1 <= int(said) <= most else usual
