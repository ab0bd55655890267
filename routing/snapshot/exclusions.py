"""Which models are not to be had from a provider that lists them: rows of the console and EXCLUDED_PROVIDER_MODELS."""

from collections import defaultdict
from collections.abc import Mapping

from django.conf import settings

from routing import provider_env
from routing.models import ModelExclusion
from routing.providers import Provider


def excluded(providers: Mapping[str, Provider], faults: list[str]) -> Mapping[str, tuple[str, ...]]:
    """Return globs of models in lower case by provider; add a sentence to `faults` for words that cannot be read."""
    found: dict[str, list[str]] = defaultdict(list)
    for word in settings.EXCLUDED_PROVIDER_MODELS:
        provider_id, mark, pattern = word.partition(":")
        if not mark or not pattern.strip():
            faults.append(f"EXCLUDED_PROVIDER_MODELS: {word!r} is not of the form provider:model. It is left out.")
            continue
        found[provider_env.canonical(provider_id.strip().lower(), providers)].append(pattern.strip().lower())
    for row in ModelExclusion.objects.all():
        found[provider_env.canonical(row.provider_id, providers)].append(row.pattern.lower())
    return {provider_id: tuple(dict.fromkeys(patterns)) for provider_id, patterns in found.items()}
