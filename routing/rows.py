"""The console's rows of providers: one for each that can be called, and what a row makes of its provider.

Shipped providers have theirs from the start. One that only a keys file or a credential's own base URL knows gets its
row with the credential, and loses it with the last one, unless an operator said something there.
"""

from collections.abc import Mapping
from typing import Any

from accounts.models import Credential
from routing import provider_env, providers
from routing.models import ProviderSetting
from routing.providers import Provider


def lay_out(using: str = "default", **_: Any) -> None:
    """Add the missing rows. An untouched row says nothing, so this changes no configuration and raises no number."""
    known = set(ProviderSetting.objects.using(using).values_list("provider_id", flat=True))
    missing = [ProviderSetting(provider_id=one) for one in providers.load() if one not in known]
    ProviderSetting.objects.using(using).bulk_create(missing, ignore_conflicts=True)
    for provider_id in Credential.objects.using(using).order_by().values_list("provider_id", flat=True).distinct():
        follow(provider_id, using)


def follow(provider_id: str, using: str = "default") -> None:
    """Give a provider that credentials brought its untouched row, or take it back when they are gone."""
    found, _ = provider_env.configured()
    known = found.get(provider_env.canonical(provider_id, found))
    if provider_id in providers.load() or (known is not None and known.shipped):
        return
    held = Credential.objects.using(using).filter(provider_id=provider_id)
    kept = ProviderSetting.objects.using(using).filter(provider_id=provider_id).first()
    if kept is None:
        if (held if known is not None else held.exclude(base_url="")).exists():
            row = ProviderSetting(provider_id=provider_id)
            ProviderSetting.objects.using(using).bulk_create([row], ignore_conflicts=True)
    elif not kept.words() and not kept.notes and not held.exists():
        ProviderSetting.objects.using(using).filter(pk=kept.pk).delete()


def credential_changed(instance: Credential, using: str, raw: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002 - Django's signature
    """Hear that a credential was stored or deleted."""
    if not raw:
        follow(instance.provider_id, using)


def applied(row: ProviderSetting, found: Mapping[str, Provider]) -> Provider | None:
    """Return the row's provider, taken from what the environment left and with the row's words applied.

    The environment may have renamed it; then the new id counts. Nothing, if the environment left a shipped provider
    out and the row names no address of its own; `ProviderFault` and the errors of damaged JSON come through.
    """
    known = found.get(provider_env.canonical(row.provider_id, found))
    if known is None and not row.is_private:
        return row.applied_to(providers.load()[row.provider_id]) if row.base_url else None
    return row.applied_to(known)
