"""What fails: over time, where, and why. Counts come from sums; the reasons from the newest failures' own rows."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from analytics.models import RequestLog
from analytics.readings.filters import Filters
from analytics.readings.overview import Row, folded
from analytics.readings.reader import Reader
from analytics.readings.sums import Sums
from proxx.kit import ids

NEWEST = 1_000  # failures whose reasons are counted
LINE = ("requests", "ok", "errors", "cancelled", "refused", "retried")


@dataclass(frozen=True, slots=True)
class Reason:
    """Failures of one kind: what the caller was told, where, how often, and the newest one."""

    code: str
    status: int
    provider: str
    count: int
    newest: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Errors:
    """A stretch of time and the one before; `seen` says of how many failures `reasons` speaks."""

    now: Sums
    before: Sums
    line: list[tuple[datetime, Sums]]
    providers: list[Row]
    models: list[Row]
    accounts: list[tuple[UUID | None, Sums]]
    reasons: list[Reason]
    seen: int


def read(filters: Filters, reader: Reader) -> Errors:
    """Return what fails. Four queries, besides what a reader's first takes."""
    groups = reader.groups("provider", "model", "account", names=LINE)
    now, accounts = Sums(), dict[UUID | None, Sums]()
    for place, sums in groups.items():
        now.add(sums)
        accounts.setdefault(place[2], Sums()).add(sums)
    reasons, seen = _reasons(filters)
    return Errors(
        now=now,
        before=reader.total(names=LINE, of=filters.period.before()),
        line=reader.line(LINE),
        providers=_worst(folded(groups, 0)),
        models=_worst(folded(groups, 1)),
        accounts=sorted(accounts.items(), key=lambda one: (-one[1].errors, str(one[0]))),
        reasons=reasons,
        seen=seen,
    )


def _worst(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.sums.errors, -row.sums.requests, row.name))


def _reasons(filters: Filters) -> tuple[list[Reason], int]:
    """Count the newest failures by what they say: a range of one index, and of it only so many."""
    edges = [ids.earliest(moment.timestamp()) for moment in (filters.period.start, filters.period.end)]
    own = RequestLog.objects.filter(outcome="error", id__gte=edges[0], id__lt=edges[1])
    if filters.tenants is not None:
        own = own.filter(tenant__in=filters.tenants)
    # What else was chosen is looked at here: by the database it could mean to search a month for one rare model.
    told = ("id", "error_code", "status", "provider_id", "model_routed", "tenant_id", "key_id", "credential_id")
    rows = [row for row in own.order_by("-id").values_list(*told)[:NEWEST] if _is_chosen(filters, row)]
    counted = Counter((row[1], row[2], row[3]) for row in rows)
    newest = {(row[1], row[2], row[3]): row[0] for row in reversed(rows)}
    found = [
        Reason(code, status, provider, count, newest[code, status, provider], _moment(newest[code, status, provider]))
        for (code, status, provider), count in counted.most_common()
    ]
    return found, len(rows)


def _is_chosen(filters: Filters, row: tuple[object, ...]) -> bool:
    wanted = (filters.provider, filters.model, filters.tenant, filters.key, filters.account)
    return all(not one or one == there for one, there in zip(wanted, row[3:], strict=True))


def _moment(identifier: UUID) -> datetime:
    return RequestLog(id=identifier).started_at
