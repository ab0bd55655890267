"""A model name -> what is meant: one provider by prefix, or any provider that has it. What an alias stands for comes
from targets.py before.

A prefix names a provider only if that provider can be called, or if nobody else could mean the whole name:
`meta-llama/llama-3` and, without an OpenAI key, `openai/gpt-x` are vendor paths of a router's own catalogue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from routing.providers import Provider
from routing.snapshot import Catalog, Snapshot

# Families that never run on a local Ollama, whatever their tag looks like.
HOSTED = ("gpt-", "openai/", "openai:", "chatgpt-", "o1", "o3", "o4")
LOCAL_PROVIDER = "ollama"


@dataclass(frozen=True, slots=True)
class Stop:
    """One provider on the way, and the name it knows the model by."""

    provider_id: str
    model: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """Where a name leads, in order; without stops `refusal` says why."""

    stops: tuple[Stop, ...]
    refusal: str | None = None
    skipped: tuple[tuple[str, str], ...] = ()  # provider id, exclusion code


def meaning(name: str, snapshot: Snapshot) -> Meaning:
    """Return where a name (not an alias any more) leads."""
    if snapshot.is_disabled(name):
        return Meaning((), "model_disabled")
    for prefix, provider_id in snapshot.prefixes:
        if name.lower().startswith(prefix):
            # An empty remainder keeps the whole name (F-047).
            return _by_prefix(name, name[len(prefix) :].strip() or name, provider_id, snapshot)
    return _by_name(name, snapshot)


def _by_prefix(name: str, rest: str, provider_id: str, snapshot: Snapshot) -> Meaning:
    if snapshot.is_disabled(rest):
        return Meaning((), "model_disabled")
    if provider_id in snapshot.order:
        provider = snapshot.providers[provider_id]
        catalog = snapshot.catalogs.get(provider_id)
        # A router may list a model under its own name as vendor: `openrouter/auto`.
        for candidate in (rest, name):
            if spelling := spelling_at(provider, catalog, candidate):
                return Meaning((Stop(provider_id, spelling),))
        if accepts(provider, catalog, rest) or rest.lower() in snapshot.declared:
            return Meaning((Stop(provider_id, upstream_name(provider, rest)),))
        listed = _by_name(name, snapshot, only_listed=True)
        return listed if listed.stops else Meaning((), "unknown_model", ((provider_id, "not_listed"),))
    vendor_path = _by_name(name, snapshot)
    if vendor_path.stops:
        return vendor_path
    if snapshot.providers[provider_id].enabled:
        code = "no_account" if snapshot.order else "no_credentials"
        return Meaning((), code, ((provider_id, "no_credentials"),))
    return Meaning((), "provider_unknown", ((provider_id, "provider_disabled"),))


def _by_name(name: str, snapshot: Snapshot, *, only_listed: bool = False) -> Meaning:
    ranked: list[tuple[int, int, Stop]] = []
    skipped: list[tuple[str, str]] = []
    is_declared = name.lower() in snapshot.declared
    local = is_local(name, snapshot)
    for place, provider_id in enumerate(snapshot.order):
        provider, catalog = snapshot.providers[provider_id], snapshot.catalogs.get(provider_id)
        spelling = spelling_at(provider, catalog, name)
        if spelling:
            rank = 0
        elif only_listed:
            continue
        elif accepts(provider, catalog, name) and (
            _may_guess(provider, place, snapshot) or (local and provider_id == LOCAL_PROVIDER)
        ):
            rank = 1 if any(fnmatchcase(name.lower(), glob) for glob in provider.home) else 2
        elif is_declared and catalog:
            rank = 3
        else:
            skipped.append((provider_id, "not_listed"))
            continue
        if local and provider_id == LOCAL_PROVIDER:
            rank = -2
        elif place < snapshot.named:
            rank = -1
        ranked.append((rank, place, Stop(provider_id, spelling or upstream_name(provider, name))))
    if ranked:
        return Meaning(tuple(stop for _, _, stop in sorted(ranked, key=lambda row: row[:2])), None, tuple(skipped))
    # Without any credential and any catalogue nothing can be known about the model.
    ignorant = not snapshot.credentials and not snapshot.catalogs
    return Meaning((), "no_credentials" if ignorant else "unknown_model", tuple(skipped))


def spelling_at(provider: Provider, catalog: Catalog | None, name: str) -> str | None:
    """Return the provider's own spelling of a model it lists: case, `:latest` and vendor prefix aside."""
    if catalog is None:
        return None
    key = name.lower()
    for form in (key, f"{key}:latest", key.removesuffix(":latest"), upstream_name(provider, key)):
        if form in catalog.ids:
            return catalog.ids[form]
    return None


def accepts(provider: Provider, catalog: Catalog | None, name: str) -> bool:
    """Tell whether a provider may have a model that it does not list: its list is missing, old, partial or late."""
    if catalog is None or not catalog.is_fresh or not catalog.is_whole:
        return True
    return name.lower().startswith("glm-") and any(listed.startswith("glm-") for listed in catalog.ids)


def misnamed(name: str, snapshot: Snapshot) -> str:
    """Say what is wrong with the provider named before the model; empty if none is named, or it has an account."""
    for prefix, provider_id in snapshot.prefixes:
        if name.lower().startswith(prefix):
            provider = snapshot.providers[provider_id]
            if provider_id in snapshot.order:
                return ""
            if not provider.enabled:
                return f"{provider.label} is switched off."
            return f"There is no account for {provider.label}; add one in the console."
    vendor, mark, _ = name.partition("/")
    return f"No provider is named '{vendor}', and none lists '{name}'." if mark and vendor else ""


def is_local(name: str, snapshot: Snapshot) -> bool:
    """Tell whether a name looks like a small model of the local Ollama (F-052)."""
    key = name.lower()
    if key.startswith(HOSTED):
        return False
    forms = {key, key.replace(":e", ":")}
    return any(_fits(form, pattern) for pattern in snapshot.local_patterns for form in forms)


def upstream_name(provider: Provider, name: str) -> str:
    """Return the name as the provider wants it: the naming quirks applied."""
    for quirk in provider.quirks:
        if rename := NAMING_QUIRKS.get(quirk):
            name = rename(name)
    return name


def _may_guess(provider: Provider, place: int, snapshot: Snapshot) -> bool:
    # A shipped loopback address that nobody configured is no reason to try it with every unknown name.
    return provider.needs_key or provider.base_is_set or place < snapshot.named


def _fits(name: str, pattern: str) -> bool:
    if ":" in pattern:
        return pattern in name
    return name == pattern or name.endswith((f"-{pattern}", f"/{pattern}", f":{pattern}"))


def _colons_to_hyphens(name: str) -> str:
    return name.replace(":", "-")


def _vendor_prefix(name: str) -> str:
    if "/" in name:
        return name
    return next((vendor for start, vendor in VENDORS if name.lower().startswith(start)), "openai/") + name


VENDORS = (
    ("claude-", "anthropic/"),
    ("gemini-", "google/"),
    ("glm-", "zhipu/"),
    ("deepseek-", "deepseek/"),
    ("kimi-", "moonshotai/"),
    ("moonshot-", "moonshotai/"),
    ("qwen", "qwen/"),
)
NAMING_QUIRKS: dict[str, Callable[[str], str]] = {
    "colons_to_hyphens": _colons_to_hyphens,
    "vendor_prefix": _vendor_prefix,
}
