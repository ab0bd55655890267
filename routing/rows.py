"""The console's rows of providers: one for each shipped provider, and what a row makes of its provider."""

from collections.abc import Mapping
from typing import Any

from routing import provider_env, providers
from routing.models import ProviderSetting
from routing.providers import Provider


def lay_out(using: str = "default", **_: Any) -> None:
    """Add the missing rows. An untouched row says nothing, so this changes no configuration and raises no number."""
    known = set(ProviderSetting.objects.using(using).values_list("provider_id", flat=True))
    missing = [ProviderSetting(provider_id=one) for one in providers.load() if one not in known]
    ProviderSetting.objects.using(using).bulk_create(missing, ignore_conflicts=True)


def applied(row: ProviderSetting, found: Mapping[str, Provider]) -> Provider | None:
    """Return the row's provider, taken from what the environment left and with the row's words applied.

    The environment may have renamed it; then the new id counts. Nothing, if the environment left a shipped provider
    out and the row names no address of its own; `ProviderFault` and the errors of damaged JSON come through.
    """
    known = found.get(provider_env.canonical(row.provider_id, found))
    if known is None and not row.is_private:
        return row.applied_to(providers.load()[row.provider_id]) if row.base_url else None
    return row.applied_to(known)
