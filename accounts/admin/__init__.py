"""The console's pages for keys, tenants, profiles, operators and the audit. Credentials need the registry, which is
routing's."""

from accounts.admin import admitted, audit, keys, members, operators, profiles, settings, tenants, unlisted

__all__ = ["admitted", "audit", "keys", "members", "operators", "profiles", "settings", "tenants", "unlisted"]
