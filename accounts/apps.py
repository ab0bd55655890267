"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Tenants and keys."""

    name = "accounts"
    verbose_name = "Tenants and keys"
