"""What the console says of looks at the providers' lists: how the last ones went, and what a new one found."""

import logging
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest

from accounts.admin.base import ago
from accounts.asking import Asker, TooManyWaiting
from proxx.kit import clock
from routing import reload
from routing.catalog import refresh
from routing.catalog.merge import Look
from routing.models import CatalogState
from routing.snapshot.building import FRESH_SECONDS

log = logging.getLogger(__name__)

PATIENCE = 3.0  # seconds that a page waits for answers
_asker = Asker("list-refresh", waiting_limit=2)


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
            "id": provider_id,
            "label": snapshot.providers[provider_id].label,
            "count": state.count if (state := states.get(provider_id)) else 0,
            "looked": looked(states.get(provider_id)),
            "fault": bool(state and state.fault),
            "stale": is_stale(state),
        }
        for provider_id in found
    ]


def is_stale(state: CatalogState | None) -> bool:
    """Tell whether a list is so old that it no longer proves what a provider lacks."""
    return bool(
        state and state.count and state.fetched_at and clock.unix() - state.fetched_at.timestamp() >= FRESH_SECONDS
    )


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
    fault = state.fault.removesuffix(".") if before else state.fault
    return f"tried {ago(state.tried_at)}: {fault}{before}"


def look(request: HttpRequest, provider_ids: Sequence[str] | None) -> None:
    """Ask the providers beside the page, and tell what they said if they are quick; otherwise the page shows it later.

    In a thread of this process and not by the worker: that may not run, and nobody could tell.
    """
    try:
        asked = _asker.ask(lambda: refresh.refresh(provider_ids))
        tell(request, asked.result(PATIENCE))
    except TooManyWaiting:
        messages.info(request, "The providers are being asked already. Reload this page in some seconds.")
    except TimeoutError:
        messages.info(request, "Some providers take their time. Reload this page in some seconds.")
    except DatabaseError:
        log.exception("Lists of models could not be stored.")
        messages.error(request, "The lists could not be stored: the database has a fault.")


def tell(request: HttpRequest, looks: Sequence[Look]) -> None:
    """Tell the operator what a look found, and whose list could not be read."""
    good = [look for look in looks if not look.fault]
    providers = f"{len(good)} provider{'' if len(good) == 1 else 's'}"
    messages.success(request, f"{sum(len(look.models) for look in good)} models from {providers}.")
    for look in looks:
        if look.fault:
            messages.warning(request, f"{look.provider_id}: {look.fault}")
