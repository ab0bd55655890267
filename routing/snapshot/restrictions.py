"""The lists of tenants and keys as a Snapshot holds them, by the id of who has any: two queries."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Q

from accounts.models import ApiKey, Tenant
from accounts.profile import lines_of
from accounts.restricted import LISTS
from routing import provider_env
from routing.permits import Permit
from routing.providers import Provider


def read(tenants: Iterable[Tenant], providers: Mapping[str, Provider]) -> Mapping[UUID, Permit]:
    """Return the permits of those who are restricted; most are not."""
    says_something = Q()
    for name in LISTS:
        says_something |= ~Q(**{name: ""})
    rows: list[ApiKey | Tenant] = [row for row in tenants if row.is_restricted]
    rows += [row for row in ApiKey.objects.filter(says_something).only("id", *LISTS) if row.is_restricted]
    return {row.id: permit(row.lists, providers) for row in rows}


def permit(lists: tuple[str, ...], providers: Mapping[str, Provider]) -> Permit:
    """Return four texts, in the order of LISTS, as what they permit."""
    models, denied_models, allowed, denied = lists
    return Permit(
        models=_globs(models),
        denied_models=_globs(denied_models),
        providers=_ids(allowed, providers),
        denied_providers=_ids(denied, providers),
    )


def _globs(text: str) -> tuple[str, ...]:
    return tuple(line.lower() for line in lines_of(text))


def _ids(text: str, providers: Mapping[str, Provider]) -> tuple[str, ...]:
    return tuple(provider_env.canonical(glob, providers) for glob in _globs(text))
