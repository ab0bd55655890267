"""What a key may be given: never more than its maker has (security A6)."""

from collections.abc import Iterable
from uuid import UUID

from accounts import key_line, scopes
from accounts.limit import Limit
from accounts.models import ApiKey
from accounts.rights import Right, Who
from accounts.roles import SCOPES


def may_give(who: Who, scope: str, tenant_id: UUID, *, own: frozenset[str] | None = None) -> bool:
    """Tell whether this scope gives a key of that tenant nothing that its maker lacks; `own` are the scopes of a maker
    that is a key itself."""
    if own is not None and scope not in own:
        return False
    if scope == scopes.FILES:  # files lie in accounts that all tenants share
        return own is not None or who.may(Right.KEYS_WRITE)
    return all(who.may(right, tenant_id) for right in SCOPES.get(scope, ()))


def lacking(who: Who, wanted: Iterable[str], tenant_id: UUID, *, own: frozenset[str] | None = None) -> str:
    """Return the first of these scopes that the maker may not give; empty if there is none."""
    return next((scope for scope in wanted if not may_give(who, scope, tenant_id, own=own)), "")


def bound(maker: ApiKey) -> str:
    """Say why a key may make and widen no other; empty if it may. What binds it would not bind the other."""
    if maker.is_restricted or maker.networks.strip() or Limit.objects.filter(key__in=key_line.of(maker.pk)).exists():
        return "This key is bound by lists or limits of its own, which another key would not be."
    return ""
