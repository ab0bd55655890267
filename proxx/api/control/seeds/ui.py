"""The paths below /api/ui, and those of them below /api/v1 that are not taken there, in the shapes of old.

Each is an alias: the same functions as below /api/v1 do the work, with the same rights.
"""

from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field, StrictStr

from accounts import active_tenant
from accounts.models import ApiKey, Credential, Tenant
from accounts.rights import Right, scoped
from proxx.api.control import credentials, keys, people, providers
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.seeds import shapes
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers

Json = dict[str, Any]
Word = Annotated[StrictStr, Field(max_length=500)]
SEED: list[str] = ["As in what proxx replaces"]

own = Router()  # below /api/ui: me, tenants, credentials, whose /api/v1 twins have our own shapes
both = Router()  # below /api/ui and /api/v1


class KeyWish(Strict):
    """A key that is to be."""

    label: Annotated[StrictStr, Field(min_length=1, max_length=120)]
    scopes: Annotated[list[Word], Field(max_length=50)] | None = None


class SecretWish(Strict):
    """An API key of a provider that is to be stored."""

    providerId: Word
    accountId: Word | None = None
    credentialValue: credentials.Secret | None = None
    apiKey: credentials.Secret | None = None


class ProviderWish(Strict):
    """A provider with an address, and its first API key, if there is one."""

    providerId: Word
    baseUrl: Word
    accountId: Word | None = None
    credentialValue: credentials.Secret | None = None
    apiKey: credentials.Secret | None = None


class AccountNamed(Strict):
    """One account of one provider."""

    providerId: Word
    accountId: Word


@own.get("/me", auth=Needs(), response=answers(Json), tags=SEED)
def me(request: HttpRequest) -> Any:
    """Say who asks."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenants = [shapes.tenant(row) for row in people.tenants_of(caller)]
    active = caller.holder.tenant if caller.holder is not None else _chosen(request, caller)
    auth = {"kind": caller.kind, "subject": caller.who.name, "tenantId": active}
    memberships = [{"tenantId": one["id"], "tenantName": one["name"]} for one in tenants]
    return {"auth": auth, "activeTenantId": active, "memberships": memberships, "tenants": tenants}


@own.get("/tenants", auth=Needs(Right.TENANTS_READ), response=answers(Json), tags=SEED)
def tenants(request: HttpRequest) -> Any:
    """List the tenants that the caller may look at."""
    return {"tenants": [shapes.tenant(row) for row in people.tenants_of(request.auth)]}  # type: ignore[attr-defined]


@own.get("/credentials", auth=Needs(Right.CREDENTIALS_READ, everywhere=True), response=answers(Json), tags=SEED)
def list_credentials(request: HttpRequest, reveal: bool = False) -> Any:  # noqa: FBT001, FBT002 - a query of old
    """List accounts by provider. `reveal` is understood and reveals nothing: secrets are write-only."""
    return {"providers": shapes.providers(Credential.objects.all())}


@both.post("/tenants/{tenant_id}/select", auth=Needs(Right.TENANTS_READ), response=answers(Json), tags=SEED)
def select_tenant(request: HttpRequest, tenant_id: str) -> Any:
    """Look at one tenant from now on, in the console too."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = shapes.tenant_named(caller, Right.TENANTS_READ, tenant_id)
    if caller.operator is None:
        raise Refused(400, "session_required", "Only who is signed in to the console chooses a tenant.")
    active_tenant.select(request.session, caller.who, tenant.pk)
    return {"ok": True, "activeTenantId": tenant.slug}


@both.get("/tenants/{tenant_id}/api-keys", auth=Needs(Right.KEYS_READ), response=answers(Json), tags=SEED)
def tenant_keys(request: HttpRequest, tenant_id: str) -> Any:
    """List a tenant's keys."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = shapes.tenant_named(caller, Right.KEYS_READ, tenant_id)
    rows = scoped(ApiKey.objects.filter(tenant=tenant), caller.who, Right.KEYS_READ).order_by("-created_at", "id")
    return {"tenantId": tenant.slug, "keys": [shapes.key(row, tenant.slug) for row in rows[:1000]]}


@both.post("/tenants/{tenant_id}/api-keys", auth=Needs(Right.KEYS_WRITE), response=answers(Json, 201), tags=SEED)
def add_tenant_key(request: HttpRequest, tenant_id: str, payload: KeyWish) -> Any:
    """Issue a key; its token is in this answer only."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = shapes.tenant_named(caller, Right.KEYS_WRITE, tenant_id)
    said = {"tenant_id": tenant.pk, **payload.model_dump(exclude_none=True)}
    key, token = keys.issue(caller, said)
    told = shapes.key(key, tenant.slug)
    return Status(
        201, {name: told[name] for name in ("id", "tenantId", "label", "prefix", "scopes")} | {"token": token}
    )


@both.delete(
    "/tenants/{tenant_id}/api-keys/{uuid:key_id}", auth=Needs(Right.KEYS_WRITE), response=answers(Json), tags=SEED
)
def delete_tenant_key(request: HttpRequest, tenant_id: str, key_id: UUID) -> Any:
    """Revoke a key."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    tenant = shapes.tenant_named(caller, Right.KEYS_WRITE, tenant_id)
    keys.revoke(caller, key_id, tenant.pk)
    return {"ok": True, "tenantId": tenant.slug, "keyId": str(key_id)}


_writes = Needs(Right.CREDENTIALS_WRITE, everywhere=True, steps_up=True)


@both.post("/credentials/api-key", auth=_writes, response=answers(Json, 201), tags=SEED)
def add_api_key(request: HttpRequest, payload: SecretWish) -> Any:
    """Store an API key of a provider; for an account that is there already, in place of its old one."""
    secret = payload.credentialValue or payload.apiKey or ""
    row = store_secret(request.auth, payload.providerId, payload.accountId or "", secret)  # type: ignore[attr-defined]
    return Status(201, {"ok": True, "providerId": row.provider_id, "accountId": row.account_id})


@both.post("/credentials/provider", auth=_writes, response=answers(Json, 201), tags=SEED)
def add_provider(request: HttpRequest, payload: ProviderWish) -> Any:
    """Give a provider an address, and an API key if one is named."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    if not caller.who.may(Right.ROUTING_WRITE):
        raise Refused(403, "missing_right", f"This needs the right {Right.ROUTING_WRITE} in the whole house.")
    provider_id = payload.providerId.strip().lower()
    found = providers.SHELF.model.objects.filter(provider_id=provider_id).first()
    if found is None:
        providers.SHELF.add(caller, {"provider_id": provider_id, "base_url": payload.baseUrl})
    else:
        providers.SHELF.change(caller, provider_id, {"base_url": payload.baseUrl})
    if secret := payload.credentialValue or payload.apiKey:
        store_secret(caller, provider_id, payload.accountId or "", secret)
    return Status(201, {"ok": True, "providerId": provider_id, "baseUrl": payload.baseUrl.strip()})


@both.get(
    "/credentials/provider/{provider_id}",
    auth=Needs(Right.CREDENTIALS_READ, everywhere=True),
    response=answers(Json),
    tags=SEED,
)
def get_provider(request: HttpRequest, provider_id: str) -> Any:
    """Say where a provider is."""
    row = providers.SHELF.one(request.auth, Right.CREDENTIALS_READ, provider_id)  # type: ignore[attr-defined]
    told = providers.SHELF.told(row)
    return {"providerId": row.provider_id, "authType": "api_key", "baseUrl": told["address"] or None}


@both.delete("/credentials/account", auth=_writes, response=answers(Json), tags=SEED)
def delete_account(request: HttpRequest, payload: AccountNamed) -> Any:
    """Delete an account."""
    row = account_named(payload.providerId, payload.accountId)
    credentials.SHELF.delete(request.auth, row.pk)  # type: ignore[attr-defined]
    return {"ok": True, "providerId": row.provider_id, "accountId": row.account_id}


@both.post("/credentials/account/disable", auth=_writes, response=answers(Json), tags=SEED)
def disable_account(request: HttpRequest, payload: AccountNamed) -> Any:
    """Keep calls from an account."""
    return _switch(request.auth, payload, on=False)  # type: ignore[attr-defined]


@both.post("/credentials/account/enable", auth=_writes, response=answers(Json), tags=SEED)
def enable_account(request: HttpRequest, payload: AccountNamed) -> Any:
    """Let calls use an account."""
    return _switch(request.auth, payload, on=True)  # type: ignore[attr-defined]


@both.get(
    "/credentials/accounts/disabled",
    auth=Needs(Right.CREDENTIALS_READ, everywhere=True),
    response=answers(Json),
    tags=SEED,
)
def disabled_accounts(request: HttpRequest) -> Any:
    """List the accounts that are switched off."""
    rows = Credential.objects.filter(enabled=False).order_by("provider_id", "account_id")
    return {"disabledAccounts": [{"providerId": row.provider_id, "accountId": row.account_id} for row in rows]}


def store_secret(caller: Caller, provider_id: str, account_id: str, secret: str, **more: Any) -> Credential:
    """Store a secret: in place of the account's old one if that is known, else as a new credential."""
    if not secret:
        raise ValidationError({"credentialValue": "Give the API key."})
    known = Credential.objects.filter(provider_id=provider_id, account_id=account_id).first() if account_id else None
    if known is not None:
        return credentials.SHELF.change(caller, known.pk, {"secret": secret, **more})
    said = {"provider_id": provider_id, "secret": secret, **more}
    return credentials.SHELF.add(caller, {**said, "account_id": account_id} if account_id else said)


def account_named(provider_id: str, account_id: str) -> Credential:
    """Return an account by provider and name; 404 if there is none."""
    row = Credential.objects.filter(provider_id=provider_id.strip(), account_id=account_id.strip()).first()
    if row is None:
        raise not_found("account")
    return row


def _chosen(request: HttpRequest, caller: Caller) -> str | None:
    """Return the short name of the tenant that an operator chose, or of the only one there is for them."""
    found = scoped(Tenant.objects.all(), caller.who, Right.TENANTS_READ, "pk")
    chosen = active_tenant.chosen(request.session, caller.who)
    slugs = list((found.filter(pk=chosen) if chosen else found).values_list("slug", flat=True)[:2])
    return slugs[0] if len(slugs) == 1 else None


def _switch(caller: Caller, named: AccountNamed, *, on: bool) -> Json:
    row = account_named(named.providerId, named.accountId)
    credentials.SHELF.change(caller, row.pk, {"enabled": on})
    return {"ok": True, "providerId": row.provider_id, "accountId": row.account_id, "disabled": not on}
