"""The accounts app."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.db.models.signals import post_delete, post_migrate, post_save


class AccountsConfig(AppConfig):
    """Tenants and keys."""

    name = "accounts"
    verbose_name = "Who calls"

    def ready(self) -> None:
        """Hear every change of configuration, before all others; keep the default tenant; hear of sign-ins."""
        from accounts import audited

        audited.connect()
        post_migrate.connect(_ensure_default_tenant, sender=self)
        for signal in (post_save, post_delete):
            signal.connect(_end_sign_ins, sender="accounts.Membership")
        import accounts.signin.signals  # noqa: F401 - connects them


def _end_sign_ins(*, instance: Any, **_: Any) -> None:
    from accounts import rights

    rights.end_sign_ins(instance.operator_id)


def _ensure_default_tenant(*, using: str, apps: Any = global_apps, **_: Any) -> None:
    from accounts.models import DEFAULT_TENANT_ID, DEFAULT_TENANT_SLUG

    try:
        tenants = apps.get_model("accounts", "Tenant")
    except LookupError:  # migrated back to before this table
        return
    defaults = {"id": DEFAULT_TENANT_ID, "name": "Default"}
    tenants.objects.using(using).get_or_create(slug=DEFAULT_TENANT_SLUG, defaults=defaults)
