"""The tenant that somebody with several looks at: a choice kept with their sign-in, that narrows what pages show.

It never widens anything: who chose a tenant and lost it sees nothing of it, and is asked for no other.
"""

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase

from accounts.models import Tenant
from accounts.rights import Right, Who

CHOSEN = "active_tenant"


# What a choice is kept in: a session, or what stands for one.
Kept = SessionBase | MutableMapping[str, Any]


def select(kept: Kept, who: Who, tenant_id: UUID | None) -> Tenant | None:
    """Look at one tenant from now on, or at all again. Raises `Tenant.DoesNotExist` for one that is not theirs."""
    if tenant_id is None:
        kept.pop(CHOSEN, None)
        return None
    if not who.may(Right.TENANTS_READ, tenant_id):
        raise Tenant.DoesNotExist
    tenant = Tenant.objects.get(pk=tenant_id)
    kept[CHOSEN] = str(tenant.pk)
    return tenant


def chosen(kept: Kept, who: Who) -> UUID | None:
    """Return the tenant that was chosen, if it is still theirs."""
    said = kept.get(CHOSEN)
    try:
        tenant_id = UUID(said) if said else None
    except ValueError:
        return None
    return tenant_id if tenant_id is not None and who.may(Right.TENANTS_READ, tenant_id) else None


def narrowed(kept: Kept, who: Who) -> Who:
    """Return who acts, narrowed to the chosen tenant."""
    return who.narrowed(chosen(kept, who))
