"""How the gateways that proxx replaces name things in JSON: what is sent and answered below /api/ui and /admin.

Nothing is done here. A tenant's id is its short name there, as it was; our own ids are understood, too.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from accounts.models import ApiKey, Credential, Tenant
from accounts.rights import Right
from proxx.api.control.callers import Caller
from proxx.api.control.errors import not_found
from routing import health_admin
from routing.models import ModelPreference


def tenant_named(caller: Caller, right: Right, name: str) -> Tenant:
    """Return a tenant by its short name or id, if the caller has the right there; 404 for any other."""
    places = caller.who.places(right)
    found = Tenant.objects.all() if places is None else Tenant.objects.filter(pk__in=places)
    try:
        found = found.filter(pk=UUID(name))
    except ValueError:
        found = found.filter(slug=name.strip().lower())
    tenant = found.first()
    if tenant is None:
        raise not_found("tenant")
    return tenant


def tenant(row: Tenant) -> dict[str, Any]:
    """Return a tenant as the seed showed it."""
    return {"id": row.slug, "name": row.name, "status": "active" if row.is_active else "disabled"}


def key(row: ApiKey, slug: str) -> dict[str, Any]:
    """Return a tenant's key as the seed listed it."""
    return {
        "id": str(row.pk),
        "tenantId": slug,
        "label": row.label,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "createdAt": _iso(row.created_at),
        "lastUsedAt": _iso(row.last_used_at),
        "revokedAt": _iso(row.revoked_at),
    }


def providers(rows: Iterable[Credential]) -> list[dict[str, Any]]:
    """Return credentials by provider, as the seed listed them; secrets stay masked, whatever is asked for."""
    ordered = sorted(rows, key=lambda row: row.provider_id)
    found = []
    for provider_id, held in groupby(ordered, key=lambda row: row.provider_id):
        accounts = [
            {
                "id": row.account_id,
                "authType": row.kind,
                "displayName": row.label or row.account_id,
                "secretPreview": row.masked if row.secret else "",
                "expiresAt": _milliseconds(row.expires_at),
                "chatgptAccountId": row.chatgpt_account_id or None,
                "planType": row.plan_type or None,
                "disabled": not row.enabled,
            }
            for row in held
        ]
        kind = accounts[0]["authType"]
        found.append({"id": provider_id, "authType": kind, "accountCount": len(accounts), "accounts": accounts})
    return found


def account(row: Credential) -> dict[str, Any]:
    """Return a credential as MultiVibe's list of accounts shows it."""
    return {
        "id": str(row.pk),
        "provider": row.provider_id,
        "email": row.label,
        "accessToken": row.masked if row.secret else "",
        "expiresAt": _milliseconds(row.expires_at),
        "chatgptAccountId": row.chatgpt_account_id or None,
        "baseUrl": row.base_url or None,
        "enabled": row.enabled,
        "priority": row.priority,
        "state": {"health": health_admin.state_of(row.pk)[1]},
    }


def alias(row: ModelPreference) -> dict[str, Any]:
    """Return an alias as MultiVibe shows it."""
    return {
        "id": row.name,
        "targets": list(row.targets),
        "enabled": row.alias_enabled,
        "description": row.notes or None,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment is not None else None
