"""Rows for tests, each with sensible defaults: operator, tenant, key, credential.

Plain functions; any field can be named. They need the database (`db` or `transactional_db`).
"""

import itertools
from dataclasses import dataclass
from typing import Any

from accounts import keys, rights
from accounts.models import DEFAULT_TENANT_ID, ApiKey, Credential, Operator, Tenant
from accounts.rights import Role

UPSTREAM_SECRET = "sk-sim-0123456789abcdef"
OPERATOR_PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with the token that was shown once."""

    row: ApiKey
    token: str

    @property
    def header(self) -> str:
        """Return the Authorization value that carries it."""
        return f"Bearer {self.token}"


def default_tenant() -> Tenant:
    """Return the tenant that always exists."""
    return Tenant.objects.get(pk=DEFAULT_TENANT_ID)


def make_tenant(**fields: Any) -> Tenant:
    """Store a tenant."""
    number = next(_numbers)
    return Tenant.objects.create(**{"slug": f"tenant-{number}", "name": f"Tenant {number}", **fields})


def make_key(tenant: Tenant | None = None, *, label: str = "laptop", **options: Any) -> IssuedKey:
    """Issue a key, to the default tenant unless another is given."""
    row, token = keys.issue(tenant or default_tenant(), label=label, **options)
    return IssuedKey(row, token)


def make_credential(provider_id: str = "openai", *, secret: str = UPSTREAM_SECRET, **fields: Any) -> Credential:
    """Store a credential whose secret the simulated provider takes."""
    label = fields.pop("label", f"account {next(_numbers)}")
    return Credential.objects.create(provider_id=provider_id, secret=secret, label=label, **fields)


def make_operator(*, role: Role | None = Role.OWNER, tenant: Tenant | None = None, **fields: Any) -> Operator:
    """Store an operator with a known password: one with all rights, or with another role; None is no role at all."""
    password = fields.pop("password", OPERATOR_PASSWORD)
    username = fields.pop("username", f"operator-{next(_numbers)}")
    if role == Role.OWNER:
        return Operator.objects.create_superuser(username=username, password=password, **fields)
    operator = Operator.objects.create_user(username=username, password=password, is_staff=True, **fields)
    if role is not None:
        rights.grant(operator, role, tenant, by=None)
        operator.refresh_from_db()
    return operator
