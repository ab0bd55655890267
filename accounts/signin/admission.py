"""Who may come in from outside, and as what: what follows from the lists for one identity.

The lists are the settings' and the console's together; how an entry is written is entry.py's. Without any nobody comes
in.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts import rights
from accounts.models import AdmissionEntry, Operator, Tenant
from accounts.rights import Membership
from accounts.signin.entry import Entry, read

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has come, as their provider says; `email` only if the provider has verified it."""

    provider: str
    names: frozenset[str]
    email: str = ""
    groups: frozenset[str] = frozenset()
    orgs: frozenset[str] = field(default_factory=frozenset)


def entries(provider: str) -> list[Entry]:
    """Return a provider's list: the settings' entries, then those of the console, without such as mean nothing now."""
    listed = [read(text) for text in settings.PROXY_SIGN_IN_LISTS.get(provider, ())]
    for text in AdmissionEntry.objects.filter(provider=provider).values_list("entry", flat=True):
        try:
            listed.append(read(text))
        except ValueError:
            log.warning("An entry of the console's sign-in list means nothing any more.", extra={"provider": provider})
    return listed


def faults() -> list[str]:
    """Return what is wrong with the lists, one sentence each."""
    found = []
    for texts in settings.PROXY_SIGN_IN_LISTS.values():
        for text in texts:
            try:
                read(text)
            except ValueError as wrong:
                found.append(str(wrong))
    return found


def matching(identity: Identity, listed: Iterable[Entry]) -> list[Entry]:
    """Return the entries that fit an identity; none: it may not come in."""
    return [entry for entry in listed if _fits(identity, entry)]


def apply_roles(operator: Operator, listed: Iterable[Entry], deserved: Iterable[Entry]) -> None:
    """Give the roles that an identity deserves, take back what the same list gave and it no longer deserves."""
    wanted = {(entry.role, entry.tenant) for entry in deserved if entry.role}
    for role, slug in {(entry.role, entry.tenant) for entry in listed if entry.role} - wanted:
        for had in Membership.objects.filter(operator=operator, role=role, tenant__slug=slug or None):
            rights.withdraw(had, by=None)
    for role, slug in wanted:
        tenant = Tenant.objects.filter(slug=slug).first() if slug else None
        if role is not None and (tenant is not None or not slug):  # a tenant that does not exist (yet) gives nothing
            rights.grant(operator, role, tenant, by=None)
    if wanted and not operator.is_staff:
        operator.is_staff = True
        operator.save(update_fields=["is_staff"])
    operator.refresh_from_db()  # whoever has new roles begins a new round of sign-ins


def _fits(identity: Identity, entry: Entry) -> bool:
    match entry.kind:
        case "everyone":
            return True
        case "user":
            return entry.value in identity.names
        case "domain":
            return identity.email.rpartition("@")[2].lower() == entry.value.removeprefix("@")
        case "group":
            return entry.value in identity.groups
        case "org":
            return entry.value in identity.orgs
    return False


def identity_of(provider: str, claims: dict[str, Any], *, groups_claim: str) -> Identity:
    """Return who an issuer's claims describe."""
    email = str(claims.get("email") or "").lower() if claims.get("email_verified") is True else ""
    groups = claims.get(groups_claim) or ()
    groups = [groups] if isinstance(groups, str) else groups
    names = {str(claims["sub"]).lower(), email} - {""}
    return Identity(provider, frozenset(names), email, frozenset(str(group).lower() for group in groups))
