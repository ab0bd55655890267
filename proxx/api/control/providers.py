"""Providers: what an operator says of them. Shipped ones have a row from the start; private ones are added."""

from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field, StrictStr

from accounts.rights import Right
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.credentials import Clearing
from proxx.api.control.errors import Refused
from proxx.api.control.paging import Order
from proxx.api.control.shelves import Shelf, answers, mount
from routing import health, health_admin, provider_admin, provider_rules
from routing.models import ProviderSetting

router = Router()

_Word = Annotated[StrictStr, Field(max_length=500)]
_Words = Annotated[list[_Word], Field(max_length=100)]
_Table = Annotated[dict[_Word, _Word], Field(max_length=100)]
_SAYS = ("label", "enabled", "base_url", "protocols", "paths", "auth", "needs_key", "models_paths", "headers",
         "quirks", "priority", "strategy", "notes")  # fmt: skip


def _prepare(caller: Caller, row: ProviderSetting, said: dict[str, Any]) -> None:
    before = ""
    if row._state.adding:
        row.provider_id = row.provider_id.strip().lower()
        if fault := provider_rules.id_fault(row.provider_id):
            raise ValidationError({"provider_id": fault})
    else:
        before = ProviderSetting.objects.values_list("base_url", flat=True).get(pk=row.pk)
    row.base_url = row.base_url.strip()
    fault = provider_rules.address_fault(row.provider_id, row.base_url, before=before, may_move=caller.who.is_owner)
    if fault:
        raise ValidationError({"base_url": fault})


def _deletable(caller: Caller, row: ProviderSetting) -> None:
    if not provider_rules.may_be_deleted(row):
        raise Refused(409, "in_use", "A shipped provider is switched off, not deleted.")


def _in_force(rows: list[ProviderSetting]) -> list[dict[str, Any]]:
    """Say what environment and row make of each provider together."""
    found = []
    for row in rows:
        provider = provider_admin.effective(row)
        found.append(
            {
                "is_private": row.is_private,
                "name": str(row),
                "address": provider.base_url if provider is not None else "",
                "speaks": list(provider.protocols_for("")) if provider is not None else [],
            }
        )
    return found


SHELF: Shelf[ProviderSetting] = Shelf(
    noun="provider",
    model=ProviderSetting,
    read=Right.ROUTING_READ,
    write=Right.ROUTING_WRITE,
    steps_up=True,  # an address is where secrets are sent
    by="provider_id",
    order=Order(("provider_id",)),
    shown=("provider_id", *_SAYS),
    settable=("provider_id", *_SAYS),
    required=("provider_id",),
    fixed=("provider_id",),
    kinds={"protocols": _Words, "paths": _Table, "models_paths": _Words | None, "headers": _Table, "quirks": _Words},
    extra={"is_private": bool, "name": str, "address": str, "speaks": list[str]},
    extras=_in_force,
    prepare=_prepare,
    check_delete=_deletable,
    filters=("enabled",),
)
mount(router, "/providers", SHELF)


@router.post(
    "/providers/{pk}/clear",
    auth=Needs(SHELF.write, everywhere=True),
    response=answers(None, 204),
    tags=["Providers"],
)
def clear_provider(request: HttpRequest, pk: str, payload: Clearing) -> Any:
    """Drop what is known against a provider's addresses and credentials: the next call may go there."""
    row = SHELF.one(request.auth, SHELF.write, pk)  # type: ignore[attr-defined]
    for key in health_admin.keys_of(row.provider_id):
        health.clear(key, payload.model)
    return Status(204, None)
