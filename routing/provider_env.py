"""The registry as the operator's environment leaves it: ids, base URLs, paths and prefixes, or switched off.

Which variables a provider listens to is data (`env_*` in providers.toml); the general ones are named here. A value
that cannot be used takes its provider out, with a sentence: its key must not go to the shipped address instead.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache

from django.conf import settings

from routing.addresses import base_url_fault
from routing.providers import (
    USUAL_PATHS,
    Provider,
    ProviderFault,
    checked,
    generic,
    load,
    overlaid,
    usual_prefixes,
)

# The paths of providers whose entry names none of their own.
PATH_VARIABLES = {
    "openai_chat": "UPSTREAM_CHAT_COMPLETIONS_PATH",
    "openai_responses": "UPSTREAM_RESPONSES_PATH",
    "anthropic": "UPSTREAM_MESSAGES_PATH",
    "openai_images": "UPSTREAM_IMAGES_GENERATIONS_PATH",
}


def configured() -> tuple[dict[str, Provider], tuple[str, ...]]:
    """Return the providers by id as the environment leaves them, and a sentence per fault."""
    environment = settings.ENVIRONMENT
    said = tuple((name, environment[name]) for name in _names() if name in environment)
    found, faults = _configured(said, settings.UPSTREAM_PROVIDER_ID, tuple(settings.DISABLED_PROVIDER_IDS))
    return dict(found), faults


def canonical(provider_id: str, found: Mapping[str, Provider]) -> str:
    """Return the id under which a provider is known: lower case, other names replaced."""
    wanted = provider_id.strip().lower()
    if wanted in found:
        return wanted
    return next((provider.id for provider in found.values() if wanted in provider.aliases), wanted)


def named_first(found: Mapping[str, Provider], callable_ids: Collection[str]) -> tuple[str, ...]:
    """Return the primary provider and its fallbacks, Factory behind a primary that can be called (F-143, F-144)."""
    primary = canonical(settings.UPSTREAM_PROVIDER_ID, found)
    fallbacks = [canonical(provider_id, found) for provider_id in settings.UPSTREAM_FALLBACK_PROVIDER_IDS]
    factory = ["factory"] if primary in callable_ids else []
    return tuple(dict.fromkeys([primary, *factory, *fallbacks]))


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    """Return the variables that shape providers; keys are not among them."""
    found = {"UPSTREAM_PROVIDER_BASE_URLS", "UPSTREAM_BASE_URL", *PATH_VARIABLES.values()}
    for one in load().values():
        found |= {*one.env_ids, *one.env_base_urls, *one.env_key_base_urls, *one.env_prefixes}
        found |= {name for names in one.env_paths.values() for name in names}
    return tuple(sorted(found))


# Asked many times for each page and each build, always with the same answer.
@lru_cache(maxsize=4)
def _configured(
    said: tuple[tuple[str, str], ...], primary: str, disabled: tuple[str, ...]
) -> tuple[Mapping[str, Provider], tuple[str, ...]]:
    environment = dict(said)
    found: dict[str, Provider] = {}
    faults: list[str] = []
    for shipped in load().values():
        try:
            provider = _applied(shipped, environment)
            if provider.id in found:
                raise ProviderFault(f"Two providers are named {provider.id!r}.")
            found[provider.id] = provider
        except ProviderFault as fault:
            faults.append(f"{fault} It is left out.")
    _apply_base_urls(found, faults, environment, primary)
    for provider_id in disabled:
        known = found.get(canonical(provider_id, found))
        if known:
            found[known.id] = replace(known, enabled=False)
    return found, tuple(faults)


def _applied(provider: Provider, environment: Mapping[str, str]) -> Provider:
    if renamed := _first(environment, provider.env_ids):
        renamed = renamed.lower()
        if renamed != provider.id and renamed in load():
            raise ProviderFault(f"Provider {provider.id!r} cannot take the name of another one.")
        provider = replace(
            provider,
            id=renamed,
            aliases=tuple(dict.fromkeys([*provider.aliases, provider.id])),
            prefixes=tuple(dict.fromkeys([*usual_prefixes(renamed), *provider.prefixes])),
        )
    if base := _first(environment, provider.env_key_base_urls):
        provider = replace(provider, base_url=_sound(provider, base), base_is_set=True)
    if base := _first(environment, provider.env_base_urls):
        provider = overlaid(provider, {"base_url": _sound(provider, base)})
    if prefixes := _first(environment, provider.env_prefixes):
        words = tuple(word.strip() for word in prefixes.split(",") if word.strip())
        provider = replace(provider, prefixes=words)
    return checked(_with_paths(provider, environment))


def _with_paths(provider: Provider, environment: Mapping[str, str]) -> Provider:
    general = {
        name: path
        for name, variable in PATH_VARIABLES.items()
        if provider.paths.get(name) == USUAL_PATHS[name] and (path := _first(environment, (variable,)))
    }
    own = {name: path for name, names in provider.env_paths.items() if (path := _first(environment, names))}
    if not general and not own:
        return provider
    # A provider's own path variable wins everywhere, also where the base URL would call for another path.
    surfaces = tuple(
        replace(surface, paths={**surface.paths, **{name: own[name] for name in own if name in surface.paths}})
        for surface in provider.surfaces
    )
    return replace(provider, paths={**provider.paths, **general, **own}, surfaces=surfaces)


def _apply_base_urls(
    found: dict[str, Provider], faults: list[str], environment: Mapping[str, str], primary: str
) -> None:
    pairs = [
        pair.partition("=") for pair in environment.get("UPSTREAM_PROVIDER_BASE_URLS", "").split(",") if pair.strip()
    ]
    wanted = {canonical(name, found): url.strip() for name, _, url in pairs}
    if base := environment.get("UPSTREAM_BASE_URL", "").strip():
        wanted.setdefault(canonical(primary, found), base)
    for provider_id, base in wanted.items():
        try:
            if fault := base_url_fault(base):
                raise ProviderFault(f"The base URL that the environment gives for provider {provider_id!r} {fault}.")
            known = found.get(provider_id) or generic(provider_id, base)
            found[provider_id] = overlaid(known, {"base_url": base})
        except ProviderFault as fault:
            found.pop(provider_id, None)
            faults.append(f"{fault} The provider is left out.")


def _sound(provider: Provider, base: str) -> str:
    if fault := base_url_fault(base):
        names = " or ".join((*provider.env_base_urls, *provider.env_key_base_urls))
        raise ProviderFault(f"Provider {provider.id!r}: the base URL in {names} {fault}.")
    return base


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environment.get(name, "").strip())), "")
