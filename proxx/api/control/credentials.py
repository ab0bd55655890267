"""Credentials: what is sent upstream. A secret goes in and never comes out; what rests and what is left is shown."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, StrictStr

from accounts.models import Credential
from accounts.rights import Right
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused
from proxx.api.control.paging import Order
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import Shelf, answers, mount
from routing import credential_rules, followed, health, health_admin, quota, quota_refresh, quota_share, quota_store
from routing.models import QuotaStanding

router = Router()

Secret = Annotated[
    StrictStr, Field(max_length=credential_rules.LONGEST_SECRET, description="Stored sealed, and never answered.")
]
EMPTY = "Give a secret, or leave the field out to keep the present one."
_USE = ("label", "base_url", "priority", "weight", "at_once", "enabled")


def _prepare(caller: Caller, row: Credential, said: dict[str, Any]) -> None:
    """Check what concerns several fields, as the console's form does."""
    stored = None if row._state.adding else Credential.objects.get(pk=row.pk)
    if stored is not None and followed.follows(stored) and {"base_url", "secret"} & said.keys():
        raise Refused(409, "kept_elsewhere", "A file or the environment says this: change it there.")
    faults = {}
    typed = said.get("secret", "")
    if "secret" in said and stored is not None and not typed:
        faults["secret"] = EMPTY
    elif typed:
        faults["secret"] = credential_rules.secret_fault(typed)
    if stored is None or "base_url" in said:
        row.base_url = row.base_url.strip()
        faults["base_url"] = credential_rules.address_fault(row.provider_id, row.kind, row.base_url)
    if stored is not None and not any(faults.values()):
        faults["secret"] = credential_rules.moving_fault(
            stored.base_url, row.base_url, has_secret=bool(stored.secret), is_typed=bool(typed)
        )
    elif stored is None and not any(faults.values()):
        if row.provider_id not in credential_rules.provider_labels():
            faults["provider_id"] = "There is no such provider."
        row.account_id = credential_rules.account_of(row.provider_id, typed, row.base_url, row.account_id)
        faults["secret"] = credential_rules.newcomer_fault(row.provider_id, typed, row.account_id)
    if found := {name: words for name, words in faults.items() if words}:
        raise ValidationError(found)


def _health(rows: list[Credential]) -> list[dict[str, Any]]:
    return [{"has_secret": bool(row.secret), "health": health_admin.state_of(row.pk)[1]} for row in rows]


SHELF: Shelf[Credential] = Shelf(
    noun="credential",
    model=Credential,
    read=Right.CREDENTIALS_READ,
    write=Right.CREDENTIALS_WRITE,
    steps_up=True,
    order=Order(("provider_id", "id")),
    shown=("id", "provider_id", "kind", *_USE, "last4", "account_id", "plan_type", "expires_at", "source",
           "created_at"),
    settable=("provider_id", "kind", *_USE, "account_id", "secret"),
    required=("provider_id",),
    fixed=("provider_id", "kind", "account_id"),
    kinds={"secret": Secret},
    extra={"has_secret": bool, "health": str},
    extras=_health,
    prepare=_prepare,
    filters=("provider_id", "enabled", "source"),
)  # fmt: skip
mount(router, "/credentials", SHELF)

_read, _write = Needs(SHELF.read, everywhere=True), Needs(SHELF.write, everywhere=True)


class Clearing(Strict):
    """What to forget: everything that rests, or what rests for one model."""

    model: Annotated[StrictStr, Field(max_length=200)] | None = Field(None, description="Left out: all of it.")


class Window(Schema):
    """One window of a plan, as the provider said it last."""

    name: str
    used: float = Field(description="Percent.")
    resets_at: datetime | None
    seconds: float | None


class Quota(Schema):
    """What an account has left, as far as it is known."""

    windows: list[Window]
    plan: str
    stopped: bool
    has_credits: bool
    source: Literal["", "asked", "headers", "refused"]
    heard_at: datetime | None
    tried_at: datetime | None
    fault: str


@router.post("/credentials/{uuid:pk}/clear", auth=_write, response=answers(None, 204), tags=["Credentials"])
def clear_credential(request: HttpRequest, pk: UUID, payload: Clearing) -> Any:
    """Drop what is known against a credential: the next call may go there, from every process."""
    row = SHELF.one(request.auth, SHELF.write, pk)  # type: ignore[attr-defined]
    health.clear(row.pk, payload.model)
    return Status(204, None)


@router.get("/credentials/{uuid:pk}/quota", auth=_read, response=answers(Quota), tags=["Credentials"])
def get_quota(request: HttpRequest, pk: UUID) -> Any:
    """Say what is left, as it was heard last."""
    return quota_of(SHELF.one(request.auth, SHELF.read, pk))  # type: ignore[attr-defined]


@router.post("/credentials/{uuid:pk}/quota/refresh", auth=_write, response=answers(Quota), tags=["Credentials"])
def refresh_quota(request: HttpRequest, pk: UUID) -> Any:
    """Ask the provider what is left, now. 409 if it cannot be asked; `fault` says why there was no answer."""
    row = SHELF.one(request.auth, SHELF.write, pk)  # type: ignore[attr-defined]
    if not quota_refresh.refresh([row.pk], forced=True):
        raise Refused(409, "cannot_ask", "This provider cannot be asked what is left.")
    return quota_of(row)


@router.delete("/credentials/{uuid:pk}/quota", auth=_write, response=answers(None, 204), tags=["Credentials"])
def forget_quota(request: HttpRequest, pk: UUID) -> Any:
    """Forget what was heard: the next call may go there."""
    quota_share.forget([SHELF.one(request.auth, SHELF.write, pk).pk])  # type: ignore[attr-defined]
    return Status(204, None)


def quota_of(row: Credential) -> dict[str, Any]:
    """Return what is known of an account's quota."""
    standing = QuotaStanding.objects.filter(credential=row).first() or QuotaStanding(credential=row)
    fields = ("plan", "stopped", "has_credits", "source", "heard_at", "tried_at", "fault")
    heard = quota_store.standing_of(standing)
    windows = [
        {
            "name": one.name,
            "used": one.used,
            "resets_at": datetime.fromtimestamp(one.resets_at, UTC) if one.resets_at is not None else None,
            "seconds": one.seconds,
        }
        for one in (quota.windows_now(heard.usage) if heard is not None else ())
    ]
    return {"windows": windows, **{name: getattr(standing, name) for name in fields}}
