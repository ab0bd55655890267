"""Tenants: who pays. They are switched off rather than deleted once they had a key."""

from typing import Any

from ninja import Router

from accounts.models import DEFAULT_TENANT_ID, ApiKey, Tenant
from accounts.restricted import RESTRICTIONS
from accounts.rights import Right
from proxx.api.control.callers import Caller
from proxx.api.control.errors import Refused
from proxx.api.control.paging import Order
from proxx.api.control.shelves import Shelf, mount

router = Router()

_BEHAVIOUR = (
    "name",
    "is_active",
    "answer_with_alias",
    "profile_id",
    "image_model",
    "unpriced",
    "fallback_input",
    "fallback_output",
    *RESTRICTIONS,
)


def _deletable(caller: Caller, tenant: Tenant) -> None:
    if tenant.pk == DEFAULT_TENANT_ID:
        raise Refused(409, "in_use", "The default tenant is always there.")
    if ApiKey.objects.filter(tenant=tenant).exists():
        raise Refused(409, "in_use", "This tenant had keys, and records name them: switch it off (is_active: false).")


SHELF: Shelf[Tenant] = Shelf(
    noun="tenant",
    model=Tenant,
    read=Right.TENANTS_READ,
    write=Right.TENANTS_WRITE,
    tenant="pk",
    order=Order(("slug",)),
    shown=("id", "slug", *_BEHAVIOUR, "created_at"),
    settable=("slug", *_BEHAVIOUR),
    required=("slug", "name"),
    fixed=("slug",),
    lines=RESTRICTIONS,
    filters=("slug", "is_active"),
    check_delete=_deletable,
)
mount(router, "/tenants", SHELF)


def known(caller: Caller, right: Right, tenant_id: Any) -> Tenant:
    """Return a tenant in which the caller has a right; 404 for any other."""
    return SHELF.one(caller, right, tenant_id)
