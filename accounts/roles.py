"""What one may do here, and which roles may do it: two tables, deny by default.

A right is held in the whole house or in single tenants; who holds what is rights.py's. What is not in `PAGES` is
nobody's but an owner's.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.db import models


class Right(StrEnum):
    """One thing that one may do."""

    TENANTS_READ = "tenants:read"
    TENANTS_WRITE = "tenants:write"
    SETTINGS_READ = "settings:read"  # a tenant's proxy settings
    SETTINGS_WRITE = "settings:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"  # with the limits of a key: a tenant's own limits bound them anyway
    KEYS_OWN = "keys:own"  # to issue keys, and to see and end those that one issued
    LIMITS_READ = "limits:read"
    LIMITS_WRITE = "limits:write"  # of tenants and keys
    USAGE_READ = "usage:read"  # sums and costs
    REQUESTS_READ = "requests:read"  # records of single calls, without what was said
    REQUESTS_WRITE = "requests:write"  # tags on them
    BODIES_READ = "bodies:read"  # prompts and answers
    AUDIT_READ = "audit:read"
    PROFILES_READ = "profiles:read"
    PROFILES_WRITE = "profiles:write"
    ROUTING_READ = "routing:read"  # providers, models, rules, listeners, health, quota
    ROUTING_WRITE = "routing:write"
    PRICES_READ = "prices:read"
    PRICES_WRITE = "prices:write"
    CREDENTIALS_READ = "credentials:read"  # names and states: no right shows a secret
    CREDENTIALS_WRITE = "credentials:write"
    OPERATORS_READ = "operators:read"
    OPERATORS_WRITE = "operators:write"  # with everybody's roles


class Role(models.TextChoices):
    """What somebody is here, in the whole house or in one tenant."""

    OWNER = "owner", "Owner"
    OPERATOR = "operator", "Operator"
    AUDITOR = "auditor", "Auditor"
    BILLING = "billing", "Billing"
    TENANT_ADMIN = "tenant_admin", "Tenant admin"
    TENANT_MEMBER = "tenant_member", "Tenant member"


EVERYTHING: Final = frozenset(Right)
# Given to one person by name, never by a role.
NAMED_ONLY: Final = frozenset({Right.BODIES_READ})
READING: Final = frozenset(right for right in Right if right.endswith(":read")) - NAMED_ONLY

_MEMBER: Final = frozenset(
    {Right.TENANTS_READ, Right.SETTINGS_READ, Right.KEYS_OWN, Right.USAGE_READ, Right.REQUESTS_READ}
)

ROLES: Final[Mapping[Role, frozenset[Right]]] = {
    Role.OWNER: EVERYTHING - NAMED_ONLY,
    Role.OPERATOR: EVERYTHING - NAMED_ONLY - {Right.OPERATORS_READ, Right.OPERATORS_WRITE, Right.MEMBERS_WRITE},
    Role.AUDITOR: READING,
    Role.BILLING: frozenset(
        {
            Right.TENANTS_READ,
            Right.KEYS_READ,
            Right.LIMITS_READ,
            Right.LIMITS_WRITE,
            Right.USAGE_READ,
            Right.REQUESTS_READ,
            Right.PRICES_READ,
            Right.PRICES_WRITE,
        }
    ),
    Role.TENANT_ADMIN: _MEMBER
    | {
        Right.REQUESTS_WRITE,
        Right.SETTINGS_WRITE,
        Right.MEMBERS_READ,
        Right.MEMBERS_WRITE,
        Right.KEYS_READ,
        Right.KEYS_WRITE,
        Right.LIMITS_READ,
        Right.AUDIT_READ,
    },
    Role.TENANT_MEMBER: _MEMBER,
}

# The roles that one has in a tenant; the others are had in the whole house.
OF_A_TENANT: Final = frozenset({Role.TENANT_ADMIN, Role.TENANT_MEMBER})

SAYS: Final[Mapping[Role, str]] = {
    Role.OWNER: "Everything, operators and their roles included.",
    Role.OPERATOR: "Everything except operators, members and their roles.",
    Role.AUDITOR: "Looks at everything, the audit included; changes nothing.",
    Role.BILLING: "Usage, costs and requests; changes prices and limits.",
    Role.TENANT_ADMIN: "The tenant's keys, members, settings, usage, requests and audit; sees its limits.",
    Role.TENANT_MEMBER: "The tenant's usage and requests, and keys of their own.",
}

# What a key with a scope for control may do, in its own tenant only.
SCOPES: Final[Mapping[str, frozenset[Right]]] = {
    "usage:read": frozenset({Right.USAGE_READ}),
    "control:read": ROLES[Role.TENANT_ADMIN] & READING,
    "control:write": ROLES[Role.TENANT_ADMIN] - {Right.MEMBERS_WRITE, Right.AUDIT_READ, Right.KEYS_OWN},
}

# The rights to look at and to change each table's pages. A table without a line is an owner's alone.
PAGES: Final[Mapping[str, tuple[Right, Right]]] = {
    "accounts.apikey": (Right.KEYS_READ, Right.KEYS_WRITE),
    "accounts.auditentry": (Right.AUDIT_READ, Right.AUDIT_READ),
    "accounts.credential": (Right.CREDENTIALS_READ, Right.CREDENTIALS_WRITE),
    "accounts.limit": (Right.LIMITS_READ, Right.LIMITS_WRITE),
    "accounts.membership": (Right.MEMBERS_READ, Right.MEMBERS_WRITE),
    "accounts.operator": (Right.OPERATORS_READ, Right.OPERATORS_WRITE),
    "accounts.profile": (Right.PROFILES_READ, Right.PROFILES_WRITE),
    "accounts.tenant": (Right.TENANTS_READ, Right.TENANTS_WRITE),
    "accounts.tenantsettings": (Right.SETTINGS_READ, Right.SETTINGS_WRITE),
    "analytics.alert": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "analytics.alertrule": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "analytics.requestlog": (Right.REQUESTS_READ, Right.REQUESTS_WRITE),
    "analytics.usagerollup": (Right.USAGE_READ, Right.USAGE_READ),
    "routing.catalogmodel": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "routing.factsetting": (Right.PRICES_READ, Right.PRICES_WRITE),
    "routing.listener": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "routing.modelexclusion": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "routing.modelpreference": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "routing.policyrule": (Right.ROUTING_READ, Right.ROUTING_WRITE),
    "routing.providersetting": (Right.ROUTING_READ, Right.ROUTING_WRITE),
}
# Rights that hold for some rows where another one holds for all.
INSTEAD: Final[Mapping[Right, Right]] = {Right.KEYS_READ: Right.KEYS_OWN, Right.KEYS_WRITE: Right.KEYS_OWN}


def rights_for(table: str) -> tuple[Right, Right]:
    """Return the rights to look at and to change a table (`accounts.apikey`)."""
    return PAGES.get(table, (Right.OPERATORS_WRITE, Right.OPERATORS_WRITE))


def right_for(permission: str) -> Right:
    """Return the right behind one of Django's permissions (`accounts.view_apikey`)."""
    app, _, codename = permission.partition(".")
    act, _, model = codename.partition("_")
    look, change = rights_for(f"{app}.{model}")
    return {"view": look, "add": change, "change": change, "delete": change}.get(act, Right.OPERATORS_WRITE)
