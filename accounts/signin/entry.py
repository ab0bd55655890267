"""One entry of a list of who may come in from outside, as it is written.

It is `kind:value`, with `=role` or `=role@tenant` behind it where the identity gets that role. Kinds are `user`
(GitHub name, or subject or verified e-mail at an issuer), `org` (GitHub organisation), `domain` (of a verified e-mail
address), `group` (an issuer's claim) and `everyone`.
"""

from dataclasses import dataclass

from django.conf import settings

from accounts.roles import OF_A_TENANT, Role

KINDS = frozenset({"user", "org", "domain", "group", "everyone"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: who, and the role they get, if any; `tenant` is a short name."""

    kind: str
    value: str = ""
    role: Role | None = None
    tenant: str = ""


def read(text: str) -> Entry:
    """Read one entry; raises ValueError with a sentence."""
    who, _, role = text.partition("=")
    kind, _, value = who.strip().partition(":")
    name, _, tenant = role.strip().partition("@")
    if kind not in KINDS or (not value and kind != "everyone"):
        raise ValueError(f"“{text}” must be user:, org:, domain: or group: with a value, or everyone.")
    if name and name not in Role.values:
        raise ValueError(f"“{name}” is no role; there are {', '.join(Role.values)}.")
    found = Role(name) if name else None
    if found is not None and (found in OF_A_TENANT) != bool(tenant):
        raise ValueError(f"“{text}”: a role of a tenant is written role@tenant, the others without.")
    if found == Role.OWNER and not settings.PROXY_SIGN_IN_GRANTS_OWNER:
        raise ValueError("A list makes nobody an owner unless PROXY_SIGN_IN_GRANTS_OWNER is on.")
    return Entry(kind, value.strip().lower(), found, tenant.strip())
