"""MultiVibe's traces below /admin: lists, one, a file. One trace is one call of a client; no body is in it."""

import io
import zipfile
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from accounts import audit, rights
from accounts.rights import Right
from analytics import calls
from analytics.calls import CallFilters
from analytics.models import RequestLog
from analytics.queries import call as one_call
from analytics.readings.filters import Filters
from proxx.api.control import callers
from proxx.api.control.callers import Needs
from proxx.api.control.errors import not_found
from proxx.api.control.seeds import asked, records, stats
from proxx.api.control.seeds.asked import Stretch
from proxx.api.control.seeds.records import Json
from proxx.api.control.seeds.ui import SEED
from proxx.api.control.shelves import answers
from proxx.kit import clock, fastjson

router = Router()

EXPORTED = 20_000  # newest calls of one file
DEEPEST = 20_000  # calls that pages by number reach; further back leads `before`
_READS = Needs(Right.REQUESTS_READ)


class Paged(Stretch):
    """A page by its number; or by `before`, which reaches any depth; or the newest ones, with `limit`."""

    page: int = Field(1, ge=1, le=DEEPEST)
    pageSize: int = Field(100, ge=1, le=100)
    before: UUID | None = Field(None, description="An id: only older calls.")
    limit: int | None = Field(None, ge=1, le=1000, description="As of old: the newest ones, without pages.")


@router.get("/traces", auth=_READS, response=answers(Json), tags=SEED)
def list_traces(request: HttpRequest, place: Query[Paged]) -> Any:
    """List calls, newest first, with the sums of their stretch."""
    scope = asked.scope(request, Right.REQUESTS_READ)
    since, until = asked.stretch(place.sinceMs, place.untilMs)
    filters = CallFilters(since=since, until=until)
    if place.limit is not None:
        found = calls.find(filters, scope, before=place.before, limit=place.limit)
        return {"traces": _traces(request, found.calls)}
    skipped = (place.page - 1) * place.pageSize
    before = place.before or (_skipped(filters, scope, skipped) if skipped else None)
    if skipped and before is None:
        found = calls.EMPTY
    else:
        found = calls.find(filters, scope, before=before, limit=place.pageSize)
    summed = stats.of(Filters(asked.period(since, until), scope))
    total = max(summed["totals"]["requests"], skipped + len(found.calls))
    pages = max(1, -(-total // place.pageSize))
    told = {"page": place.page, "pageSize": place.pageSize, "total": total, "totalPages": pages,
            "hasPrev": place.page > 1, "hasNext": found.older is not None,
            "before": str(found.older) if found.older else None}  # fmt: skip
    return {"traces": _traces(request, found.calls), "pagination": told, "stats": summed}


_ZIP = {"responses": {200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}}}


@router.get("/traces/export.zip", auth=_READS, response=answers(bytes), tags=SEED, openapi_extra=_ZIP)
def export_traces(request: HttpRequest, place: Query[Stretch]) -> Any:
    """Send the newest calls of a stretch, oldest first, as one line of JSON each; in the audit, with who took them."""
    caller = asked.caller_of(request)
    if caller.operator is not None:
        callers.check_stepped_up(request)
    since, until = asked.stretch(place.sinceMs, place.untilMs)
    filters, scope = CallFilters(since=since, until=until), asked.scope(request, Right.REQUESTS_READ)
    parts = calls.oldest_first(filters, scope, most=EXPORTED)
    lines = [fastjson.dumps(one).decode() + "\n" for part in parts for one in _traces(request, part)]
    about = {"exportedAt": records.iso(clock.now()), "count": len(lines),
             "filters": asked.said(since, until)}  # fmt: skip
    audit.note("exported", "traces", {"calls": len(lines), "since": since, "until": until})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("metadata.json", fastjson.dumps(about))
        packed.writestr("traces.jsonl", "".join(lines))
    name = f"traces-export-{clock.now():%Y-%m-%dT%H-%M-%SZ}.zip"
    response = HttpResponse(file.getvalue(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@router.get("/traces/{uuid:pk}", auth=_READS, response=answers(Json), tags=SEED)
def get_trace(request: HttpRequest, pk: UUID) -> Any:
    """Look at one call."""
    found = one_call(str(pk))
    if found is None or not rights.may_on(asked.caller_of(request).who, Right.REQUESTS_READ, found):
        raise not_found("trace")
    return {"trace": _traces(request, [found])[0]}


def _traces(request: HttpRequest, found: list[RequestLog]) -> list[Json]:
    by = records.names((), asked.masks(request))  # an account's label comes along with its call
    return [records.trace(call, by) for call in found]


def _skipped(filters: CallFilters, scope: asked.Tenants, count: int) -> UUID | None:
    """Return the last of so many newest calls; None if there are not so many, or if that is too deep to count."""
    if count > DEEPEST:
        return None
    edges = [filters.since or datetime.min, filters.until or clock.now()]
    rows = stats.rows_between(edges[0], edges[1], scope)
    return rows.order_by("-id").values_list("id", flat=True)[count - 1 : count].first()
