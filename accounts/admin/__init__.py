"""The console's pages for keys, tenants and operators. Credentials need the registry: routing/credential_admin.py."""

from accounts.admin import keys, operators, tenants

__all__ = ["keys", "operators", "tenants"]
