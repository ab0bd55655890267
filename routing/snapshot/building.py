"""build(): read every configured row once and paint the picture. Runs in a worker thread, never on the event loop."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from accounts import limits
from accounts.fields import reveal
from accounts.keeping import share_of
from accounts.models import Credential, Tenant
from accounts.restricted import origins
from oauth import held
from oauth.models import OAuthAccount
from proxx.kit import clock
from proxx.kit.sealing import SealBroken, Secret
from routing import provider_env, revision
from routing import rows as provider_rows
from routing.models import CatalogModel, CatalogState, ModelPreference, ProviderSetting
from routing.pricing import Price, rate_of
from routing.providers import Provider, ProviderFault, generic
from routing.snapshot import entrances, knowing, restrictions, ruling
from routing.snapshot.exclusions import excluded
from routing.snapshot.listing import Listing
from routing.snapshot.views import Catalog, CredentialView, Snapshot, TenantView

# Six missed looks (one each ten minutes) make a list old: then absence from it proves nothing any more.
FRESH_SECONDS = 3600.0


@dataclass(slots=True)
class _Desk:
    """What is gathered while building."""

    now: float
    providers: dict[str, Provider]
    faults: list[str]
    stale_at: float = float("inf")
    signed_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def build() -> Snapshot:
    """Read the configuration and return its picture; rows that cannot be used are left out with a sentence.

    Faults of the database come through as Django's exceptions: then there is no picture, and the old one stays.
    """
    # First, so that a change while we read shows as a newer number afterwards.
    number = revision.number()
    providers, faults = provider_env.configured()
    desk = _Desk(clock.unix(), providers, [*faults])
    _apply_rows(desk)
    credentials = _credentials(desk)
    order, named = _order(desk.providers, credentials)
    rows = [*CatalogModel.objects.filter(provider_id__in=order)]
    catalogs = _catalogs(desk, rows, credentials)
    preferences = [*ModelPreference.objects.all()]
    tenants = [*Tenant.objects.all()]
    rules = ruling.read(desk.providers, desk.faults)
    exclusions = excluded(desk.providers, desk.faults)
    entered = entrances.read()
    desk.faults.extend(entered.faults)
    known = knowing.known(rows)
    listing = Listing(order, desk.providers, rows, preferences, tuple(settings.PROXY_MODELS), known)
    return Snapshot(
        revision=number,
        providers=desk.providers,
        credentials=credentials,
        tenants=_tenants(tenants),
        permits=restrictions.read(tenants, desk.providers),
        models=listing.models(),
        order=order,
        named=named,
        catalogs=catalogs,
        declared=listing.declared,
        disabled=listing.disabled,
        preferred=listing.preferred,
        aliases=listing.aliases,
        exclusions=exclusions,
        limits=limits.read(),
        rules=rules,
        image_model=settings.PROXY_IMAGE_REQUEST_MODEL,
        prefixes=_prefixes(desk.providers),
        local_patterns=tuple(settings.LOCAL_OLLAMA_MODEL_PATTERNS) if settings.LOCAL_OLLAMA_ENABLED else (),
        profiles=entered.profiles,
        hosts=entered.hosts,
        ports=entered.ports,
        faults=tuple(desk.faults),
        stale_at=desk.stale_at,
        signed_out={provider_id: tuple(labels) for provider_id, labels in desk.signed_out.items()},
        counts_calls=any(view.at_once for views in credentials.values() for view in views),
        known=known,
    )


def _apply_rows(desk: _Desk) -> None:
    for row in ProviderSetting.objects.all():
        try:
            if (provider := provider_rows.applied(row, desk.providers)) is not None:
                desk.providers[provider.id] = provider
        except (ProviderFault, TypeError, ValueError, KeyError, AttributeError) as fault:
            desk.providers.pop(provider_env.canonical(row.provider_id, desk.providers), None)
            said = (
                str(fault)
                if isinstance(fault, ProviderFault)
                else f"The row of provider {row.provider_id!r} is damaged."
            )
            desk.faults.append(f"{said} The provider is left out.")


def _credentials(desk: _Desk) -> Mapping[str, tuple[CredentialView, ...]]:
    found: dict[str, list[CredentialView]] = defaultdict(list)
    usable = Credential.objects.filter(enabled=True).select_related("sign_in")
    for row in usable.order_by("priority", "created_at", "id"):
        provider_id = provider_env.canonical(row.provider_id, desk.providers)
        account = getattr(row, "sign_in", None)
        # A token that is renewed has no end that matters here: who sends it looks for itself (oauth/held.py).
        expires = row.expires_at.timestamp() if row.expires_at and not (account and account.can_renew) else None
        if expires is not None and expires <= desk.now:
            if account is not None and account.state == account.State.SIGN_IN_AGAIN:
                desk.signed_out[provider_id].append(row.label or account.email or row.masked)
            continue
        if provider_id not in desk.providers and not _invent(desk, provider_id, row):
            continue
        try:
            secret = _secret_of(row, account)
        except SealBroken as fault:
            desk.faults.append(f"A credential of provider {provider_id!r} cannot be opened: {fault}")
            continue
        provider = desk.providers[provider_id]
        if provider.needs_key and not secret:
            continue
        if not provider.enabled or not provider.base_for(
            oauth=row.kind == Credential.Kind.OAUTH_BEARER, own=row.base_url
        ):
            continue
        if expires is not None:
            desk.stale_at = min(desk.stale_at, expires)
        found[provider_id].append(
            CredentialView(
                id=row.id,
                provider_id=provider_id,
                label=row.label,
                kind=row.kind,
                secret=secret,
                account_id=row.account_id,
                priority=row.priority,
                weight=row.weight,
                base_url=row.base_url,
                chatgpt_account_id=row.chatgpt_account_id,
                plan_type=row.plan_type.lower(),
                at_once=row.at_once,
                sign_in=account.sign_in if account is not None else "",
            )
        )
    return {provider_id: tuple(views) for provider_id, views in found.items()}


def _secret_of(row: Credential, account: OAuthAccount | None) -> Secret:
    if account is None:
        return reveal(row)
    held.take_row(account)
    return held.LiveSecret(row.id, account.signed_in_at)


def _invent(desk: _Desk, provider_id: str, row: Credential) -> bool:
    """Make a provider of a credential that brings its own base URL; without one nobody knows where it belongs."""
    try:
        if row.base_url:
            desk.providers[provider_id] = generic(provider_id, "")
            return True
        desk.faults.append(f"Provider {provider_id!r} is not known; its credentials need a base URL.")
    except ProviderFault as fault:
        desk.faults.append(f"{fault} Its credentials are left out.")
    return False


def _order(
    providers: Mapping[str, Provider], credentials: Mapping[str, tuple[CredentialView, ...]]
) -> tuple[tuple[str, ...], int]:
    callable_ids = {
        provider.id
        for provider in providers.values()
        if provider.enabled and (provider.id in credentials or (not provider.needs_key and provider.base_url))
    }
    named = [one for one in provider_env.named_first(providers, callable_ids) if one in callable_ids]
    rest = sorted(callable_ids - set(named), key=lambda provider_id: (providers[provider_id].priority, provider_id))
    return (*named, *rest), len(named)


def _is_whole(provider: Provider, credentials: tuple[CredentialView, ...]) -> bool:
    """Tell whether the provider's list names all that its accounts have; few providers have a surface that does not."""
    return all(surface.lists_all for surface in provider.surfaces) or all(
        provider.lists_all_at(provider.base_for(oauth=one.kind == Credential.Kind.OAUTH_BEARER, own=one.base_url))
        for one in credentials
    )


def _catalogs(
    desk: _Desk, rows: list[CatalogModel], credentials: Mapping[str, tuple[CredentialView, ...]]
) -> Mapping[str, Catalog]:
    ids: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        ids[row.provider_id].setdefault(row.model_id.lower(), row.model_id)
    looked = {
        provider_id: at.timestamp() if at else 0.0
        for provider_id, at in CatalogState.objects.filter(fetched_at__isnull=False).values_list(
            "provider_id", "fetched_at"
        )
    }
    for provider_id in ids:
        old_at = looked.get(provider_id, 0.0) + FRESH_SECONDS
        if old_at > desk.now:
            desk.stale_at = min(desk.stale_at, old_at)
    return {
        provider_id: Catalog(
            names,
            looked.get(provider_id, 0.0) + FRESH_SECONDS > desk.now,
            looked.get(provider_id, 0.0),
            _is_whole(desk.providers[provider_id], credentials.get(provider_id, ())),
        )
        for provider_id, names in ids.items()
    }


def _tenants(rows: Iterable[Tenant]) -> Mapping[UUID, TenantView]:
    return {
        row.id: TenantView(
            id=row.id,
            slug=row.slug,
            is_active=row.is_active,
            answer_with_alias=row.answer_with_alias,
            profile_id=row.profile_id,
            image_model=row.image_model,
            unpriced=row.unpriced,
            fallback=Price(input=rate_of(row.fallback_input), output=rate_of(row.fallback_output), source="fallback")
            if row.unpriced == Tenant.Unpriced.FALLBACK
            else None,
            fast=row.fast_mode,
            passthrough=row.passthrough_account_id,
            origins=origins([row.networks]),
            bodies=share_of(row.bodies, row.bodies_percent),
        )
        for row in rows
    }


def _prefixes(providers: Mapping[str, Provider]) -> tuple[tuple[str, str], ...]:
    pairs = [
        (prefix.lower(), provider.id)
        for provider in providers.values()
        for prefix in (*provider.prefixes, *(f"{alias}{mark}" for alias in provider.aliases for mark in "/:"))
        if prefix
    ]
    return tuple(sorted(dict(reversed(pairs)).items(), key=lambda pair: (-len(pair[0]), pair[0])))
