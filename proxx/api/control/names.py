"""Names of models: aliases, pools, preferences and refusals; what a provider shall not serve; what the lists have."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictStr

from accounts.rights import Right
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused
from proxx.api.control.paging import Order
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import Shelf, answers, mount
from routing import followed
from routing.catalog import refresh
from routing.models import CatalogModel, ModelExclusion, ModelPreference

router = Router()


def not_followed(caller: Caller, row: Any) -> None:
    """Refuse a change that a file would undo."""
    if followed.follows(row):
        raise Refused(409, "kept_elsewhere", "A file says this: change it there, and it changes here within seconds.")


PREFERENCES: Shelf[ModelPreference] = Shelf(
    noun="preference",
    model=ModelPreference,
    read=Right.ROUTING_READ,
    write=Right.ROUTING_WRITE,
    order=Order(("name", "id")),
    shown=("id", "name", "alias_of", "alias_enabled", "disabled", "rank", "declared", "owned_by", "notes", "source"),
    settable=("name", "alias_of", "alias_enabled", "disabled", "rank", "declared", "owned_by", "notes"),
    required=("name",),
    lines=("alias_of",),
    check_change=not_followed,
    filters=("name", "disabled", "declared"),
)
mount(router, "/preferences", PREFERENCES)

EXCLUSIONS: Shelf[ModelExclusion] = Shelf(
    noun="exclusion",
    model=ModelExclusion,
    read=Right.ROUTING_READ,
    write=Right.ROUTING_WRITE,
    order=Order(("provider_id", "id")),
    shown=("id", "provider_id", "pattern", "notes"),
    settable=("provider_id", "pattern", "notes"),
    required=("provider_id", "pattern"),
    filters=("provider_id",),
)
mount(router, "/exclusions", EXCLUSIONS)

LISTED: Shelf[CatalogModel] = Shelf(
    noun="listed model",
    model=CatalogModel,
    read=Right.ROUTING_READ,
    write=Right.ROUTING_WRITE,
    order=Order(("provider_id", "id")),
    shown=("id", "provider_id", "model_id", "display_name", "created", "context_window", "max_output_tokens",
           "supports_reasoning", "supports_tools", "supports_schema", "tool_types", "inputs", "outputs", "price",
           "first_seen_at"),
    settable=(),
    kinds={"tool_types": list[Any], "inputs": list[str] | None, "outputs": list[str] | None, "price": dict[str, Any]},
    filters=("provider_id", "model_id"),
)  # fmt: skip
mount(router, "/catalog", LISTED, adds=False, changes=False, deletes=False)


class Looking(Strict):
    """Whose lists to read; none named: everybody's."""

    provider_ids: Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=100)] | None = None


class Looked(Schema):
    """What one provider said."""

    provider_id: str
    models: int
    fault: str


@router.post(
    "/catalog/refresh",
    auth=Needs(Right.ROUTING_WRITE, everywhere=True),
    response=answers(list[Looked]),
    tags=["Listed models"],
)
def refresh_catalog(request: HttpRequest, payload: Looking) -> Any:
    """Read the providers' lists of models now; the answer waits for them."""
    looks = refresh.refresh(payload.provider_ids)
    return [{"provider_id": one.provider_id, "models": len(one.models), "fault": one.fault} for one in looks]
