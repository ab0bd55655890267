"""The console's pages for keys, tenants, profiles and operators. Credentials need the registry, which is
routing's."""

from accounts.admin import keys, operators, profiles, tenants

__all__ = ["keys", "operators", "profiles", "tenants"]
