"""The names of whom calls mention: their tenants, keys and credentials, all in one query.

No join: with a filter by tenant it would hide the calls of a tenant that is gone. Of a credential no secret is read.
"""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.db.models import F, Value

from accounts.models import ApiKey, Credential, Tenant
from analytics.models import RequestLog

# By the call's field: the table, and the columns that are read of it, in the table's order.
TABLES: Final[dict[str, tuple[type[models.Model], tuple[str, ...]]]] = {
    "tenant": (Tenant, ("id", "name")),
    "key": (ApiKey, ("id", "label")),
    "credential": (Credential, ("id", "provider_id", "label")),
}


def fill(calls: Iterable[RequestLog]) -> list[RequestLog]:
    """Return the calls with tenant, key and credential at hand; None for what is no longer there."""
    found = list(calls)
    wanted = {field: {one for call in found if (one := getattr(call, f"{field}_id"))} for field in TABLES}
    known = _read(wanted)
    for call in found:
        for field in TABLES:
            call._state.fields_cache[field] = known.get(getattr(call, f"{field}_id"))
    return found


def _read(wanted: dict[str, set[UUID]]) -> dict[UUID | None, Any]:
    parts = [_part(field, *TABLES[field], ids) for field, ids in wanted.items() if ids]
    if not parts:
        return {}
    first, *others = parts
    rows = first.union(*others, all=True) if others else first
    return {row[1]: _made(*row) for row in rows}


def _part(field: str, table: type[models.Model], columns: tuple[str, ...], ids: set[UUID]) -> Any:
    text = models.CharField(max_length=200)
    rows = (
        table._default_manager.order_by()
        .filter(pk__in=ids)
        .annotate(
            of=Value(field, text), called=F(columns[-1]), also=F(columns[1]) if len(columns) > 2 else Value("", text)
        )
    )
    return rows.values_list("of", "pk", "called", "also")


def _made(field: str, id: UUID, called: str, also: str) -> models.Model:
    """Return a row of which only these columns are known; the others would be read when somebody asks."""
    table, columns = TABLES[field]
    return table.from_db("default", columns, (id, also, called) if len(columns) > 2 else (id, called))
