"""What the console says of looks at the providers' lists: how the last ones went, and what a new one found."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from accounts.admin.base import ago
from routing import reload
from routing.catalog.merge import Look
from routing.models import CatalogState


def lists() -> list[dict[str, Any]]:
    """Return label, number of models and last look of every provider that can be called, in the order of use.

    Left out is a usual local address that nobody configured, as long as nobody answers there.
    """
    snapshot = reload.current()
    states = CatalogState.objects.in_bulk(list(snapshot.order))
    found = [
        provider_id
        for provider_id in snapshot.order
        if provider_id in snapshot.credentials
        or snapshot.providers[provider_id].base_is_set
        or ((state := states.get(provider_id)) and state.count)
    ]
    return [
        {
            "label": snapshot.providers[provider_id].label,
            "count": state.count if (state := states.get(provider_id)) else 0,
            "looked": looked(states.get(provider_id)),
            "fault": bool(state and state.fault),
        }
        for provider_id in found
    ]


def has_accounts() -> bool:
    """Tell whether any credential can be used."""
    return bool(reload.current().credentials)


def looked(state: CatalogState | None) -> str:
    """Say when a list was read, and the fault if the last try failed."""
    if state is None or state.tried_at is None:
        return "not looked at yet"
    if not state.fault:
        return f"looked at {ago(state.fetched_at)}"
    before = f"; last read {ago(state.fetched_at)}" if state.fetched_at else ""
    return f"tried {ago(state.tried_at)}: {state.fault}{before}"


def tell(request: HttpRequest, looks: Sequence[Look]) -> None:
    """Tell the operator what a look found, and whose list could not be read."""
    good = [look for look in looks if not look.fault]
    providers = f"{len(good)} provider{'' if len(good) == 1 else 's'}"
    messages.success(request, f"{sum(len(look.models) for look in good)} models from {providers}.")
    for look in looks:
        if look.fault:
            messages.warning(request, f"{look.provider_id}: {look.fault}")
