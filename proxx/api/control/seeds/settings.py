"""Settings in the shapes of old: a tenant's below /api/ui and /api/v1, the default tenant's below /admin."""

from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from ninja import Router
from pydantic import Field, StrictBool, StrictInt, StrictStr

from accounts import active_tenant
from accounts.limit import Limit
from accounts.models import DEFAULT_TENANT_ID, Tenant
from accounts.profile import lines_of
from accounts.rights import Right
from proxx.api.control import limits, settings, tenants
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused
from proxx.api.control.seeds.ui import SEED, Json
from proxx.api.control.shapes import Lines, Strict
from proxx.api.control.shelves import answers

both = Router()  # below /api/ui and /api/v1
below_admin = Router()

LISTS = {"allowedModels": "models_allowed", "allowedProviderIds": "providers_allowed",
         "disabledProviderIds": "providers_denied"}  # fmt: skip


class SettingsWish(Strict):
    """What changes of a tenant's settings; null takes a bound away."""

    fastMode: StrictBool | None = None
    requestsPerMinute: Annotated[StrictInt, Field(ge=1, le=10**9)] | None = None
    allowedModels: Lines | None = None
    allowedProviderIds: Lines | None = None
    disabledProviderIds: Lines | None = None


class AdminWish(Strict):
    """What changes of the default tenant's settings."""

    defaultPassthroughAccountId: Annotated[StrictStr, Field(max_length=64)] | None = None
    imageRequestModelOverride: Annotated[StrictStr, Field(max_length=200)] | None = None


@both.get("/settings", auth=Needs(Right.SETTINGS_READ), response=answers(Json), tags=SEED)
def get_settings(request: HttpRequest) -> Any:
    """Look at the settings of the caller's tenant, or of the one that was chosen; else of the default tenant."""
    return _told(_tenant(request, Right.SETTINGS_READ))


@both.post("/settings", auth=Needs(Right.SETTINGS_WRITE), response=answers(Json), tags=SEED)
@transaction.atomic
def post_settings(request: HttpRequest, payload: SettingsWish) -> Any:
    """Change them, all or none."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = _tenant(request, Right.SETTINGS_WRITE)
    said = payload.model_dump(exclude_unset=True)
    lists = {LISTS[name]: said[name] or [] for name in LISTS if name in said}
    if lists:
        _require(caller, Right.TENANTS_WRITE, tenant)
    if "requestsPerMinute" in said:
        _require(caller, Right.LIMITS_WRITE, tenant)
    if said.get("fastMode") is not None:
        settings.change(caller, tenant, {"fast_mode": "always" if said["fastMode"] else ""})
    if lists:
        tenants.SHELF.change(caller, tenant.pk, lists)
    if "requestsPerMinute" in said:
        _bound(caller, tenant, said["requestsPerMinute"])
    tenant.refresh_from_db()
    return _told(tenant)


@below_admin.get("/settings", auth=Needs(Right.SETTINGS_READ, everywhere=True), response=answers(Json), tags=SEED)
def get_admin_settings(request: HttpRequest) -> Any:
    """Look at the settings of the default tenant."""
    return {"ok": True, "settings": _admin(Tenant.objects.get(pk=DEFAULT_TENANT_ID))}


@below_admin.patch("/settings", auth=Needs(Right.SETTINGS_WRITE, everywhere=True), response=answers(Json), tags=SEED)
def patch_admin_settings(request: HttpRequest, payload: AdminWish) -> Any:
    """Change them; an empty text takes a setting away."""
    said = payload.model_dump(exclude_unset=True)
    values: dict[str, Any] = {}
    if "defaultPassthroughAccountId" in said:
        values["passthrough_account_id"] = _account(said["defaultPassthroughAccountId"])
    if "imageRequestModelOverride" in said:
        values["image_model"] = said["imageRequestModelOverride"] or ""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = settings.change(caller, Tenant.objects.get(pk=DEFAULT_TENANT_ID), values)
    return {"ok": True, "settings": _admin(tenant)}


def _tenant(request: HttpRequest, right: Right) -> Tenant:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    if caller.holder is not None:
        return tenants.known(caller, right, caller.holder.tenant_id)
    chosen = active_tenant.chosen(request.session, caller.who)
    own = caller.who.tenants(right)
    only = next(iter(own)) if own is not None and len(own) == 1 else DEFAULT_TENANT_ID
    return tenants.known(caller, right, chosen or only)


def _require(caller: Caller, right: Right, tenant: Tenant) -> None:
    if not caller.who.may(right, tenant.pk):
        raise Refused(403, "missing_right", f"This needs the right {right} here.")


def _limits(tenant: Tenant) -> list[Limit]:
    own = tenant.limits.filter(kind=Limit.Kind.REQUESTS_MINUTE, model="", enabled=True)
    return list(own.order_by("amount", "created_at"))


def _bound(caller: Caller, tenant: Tenant, most: int | None) -> None:
    """Let one limit stand, the one that was said; none without any."""
    first, *others = [*_limits(tenant), None] if most is not None else [None, *_limits(tenant)]
    for row in filter(None, others):
        limits.SHELF.delete(caller, row.pk)
    if most is not None and first is not None:
        limits.SHELF.change(caller, first.pk, {"amount": most})
    elif most is not None:
        limits.SHELF.add(caller, {"tenant_id": tenant.pk, "kind": "requests_minute", "amount": most})


def _told(tenant: Tenant) -> Json:
    bound = next((row.amount for row in _limits(tenant)), None)
    lists = {name: list(lines_of(getattr(tenant, column))) or None for name, column in LISTS.items()}
    return {"fastMode": tenant.fast_mode == "always", "requestsPerMinute": bound, **lists}


def _admin(tenant: Tenant) -> Json:
    account = tenant.passthrough_account_id
    return {
        "defaultPassthroughAccountId": str(account) if account else None,
        "imageRequestModelOverride": tenant.image_model or None,
    }


def _account(said: str | None) -> UUID | None:
    try:
        return UUID(said) if said else None
    except ValueError:
        raise ValidationError({"defaultPassthroughAccountId": "There is no such account."}) from None
