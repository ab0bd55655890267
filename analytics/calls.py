"""The one query for single calls: what the console's list, its live tail, exports and APIs show.

Newest first, by ranges of the id, without a count. Of millions of rows one page must not read many: where a filter has
an index of its own, only that index is followed; what is left to filter by is looked for among the next `LOOK` rows of
it. So a page may come back with fewer calls than asked for, or none, and a place to go on from.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from analytics import call_names, labels
from analytics.models import CallTag, RequestAttempt, RequestLog
from analytics.queries import Tenants
from proxx.kit import ids

LOOK = 10_000  # rows that one page may read
MOST_TAGGED = 500  # tagged calls that one page may read
MOST_BRANCHES = 50  # tenants of one query; somebody with more of their own looks through everybody's rows
AT_MOST = 1_000  # calls of one page
STEP = 500  # calls of one step of `walk`

# Filters with an index of their own, the narrowest first.
LEADS = ("request_id", "key", "account", "model")
FAILED = ("error", "refused", "cancelled")
COLUMNS = {
    "tenant": "tenant_id",
    "key": "key_id",
    "provider": "provider_id",
    "account": "credential_id",
    "model": "model_routed",
    "asked": "model_requested",
    "route": "endpoint",
    "dialect": "dialect",
    "outcome": "outcome",
    "error": "error_code",
    "stream": "stream",
    "request_id": "request_id",
}


@dataclass(frozen=True, slots=True)
class CallFilters:
    """What calls to look for; empty is any.

    `tenant`, `key` and `account` (a credential) are ids, `model` is the one that answered and `asked` the one that was
    asked for. `status` is a class ("4xx") or one status ("429"); `tag` a word of labels.py or of people; `request_id`
    the client's own id. `since` and `until` bound the call's start; `ids` names single calls.
    """

    tenant: UUID | None = None
    key: UUID | None = None
    provider: str = ""
    account: UUID | None = None
    model: str = ""
    asked: str = ""
    route: str = ""
    dialect: str = ""
    outcome: str = ""
    status: str = ""
    error: str = ""
    stream: bool | None = None
    retried: bool | None = None
    tag: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[UUID, ...] = ()

    def said(self) -> dict[str, object]:
        """Return those that say something, by name."""
        named = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: value for name, value in named if value not in (None, "", ())}


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls, newest first. `older` is what to pass as `before` for the next page, None at the end; `looked_back_to` is
    where the search stopped although the page is not full."""

    calls: list[RequestLog]
    older: UUID | None = None
    looked_back_to: datetime | None = None


EMPTY = CallPage([])


def find(
    filters: CallFilters,
    scope: Tenants,
    *,
    before: UUID | None = None,
    limit: int = 50,
    look: int = LOOK,
    is_bare: bool = False,
) -> CallPage:
    """Return a page of the calls that fit, of the tenants in `scope` (None is all), begun before the call `before`.

    Two queries at most, and one for the names of tenants, keys and credentials, which come along as far as these still
    exist; `is_bare` calls have nothing but their ids. What does not exist finds nothing.
    """
    limit = max(1, min(limit, AT_MOST))
    tenants = _own(filters, scope)
    if tenants is not None and not tenants:
        return EMPTY
    place = _place(filters, before)
    if filters.ids:
        named = place & Q(id__in=filters.ids) & _said_by_people(filters, call_id__in=filters.ids)
        return _whole(_ready(_rows(filters, tenants, named), is_bare=is_bare), limit)
    if filters.tag and labels.condition(filters.tag) is None:
        return _tagged(filters, tenants, before, limit, is_bare=is_bare)
    lead = _lead(filters, tenants)
    narrows = bool(_beyond(filters, tenants, lead))
    rows = _ready(_rows(filters, tenants, place), is_bare=is_bare)
    if lead.values == FAILED:  # implied by what is asked for; said, so that only these rows are read
        rows = rows.filter(outcome__in=FAILED)
    if not narrows and len(lead.values) < 2:
        return _whole(rows, limit)
    floor = _floor(lead, place, max(1, look // max(1, len(lead.values))) if narrows else limit + 1)
    return _whole(rows, limit) if floor is None else _above(rows, floor, limit)


def oldest_first(filters: CallFilters, scope: Tenants, *, most: int, step: int = STEP) -> Iterator[list[RequestLog]]:
    """Yield the newest `most` calls that fit, oldest first, some at a time, however many there are in all.

    They are looked through twice: once for where each part begins, by their ids alone, and then part by part from the
    other end. What is recorded meanwhile is not among them, or only inside a part.
    """
    parts: list[tuple[UUID, UUID]] = []
    before, left = None, most
    while left > 0:
        page = find(filters, scope, before=before, limit=min(step, left), is_bare=True)
        if page.calls:
            parts.append((page.calls[0].id, page.calls[-1].id))
        left -= len(page.calls)
        before = page.older
        if before is None:
            break
    for newest, oldest in reversed(parts):
        within = Q(id__gte=oldest, id__lte=newest)
        within &= _said_by_people(filters, call_id__gte=oldest, call_id__lte=newest)
        rows = _rows(filters, _own(filters, scope), within)
        yield call_names.fill(rows)[::-1]


def attempts_of(calls: Iterable[RequestLog]) -> dict[UUID, list[RequestAttempt]]:
    """Return the attempts of some calls, in their order, by call. One query."""
    found: dict[UUID, list[RequestAttempt]] = {call.id: [] for call in calls}
    for attempt in RequestAttempt.objects.filter(call_id__in=list(found)).order_by("call_id", "number"):
        found[attempt.call_id].append(attempt)
    return found


@dataclass(frozen=True, slots=True)
class _Lead:
    """The index that is followed: its column, and the values there; no column is the id alone."""

    column: str = ""
    values: tuple[Any, ...] = ()


def _lead(filters: CallFilters, tenants: Tenants) -> _Lead:
    for name in LEADS:
        if value := getattr(filters, name):
            return _Lead(COLUMNS[name], (value,))
    if filters.outcome in FAILED:
        return _Lead("outcome", (filters.outcome,))
    if filters.error or filters.status[:1] in ("4", "5"):
        return _Lead("outcome", FAILED)
    if tenants is not None and len(tenants) <= MOST_BRANCHES:
        return _Lead("tenant_id", tuple(tenants))
    return _Lead()


def _beyond(filters: CallFilters, tenants: Tenants, lead: _Lead) -> set[str]:
    """Return the columns that are filtered by beside the lead's."""
    columns = {COLUMNS.get(name, name) for name in filters.said()} - {"since", "until", lead.column}
    if tenants is None or lead.column == "tenant_id":
        return columns - {"tenant_id"}
    return columns | {"tenant_id"}


def _rows(filters: CallFilters, tenants: Tenants, place: Q) -> QuerySet[RequestLog]:
    said = filters.said()
    equal = {COLUMNS[name]: value for name, value in said.items() if name in COLUMNS and name != "tenant"}
    rows = RequestLog.objects.filter(place, **equal)
    if tenants is not None:
        # One tenant as such: a list of one would not be read in the order of the index.
        rows = rows.filter(tenant_id__in=tenants) if len(tenants) > 1 else rows.filter(tenant_id=next(iter(tenants)))
    if filters.status:
        rows = rows.filter(_status(filters.status))
    if filters.retried is not None:
        rows = rows.filter(attempt_count__gt=1) if filters.retried else rows.filter(attempt_count__lte=1)
    if filters.tag and (rule := labels.condition(filters.tag)) is not None:
        rows = rows.filter(rule)
    return rows.order_by("-id")


def _ready(rows: QuerySet[RequestLog], *, is_bare: bool) -> QuerySet[RequestLog]:
    return rows.only("id") if is_bare else rows


def _own(filters: CallFilters, scope: Tenants) -> Tenants:
    """Return the tenants whose calls may be found: the one that is asked for, if it is in scope."""
    if filters.tenant is None:
        return scope
    return frozenset({filters.tenant}) if scope is None else scope & {filters.tenant}


def _said_by_people(filters: CallFilters, **place: Any) -> Q:
    """Return the condition that somebody has tagged a call so, looked for in one place among the tags; none for a word
    of labels.py, which `_rows` knows."""
    if not filters.tag or labels.condition(filters.tag) is not None:
        return Q()
    return Q(id__in=CallTag.objects.filter(tag=filters.tag, **place).values("call_id"))


def _status(text: str) -> Q:
    if len(text) == 3 and text[0].isdecimal() and text[1:] == "xx":
        return Q(status__gte=int(text[0]) * 100, status__lt=int(text[0]) * 100 + 100)
    return Q(status=int(text)) if text.isdecimal() and len(text) == 3 else NOTHING


def _place(filters: CallFilters, before: UUID | None, column: str = "id") -> Q:
    place = Q()
    if filters.since is not None:
        place &= Q(**{f"{column}__gte": ids.earliest(max(0.0, filters.since.timestamp()))})
    if filters.until is not None:
        place &= Q(**{f"{column}__lt": ids.earliest(max(0.0, filters.until.timestamp()))})
    return place if before is None else place & Q(**{f"{column}__lt": before})


def _floor(lead: _Lead, place: Q, look: int) -> UUID | None:
    """Return the id of the row that is `look` rows down the lead's index, None if there are not so many. Of several
    values it is the newest such row, so that none of them is followed further."""
    there = RequestLog.objects.filter(place).order_by("-id").values("id")
    branches = [there.filter(**{lead.column: value}) for value in lead.values] or [there]
    if len(branches) == 1:
        return branches[0].values_list("id", flat=True)[look - 1 : look].first()
    # Each branch in the order of its index; one list of values would be read whole and sorted.
    parts = [branch[look - 1 : look].query.sql_with_params() for branch in branches]
    union = " UNION ALL ".join(f"SELECT * FROM ({sql}) AS part" for sql, _ in parts)  # noqa: S608 - Django's own
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "id" FROM ({union}) AS parts ORDER BY "id" DESC LIMIT 1',  # noqa: S608  Django's
            [param for _, params in parts for param in params],
        )
        found = cursor.fetchone()
    return None if found is None else found[0] if isinstance(found[0], UUID) else UUID(found[0])


def _whole(rows: QuerySet[RequestLog], limit: int) -> CallPage:
    found = list(rows[: limit + 1])
    older = found[limit - 1].id if len(found) > limit else None
    return CallPage(found[:limit] if rows.query.deferred_loading[0] else call_names.fill(found[:limit]), older)


def _above(rows: QuerySet[RequestLog], floor: UUID, limit: int) -> CallPage:
    """Return the page of what is at or above the floor; below it the next page goes on."""
    page = _whole(rows.filter(id__gte=floor), limit)
    if page.older is not None:
        return page
    return CallPage(page.calls, floor, datetime.fromtimestamp(ids.moment(floor), UTC))


def _tagged(filters: CallFilters, tenants: Tenants, before: UUID | None, limit: int, *, is_bare: bool) -> CallPage:
    """Return the page of what somebody has tagged: the tags of the newest calls first, then these calls."""
    tags = CallTag.objects.filter(_place(filters, before, "call_id"), tag=filters.tag).order_by("-call_id")
    if tenants is not None:
        tags = tags.filter(tenant_id__in=tenants)
    tagged = list(tags.values_list("call_id", flat=True)[:MOST_TAGGED])
    rows = _ready(_rows(filters, tenants, Q(id__in=tagged)), is_bare=is_bare)
    return _whole(rows, limit) if len(tagged) < MOST_TAGGED else _above(rows, tagged[-1], limit)


NOTHING = Q(pk__in=())
