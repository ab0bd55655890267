"""Proxy settings of a tenant: what its calls get without saying so. They are accounts/tenant_settings.py's."""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictBool, StrictInt, StrictStr

from accounts import tenant_settings
from accounts.models import Credential, Profile, Tenant
from accounts.rights import Right
from proxx.api.control import tenants
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers

router = Router()

Fast = Literal["", "asked", "always"]
Bodies = Literal["off", "errors", "sampled", "full"]


class Settings(Schema):
    """The settings; what the caller may not see of them is null."""

    fast_mode: Fast | None = Field(None, description="Who gets the priority tier: nobody, who asks, all.")
    image_model: str | None = Field(None, description="Where requests with pictures go; empty: as they name it.")
    answer_with_alias: bool | None = Field(None, description="Whether answers carry the name that was asked for.")
    bodies: Bodies | None = Field(None, description="Of which calls prompts and answers are kept.")
    bodies_percent: int | None = Field(None, description="Percent of calls in a sample.")
    profile_id: UUID | None = None
    passthrough_account_id: UUID | None = Field(None, description="The credential that is asked first below /openai.")


class SettingsChange(Strict):
    """What changes of them."""

    fast_mode: Fast = ""
    image_model: Annotated[StrictStr, Field(max_length=200)] = ""
    answer_with_alias: StrictBool = False
    bodies: Bodies = "off"
    bodies_percent: Annotated[StrictInt, Field(ge=1, le=100)] = 10
    profile_id: UUID | None = None
    passthrough_account_id: UUID | None = None


@router.get(
    "/tenants/{uuid:pk}/settings", auth=Needs(Right.SETTINGS_READ), response=answers(Settings), tags=["Settings"]
)
def get_settings(request: HttpRequest, pk: UUID) -> Any:
    """Look at a tenant's settings."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return told(caller, tenants.known(caller, Right.SETTINGS_READ, pk))


@router.patch(
    "/tenants/{uuid:pk}/settings", auth=Needs(Right.SETTINGS_WRITE), response=answers(Settings), tags=["Settings"]
)
def change_settings(request: HttpRequest, pk: UUID, payload: SettingsChange) -> Any:
    """Change a tenant's settings."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = tenants.known(caller, Right.SETTINGS_WRITE, pk)
    return told(caller, change(caller, tenant, payload.model_dump(exclude_unset=True)))


def told(caller: Caller, tenant: Tenant) -> dict[str, Any]:
    """Return what the caller may see of a tenant's settings."""
    seen = tenant_settings.read(tenant, by=caller.who)
    return {f"{name}_id" if name in ROWS else name: value for name, value in seen.items()}


def change(caller: Caller, tenant: Tenant, said: dict[str, Any]) -> Tenant:
    """Change what was said; rows by their ids."""
    values = {}
    for name, value in said.items():
        setting = name.removesuffix("_id")
        model = ROWS.get(setting)
        row = model._default_manager.filter(pk=value).first() if model is not None and value is not None else None
        if model is not None and value is not None and row is None:
            raise ValidationError({name: "There is no such row."})
        values[setting] = row if model is not None else value
    return tenant_settings.change(tenant.pk, values, by=caller.who)


ROWS: dict[str, Any] = {"profile": Profile, "passthrough_account": Credential}
