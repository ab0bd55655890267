"""The accounts app."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """Tenants and keys."""

    name = "accounts"
    verbose_name = "Access"

    def ready(self) -> None:
        """Keep the promise that the default tenant always exists, after a flush too."""
        post_migrate.connect(_ensure_default_tenant, sender=self)


def _ensure_default_tenant(*, using: str, apps: Any = global_apps, **_: Any) -> None:
    from accounts.models import DEFAULT_TENANT_ID, DEFAULT_TENANT_SLUG

    try:
        tenants = apps.get_model("accounts", "Tenant")
    except LookupError:  # migrated back to before this table
        return
    defaults = {"id": DEFAULT_TENANT_ID, "name": "Default"}
    tenants.objects.using(using).get_or_create(slug=DEFAULT_TENANT_SLUG, defaults=defaults)
