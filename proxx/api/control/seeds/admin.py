"""The paths below /admin, in the shapes of MultiVibe: accounts, model aliases, and a session for a browser.

Each is an alias of the same functions as below /api/v1, with the same rights. The session is a cookie that proves that
its holder once showed the token; it is not the token, ends with the token, and no other site can make a browser use it.
"""

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field, StrictBool, StrictInt, StrictStr

from accounts.models import Credential
from accounts.rights import Right
from proxx.api.control import callers, credentials, names
from proxx.api.control.callers import ADMIN_COOKIE, Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.seeds import shapes, ui
from proxx.api.control.seeds.ui import SEED, Json, Word
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers
from routing import health, quota_refresh
from routing.models import ModelPreference

router = Router()

_reads = Needs(Right.CREDENTIALS_READ, everywhere=True)
_writes = Needs(Right.CREDENTIALS_WRITE, everywhere=True, steps_up=True)
_names_read, _names_write = (Needs(right, everywhere=True) for right in (Right.ROUTING_READ, Right.ROUTING_WRITE))


class SessionWish(Strict):
    """The token, once."""

    token: Annotated[StrictStr, Field(max_length=4096)]


class AccountWish(Strict):
    """An account that is to be."""

    accessToken: credentials.Secret
    provider: Word = "openai"
    id: Word | None = None
    email: Annotated[StrictStr, Field(max_length=120)] | None = None
    baseUrl: Word | None = None
    enabled: StrictBool | None = None
    priority: Annotated[StrictInt, Field(ge=-(2**31), le=2**31 - 1)] | None = None


class AccountChange(Strict):
    """What changes of an account."""

    accessToken: credentials.Secret | None = None
    email: Annotated[StrictStr, Field(max_length=120)] | None = None
    baseUrl: Word | None = None
    enabled: StrictBool | None = None
    priority: Annotated[StrictInt, Field(ge=-(2**31), le=2**31 - 1)] | None = None


Targets = Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]],
                    Field(min_length=1, max_length=100)]  # fmt: skip


class AliasWish(Strict):
    """An alias that is to be, or that is replaced."""

    id: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    targets: Targets
    enabled: StrictBool = True
    description: Annotated[StrictStr, Field(max_length=2000)] | None = None


class AliasChange(Strict):
    """What changes of an alias."""

    targets: Targets | None = None
    enabled: StrictBool | None = None
    description: Annotated[StrictStr, Field(max_length=2000)] | None = None


@router.get("/session", auth=Needs(public=True), response=answers(Json), tags=SEED)
def get_session(request: HttpRequest) -> Any:
    """Say whether this browser holds a session."""
    return {"ok": True, "authenticated": callers.holds_session(request)}


@router.post("/session", auth=Needs(public=True), response=answers(Json), tags=SEED)
def open_session(request: HttpRequest, response: HttpResponse, payload: SessionWish) -> Any:
    """Give a browser a session in exchange for the token."""
    caller = callers.by_token(request, payload.token)
    if caller.kind != "legacy_admin":
        raise Refused(401, "invalid_api_key", "This is not the token.")
    response.set_cookie(
        ADMIN_COOKIE,
        callers.session_value(),
        max_age=callers.SESSION_SECONDS,
        path="/admin",
        httponly=True,
        samesite="Strict",
        secure=django_settings.SESSION_COOKIE_SECURE,
    )
    return {"ok": True, "authenticated": True}


@router.delete("/session", auth=Needs(public=True), response=answers(Json), tags=SEED)
def close_session(request: HttpRequest, response: HttpResponse) -> Any:
    """Forget the session of this browser."""
    response.delete_cookie(ADMIN_COOKIE, path="/admin", samesite="Strict")
    return {"ok": True, "authenticated": False}


@router.get("/accounts", auth=_reads, response=answers(Json), tags=SEED)
def list_accounts(request: HttpRequest) -> Any:
    """List accounts; their tokens are masked."""
    return {"accounts": [shapes.account(row) for row in Credential.objects.order_by("provider_id", "priority", "id")]}


@router.post("/accounts", auth=_writes, response=answers(Json), tags=SEED)
def add_account(request: HttpRequest, payload: AccountWish) -> Any:
    """Store an account."""
    more = _fields(payload.model_dump(exclude_none=True, exclude={"accessToken", "provider", "id"}))
    row = ui.store_secret(_caller(request), payload.provider, payload.id or "", payload.accessToken, **more)
    return {"ok": True, "account": shapes.account(row)}


@router.patch("/accounts/{uuid:pk}", auth=_writes, response=answers(Json), tags=SEED)
def change_account(request: HttpRequest, pk: UUID, payload: AccountChange) -> Any:
    """Change an account."""
    said = _fields(payload.model_dump(exclude_none=True))
    return {"ok": True, "account": shapes.account(credentials.SHELF.change(_caller(request), pk, said))}


@router.delete("/accounts/{uuid:pk}", auth=_writes, response=answers(Json), tags=SEED)
def delete_account(request: HttpRequest, pk: UUID) -> Any:
    """Delete an account."""
    credentials.SHELF.delete(_caller(request), pk)
    return {"ok": True}


@router.post("/accounts/{uuid:pk}/unblock", auth=_writes, response=answers(Json), tags=SEED)
def unblock_account(request: HttpRequest, pk: UUID, model: str | None = None) -> Any:
    """Drop what is known against an account, for one model if that is named."""
    row = credentials.SHELF.one(_caller(request), Right.CREDENTIALS_WRITE, pk)
    health.clear(row.pk, model)
    return {"ok": True, "account": shapes.account(row)}


@router.post("/accounts/{uuid:pk}/refresh-usage", auth=_writes, response=answers(Json), tags=SEED)
def refresh_account(request: HttpRequest, pk: UUID) -> Any:
    """Ask what is left of an account's plan."""
    row = credentials.SHELF.one(_caller(request), Right.CREDENTIALS_WRITE, pk)
    quota_refresh.refresh([row.pk], forced=True)
    return {"ok": True, "account": shapes.account(row)}


@router.post("/usage/refresh", auth=_writes, response=answers(Json), tags=SEED)
def refresh_usage(request: HttpRequest) -> Any:
    """Ask what is left of every plan whose provider says it."""
    quota_refresh.refresh(forced=True)
    return list_accounts(request)


@router.get("/model-aliases", auth=_names_read, response=answers(Json), tags=SEED)
def list_aliases(request: HttpRequest) -> Any:
    """List the aliases of models."""
    rows = ModelPreference.objects.exclude(alias_of="").order_by("name", "id")
    return {"modelAliases": [shapes.alias(row) for row in rows]}


@router.post("/model-aliases", auth=_names_write, response=answers(Json), tags=SEED)
def put_alias(request: HttpRequest, payload: AliasWish) -> Any:
    """Store an alias, in place of one of the same name."""
    said = {"alias_of": payload.targets, "alias_enabled": payload.enabled, "notes": payload.description or ""}
    known = ModelPreference.objects.filter(name__iexact=payload.id.strip()).first()
    if known is None:
        row = names.PREFERENCES.add(_caller(request), {"name": payload.id, **said})
    else:
        row = names.PREFERENCES.change(_caller(request), known.pk, said)
    return {"ok": True, "modelAlias": shapes.alias(row)}


@router.patch("/model-aliases/{path:name}", auth=_names_write, response=answers(Json), tags=SEED)
def change_alias(request: HttpRequest, name: str, payload: AliasChange) -> Any:
    """Change an alias."""
    given = {"targets": "alias_of", "enabled": "alias_enabled", "description": "notes"}
    said = {given[field]: value for field, value in payload.model_dump(exclude_none=True).items()}
    row = names.PREFERENCES.change(_caller(request), _alias(name).pk, said)
    return {"ok": True, "modelAlias": shapes.alias(row)}


@router.delete("/model-aliases/{path:name}", auth=_names_write, response=answers(Json), tags=SEED)
def delete_alias(request: HttpRequest, name: str) -> Any:
    """Delete an alias."""
    names.PREFERENCES.delete(_caller(request), _alias(name).pk)
    return {"ok": True}


def _alias(name: str) -> ModelPreference:
    row = ModelPreference.objects.exclude(alias_of="").filter(name__iexact=name.strip()).first()
    if row is None:
        raise not_found("alias")
    return row


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    given = {"accessToken": "secret", "email": "label", "baseUrl": "base_url"}
    return {given.get(name, name): value for name, value in said.items()}


def _caller(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller
