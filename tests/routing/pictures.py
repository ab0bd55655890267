"""Snapshots made by hand, without a database."""

from typing import Any
from uuid import UUID, uuid4

from proxx.kit.sealing import Secret
from routing import providers
from routing.snapshot import Catalog, CredentialView, Snapshot, TenantView

TENANT = TenantView(UUID(int=1), "default", True, False)


def credential(provider_id: str = "openai", **fields: Any) -> CredentialView:
    """Return a usable credential."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "provider_id": provider_id,
        "label": "",
        "kind": "api_key",
        "secret": Secret("sk-test"),
        "account_id": "account",
        "priority": 100,
        "weight": 1,
        "base_url": "",
    }
    return CredentialView(**{**values, **fields})


def catalog(*ids: str, is_fresh: bool = True) -> Catalog:
    """Return what a provider lists."""
    return Catalog({one.lower(): one for one in ids}, is_fresh, 0.0)


def picture(*credentials: CredentialView, **fields: Any) -> Snapshot:
    """Return a snapshot of the shipped registry with these credentials; `order` follows the registry's priorities."""
    known = {**providers.load(), **fields.pop("providers", {})}
    held: dict[str, tuple[CredentialView, ...]] = {}
    for one in credentials:
        held[one.provider_id] = (*held.get(one.provider_id, ()), one)
    order = fields.pop("order", None) or tuple(sorted(held, key=lambda one: (known[one].priority, one)))
    prefixes = tuple(
        sorted(((prefix, one.id) for one in known.values() for prefix in one.prefixes), key=lambda pair: -len(pair[0]))
    )
    aliases = {name: (said,) if isinstance(said, str) else said for name, said in fields.pop("aliases", {}).items()}
    values: dict[str, Any] = {
        "revision": 1,
        "aliases": aliases,
        "providers": known,
        "credentials": held,
        "tenants": {TENANT.id: TENANT},
        "order": order,
        "prefixes": prefixes,
    }
    return Snapshot(**{**values, **fields})
