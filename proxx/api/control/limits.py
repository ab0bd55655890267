"""Limits of tenants and keys, and how much of each is used."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from ninja import Router
from pydantic import Field, StrictInt

from accounts import granting, key_line, limits
from accounts.limit import MOST, Limit
from accounts.rights import Right
from proxx.api.control import keys
from proxx.api.control.callers import Caller
from proxx.api.control.errors import Refused
from proxx.api.control.paging import Order
from proxx.api.control.shelves import Shelf, mount
from proxx.kit import clock

router = Router()

Amount = Annotated[
    StrictInt, Field(ge=0, le=MOST, description="Requests, tokens or calls; of money whole nano-dollars.")
]


class LimitShelf(Shelf[Limit]):
    """Limits belong to a tenant by themselves or through a key; those of keys may be set by who changes keys, too."""

    def rows(self, caller: Caller, right: Right) -> QuerySet[Limit]:
        """Return the limits of the tenants in which the caller has the right, and of their keys."""
        found = Limit.objects.select_related("key")
        tenants = caller.who.tenants(right)
        if tenants is None:
            return found
        condition = Q(tenant__in=tenants) | Q(key__tenant__in=tenants)
        if right is Right.LIMITS_WRITE and (own := caller.who.tenants(Right.KEYS_WRITE)):
            condition |= Q(key__tenant__in=own)
        return found.filter(condition)

    def may_add(self, caller: Caller, row: Limit) -> bool:
        """Tell whether a new limit would be one of the caller's own."""
        if bool(row.tenant_id) == bool(row.key_id):
            raise Refused(422, "invalid_fields", "Name a tenant or a key, and not both.", param="tenant_id")
        if row.key_id is None:
            return caller.who.may(Right.LIMITS_WRITE, row.tenant_id)
        issued = Limit._meta.get_field("key").related_model._default_manager
        tenant_id = issued.filter(pk=row.key_id).values_list("tenant_id", flat=True).first()
        return tenant_id is not None and any(
            caller.who.may(right, tenant_id) for right in (Right.LIMITS_WRITE, Right.KEYS_WRITE)
        )


def _not_its_own(caller: Caller, row: Limit) -> None:
    own = caller.holder.key_id if caller.holder is not None else None
    if own is not None and row.key_id is not None and row.key_id in key_line.of(own):
        raise Refused(403, "missing_right", "No key changes its own limits.")
    maker = keys.own_row(caller) if row.key_id is not None else None
    if maker is not None and (why := granting.bound(maker)):
        raise Refused(403, "missing_right", why)


def _standing(rows: list[Limit]) -> list[dict[str, Any]]:
    unix, views = clock.unix(), [row.view for row in rows]
    counted, _ = limits.used(views)
    ends = [view.ends(unix) if view.is_budget else None for view in views]
    return [
        {"used": used, "resets_at": datetime.fromtimestamp(end, UTC) if end is not None else None}
        for used, end in zip(counted, ends, strict=True)
    ]


SHELF = LimitShelf(
    noun="limit",
    model=Limit,
    read=Right.LIMITS_READ,
    write=Right.LIMITS_WRITE,
    write_too=(Right.KEYS_WRITE,),
    check_change=_not_its_own,
    tenant="tenant",
    order=Order(("created_at", "id")),
    shown=("id", "tenant_id", "key_id", "kind", "amount", "model", "enabled", "created_at"),
    settable=("tenant_id", "key_id", "kind", "amount", "model", "enabled"),
    required=("kind", "amount"),
    fixed=("tenant_id", "key_id", "kind"),
    kinds={"amount": Amount},
    extra={"used": int, "resets_at": datetime | None},
    extras=_standing,
    filters=("tenant_id", "key_id", "kind"),
)
mount(router, "/limits", SHELF)
