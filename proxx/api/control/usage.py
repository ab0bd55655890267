"""What was used, and the records of single calls; nobody's prompts or answers."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field

from accounts import rights
from accounts.rights import Right
from analytics import queries, usage_sums
from analytics.models import RequestAttempt, RequestLog
from proxx.api.control import shapes
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.paging import Order, page
from proxx.api.control.shelves import Paging, answers
from proxx.kit import clock, ids

router = Router()

By = Literal["tenant", "key", "provider", "account", "model", "hour", "day"]


class UsageAsked(Schema):
    """Which stretch of time, and by what it is split."""

    since: AwareDatetime | None = Field(None, description="Left out: 24 hours ago.")
    until: AwareDatetime | None = Field(None, description="Left out: now.")
    by: list[By] = Field([], max_length=7, description="Several make one group for each combination.")
    tenant_id: UUID | None = Field(None, description="Only this tenant.")


class UsageGroup(Schema):
    """What was used in one group; what it is not split by is null."""

    tenant: UUID | None = None
    key: UUID | None = None
    provider: str | None = None
    account: UUID | None = None
    model: str | None = None
    hour: datetime | None = None
    day: datetime | None = None
    requests: int
    ok: int
    errors: int
    cancelled: int
    refused: int
    input_tokens: int = Field(description="All tokens in; the six buckets that follow add up to it.")
    fresh_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    audio_in_tokens: int
    image_in_tokens: int
    output_tokens: int = Field(description="All tokens out; the four buckets that follow add up to it.")
    text_tokens: int
    reasoning_tokens: int
    audio_out_tokens: int
    image_out_tokens: int
    pictures: int
    server_tools: int = Field(description="Web searches that providers ran.")
    cost_nano: int = Field(description="Whole nano-dollars, of the calls whose price is known.")
    unpriced: int = Field(description="Calls whose price is not known.")
    estimated: int = Field(description="Calls whose tokens are an estimate.")
    streams: int
    cache_hits: int = Field(description="Calls with input from a cache.")
    duration_ms: int = Field(description="Of all calls together.")


class Usage(Schema):
    """The groups, and how many seconds the sums are behind what was recorded."""

    since: datetime
    until: datetime
    data: list[UsageGroup]
    behind_seconds: int


class RequestsAsked(Schema):
    """Which records."""

    tenant_id: UUID | None = None
    key_id: UUID | None = None
    outcome: Literal["ok", "error", "cancelled", "refused"] | None = None
    provider_id: str | None = Field(None, max_length=64)
    model: str | None = Field(None, max_length=200, description="As it was routed.")
    since: AwareDatetime | None = Field(None, description="Left out: 24 hours ago.")
    until: AwareDatetime | None = None


_RECORD = ("id", "tenant_id", "key_id", "endpoint", "dialect", "stream", "model_requested", "model_routed",
           "provider_id", "credential_id", "status", "outcome", "error_code", "duration_ms", "first_event_ms",
           "bytes_in", "bytes_out", "request_id", "input_tokens", "cache_read_tokens", "cache_write_tokens",
           "output_tokens", "reasoning_tokens", "usage_state", "cost_nano", "price_state",
           "attempt_count")  # fmt: skip
_ATTEMPT = ("number", "provider_id", "credential_id", "account", "model", "protocol", "status", "failure", "message",
            "retry_after", "started_ms", "headers_ms", "first_event_ms", "duration_ms")  # fmt: skip
Record: Any = shapes.shown("Record", RequestLog, _RECORD, more={"started_at": datetime, "warnings": list[Any]})
Attempt: Any = shapes.shown("Attempt", RequestAttempt, _ATTEMPT)
RecordPage = shapes.page_of("RecordPage", Record)


class RecordWhole(Record):
    """One record with what was tried for it."""

    attempts: list[Attempt]


@router.get("/usage", auth=Needs(Right.USAGE_READ), response=answers(Usage), tags=["Usage"])
def get_usage(request: HttpRequest, asked: Query[UsageAsked]) -> Any:
    """Say how much was used, split as asked; a caller of one tenant sees that tenant only."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    until = asked.until or clock.now()
    since = asked.since or usage_sums.earlier(until, timedelta(days=1))
    if fault := usage_sums.fault_of(since, until):
        raise Refused(422, "invalid_fields", fault, param="since")
    tenants = caller.who.tenants(Right.USAGE_READ)
    if asked.tenant_id is not None:
        if not caller.who.may(Right.USAGE_READ, asked.tenant_id):
            raise not_found("tenant")
        tenants = frozenset({asked.tenant_id})
    found = usage_sums.sums(since, until, by=list(dict.fromkeys(asked.by)), tenants=tenants)
    return {"since": since, "until": until, "data": found, "behind_seconds": usage_sums.behind_seconds()}


@router.get("/requests", auth=Needs(Right.REQUESTS_READ), response=answers(RecordPage), tags=["Requests"])
def list_requests(request: HttpRequest, place: Query[Paging], asked: Query[RequestsAsked]) -> Any:
    """List records of calls, newest first: of the last day, unless a time is named."""
    rows = rights.scoped(RequestLog.objects.all(), request.auth.who, Right.REQUESTS_READ)  # type: ignore[attr-defined]
    said = asked.model_dump(exclude_none=True, exclude={"since", "until", "model"})
    rows = rows.filter(**said, **({"model_routed": asked.model} if asked.model is not None else {}))
    since = asked.since or usage_sums.earlier(asked.until or clock.now(), timedelta(days=1))
    rows = rows.filter(id__gte=ids.earliest(_unix(since)))
    if asked.until is not None:
        rows = rows.filter(id__lt=ids.earliest(_unix(asked.until)))
    found, after = page(rows, Order(("id",), newest_first=True), limit=place.limit, after=place.after)
    return {"data": [_record(row) for row in found], "next": after}


@router.get("/requests/{uuid:pk}", auth=Needs(Right.REQUESTS_READ), response=answers(RecordWhole), tags=["Requests"])
def get_request(request: HttpRequest, pk: UUID) -> Any:
    """Look at one record, with each attempt that was made for it."""
    rows = rights.scoped(RequestLog.objects.all(), request.auth.who, Right.REQUESTS_READ)  # type: ignore[attr-defined]
    row = rows.filter(pk=pk).first()
    if row is None:
        raise not_found("request")
    attempts = [shapes.values(one, _ATTEMPT) for one in queries.attempts_of(row)]
    return {**_record(row), "attempts": attempts}


def _record(row: RequestLog) -> dict[str, Any]:
    return {**shapes.values(row, _RECORD), "started_at": row.started_at, "warnings": row.warnings}


def _unix(moment: datetime) -> float:
    return min(max(moment.timestamp(), 0.0), 2.0**38)
