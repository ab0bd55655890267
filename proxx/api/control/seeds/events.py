"""The old event store, made of calls: an event is how one call ended, its tags are proxx's own words and people's.

No payload is in it: nothing keeps prompts by default, and to read those that are kept is a right of its own. Of old the
store had no scope and no end; here a caller sees its own tenants, and events go with their calls.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field, StrictStr

from accounts import rights
from accounts.rights import Right
from analytics import calls, tags
from analytics.calls import CallFilters
from analytics.models import RequestLog
from analytics.queries import call as one_call
from analytics.tags import NotATag
from proxx.api.control.callers import Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.seeds import asked, records
from proxx.api.control.seeds.records import Json
from proxx.api.control.seeds.ui import SEED
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers
from proxx.kit import clock

both = Router()  # below /api/ui and /api/v1

MOST = 1_000  # events of one answer
ENDED = {"response": ("ok", "cancelled"), "error": ("error", "refused")}
_reads = Needs(Right.REQUESTS_READ)
_tags = Needs(Right.REQUESTS_WRITE)


class EventsAsked(Schema):
    """Which events. Those of kinds that a call does not have (request, label, metric) are none."""

    kind: Literal["request", "response", "error", "label", "metric"] | None = None
    entry_id: UUID | None = None
    provider_id: str = Field("", max_length=64)
    model: str = Field("", max_length=200)
    status: int | None = Field(None, ge=0, le=999)
    status_gte: int | None = Field(None, ge=0, le=999)
    status_lt: int | None = Field(None, ge=0, le=1000)
    tag: str = Field("", max_length=200)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    limit: int = Field(50, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=MOST)
    before: UUID | None = Field(None, description="An event's id: only older ones.")
    include_payload: bool = Field(default=False, description="Understood; there is none.")
    include_count: bool = Field(default=False, description="Count them, as far as one look at 1000 reaches.")


class TagWish(Strict):
    """A word for a call."""

    tag: Annotated[StrictStr, Field(min_length=1, max_length=200)]


@both.get("/events", auth=_reads, response=answers(Json), tags=SEED)
def list_events(request: HttpRequest, wish: Query[EventsAsked]) -> Any:
    """List events, newest first."""
    scope = asked.scope(request, Right.REQUESTS_READ)
    looks = wish.include_count or wish.kind is not None or wish.status_gte is not None or wish.status_lt is not None
    page = calls.find(_filters(wish), scope, before=wish.before, limit=MOST if looks else wish.offset + wish.limit)
    found = [call for call in page.calls if _fits(call, wish)]
    shown = found[wish.offset : wish.offset + wish.limit]
    told: Json = {
        "events": records.events(shown, records.names(shown, asked.masks(request))),
        "count": len(shown),
    }
    if wish.include_count:
        told["totalCount"] = len(found)
    is_cut = len(found) > wish.offset + wish.limit
    older = shown[-1].id if is_cut and shown else page.older
    return {**told, "before": str(older) if older else None}


# Before the one for an id, which would take its word for one.
@both.get("/events/tags", auth=_reads, response=answers(Json), tags=SEED)
def event_tags(request: HttpRequest) -> Any:
    """Count the words that people put on calls of the last week."""
    since = clock.now() - timedelta(days=7)
    return {"tags": tags.counts(asked.scope(request, Right.REQUESTS_READ)), "since": records.iso(since)}


@both.get("/events/{uuid:pk}", auth=_reads, response=answers(Json), tags=SEED)
def get_event(request: HttpRequest, pk: UUID) -> Any:
    """Look at one event."""
    call = _call(request, pk, Right.REQUESTS_READ)
    return {"event": records.events([call], records.names([call], asked.masks(request)))[0]}


@both.post("/events/{uuid:pk}/tag", auth=_tags, response=answers(Json), tags=SEED)
def add_tag(request: HttpRequest, pk: UUID, payload: TagWish) -> Any:
    """Put a word on a call; again changes nothing."""
    try:
        tags.add(_call(request, pk, Right.REQUESTS_WRITE), payload.tag)
    except NotATag as fault:
        raise Refused(422, "invalid_fields", str(fault), param="tag") from None
    return {"ok": True}


@both.delete("/events/{uuid:pk}/tag", auth=_tags, response=answers(Json), tags=SEED)
def remove_tag(request: HttpRequest, pk: UUID, payload: TagWish) -> Any:
    """Take a word from a call."""
    tags.remove(_call(request, pk, Right.REQUESTS_WRITE), payload.tag)
    return {"ok": True}


def _call(request: HttpRequest, pk: UUID, right: Right) -> RequestLog:
    found = one_call(str(pk))
    if found is None or not rights.may_on(asked.caller_of(request).who, right, found):
        raise not_found("event")
    return found


def _filters(wish: EventsAsked) -> CallFilters:
    return CallFilters(
        provider=wish.provider_id,
        model=wish.model,
        status=str(wish.status) if wish.status is not None else _class_of(wish),
        tag=wish.tag,
        since=wish.since or (wish.until or clock.now()) - timedelta(days=30),
        until=wish.until,
        ids=(wish.entry_id,) if wish.entry_id else (),
    )


def _class_of(wish: EventsAsked) -> str:
    """Return the class of statuses that is asked for, which has an index; none for any other stretch of them."""
    if wish.status_gte is None or wish.status_gte % 100:
        return ""
    ends = wish.status_lt or (600 if wish.status_gte == 500 else 0)
    return f"{wish.status_gte // 100}xx" if ends == wish.status_gte + 100 else ""


def _fits(call: RequestLog, wish: EventsAsked) -> bool:
    if wish.kind is not None and call.outcome not in ENDED.get(wish.kind, ()):
        return False
    if wish.status_gte is not None and call.status < wish.status_gte:
        return False
    return wish.status_lt is None or call.status < wish.status_lt
