"""A tenant's proxy settings: what its calls get without saying so. The console's page and the control API change them
here; what they do to a call is told where it happens (proxx/protocols/profile, gateway/relay.py, routing/able.py).
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.models import Tenant
from accounts.rights import NotAllowed, Right, Who

# Each setting, and the right to name what it points to: the rows of the whole house are not everybody's to see.
SETTINGS: Final[Mapping[str, Right]] = {
    "fast_mode": Right.SETTINGS_READ,
    "image_model": Right.SETTINGS_READ,
    "answer_with_alias": Right.SETTINGS_READ,
    "bodies": Right.SETTINGS_READ,
    "bodies_percent": Right.SETTINGS_READ,
    "profile": Right.PROFILES_READ,
    "passthrough_account": Right.CREDENTIALS_READ,
}


def shown(by: Who, tenant_id: UUID) -> tuple[str, ...]:
    """Return the names of the settings of that tenant that may be seen."""
    if not by.may(Right.SETTINGS_READ, tenant_id):
        return ()
    return tuple(name for name, right in SETTINGS.items() if by.may(right, tenant_id))


def read(tenant: Tenant, *, by: Who) -> dict[str, Any]:
    """Return the settings that may be seen; rows that they point to by their ids."""
    return {name: getattr(tenant, _column(name)) for name in shown(by, tenant.pk)}


def change(tenant_id: UUID, values: Mapping[str, Any], *, by: Who) -> Tenant:
    """Set what is named and return the tenant; rows are given as rows.

    Raises `NotAllowed` for a setting that is not theirs to change, `ValidationError` for a value that is none, and
    `Tenant.DoesNotExist`.
    """
    if not by.may(Right.SETTINGS_WRITE, tenant_id):
        raise NotAllowed("You may not change the settings of this tenant.")
    foreign = values.keys() - set(shown(by, tenant_id))
    if foreign:
        raise NotAllowed(f"You may not change {', '.join(sorted(foreign))}.")
    with transaction.atomic():
        tenant = Tenant.objects.get(pk=tenant_id)
        for name, value in values.items():
            setattr(tenant, name, value)
        tenant.clean_fields(exclude={field.name for field in Tenant._meta.fields} - set(values))
        if values:
            tenant.save(update_fields=list(values))
    return tenant


def _column(name: str) -> str:
    return Tenant._meta.get_field(name).attname  # type: ignore[union-attr]
