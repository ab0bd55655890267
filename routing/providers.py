"""What a provider is, and the registry that ships with the house.

`load` reads and checks `data/providers.toml`; nothing here knows the environment, the database or a secret.
What the operator's environment changes is provider_env.py; what the console changes is rows.py.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from routing.addresses import base_url_fault, origin
from routing.addresses import join_url as join_url
from routing.dialects import CHAT_PROTOCOLS as CHAT_PROTOCOLS
from routing.dialects import USUAL_PATHS as USUAL_PATHS
from routing.orders import STRATEGIES as STRATEGIES

REGISTRY = Path(__file__).parent / "data" / "providers.toml"

AUTH_STYLES = ("bearer", "x-api-key", "x-goog-api-key", "api-key", "none")
QUOTA_STYLES = ("codex", "zai", "anthropic", "by_minute")
USUAL_MODELS_PATHS = ("/v1/models",)

PROVIDER_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Hop headers and carriers of credentials: a provider entry must not be able to set them.
FORBIDDEN_HEADERS = {
    *("authorization", "connection", "content-length", "cookie", "host", "proxy-authorization", "te", "upgrade"),
    *("transfer-encoding", "x-api-key", "x-goog-api-key", "api-key"),
}


class ProviderFault(Exception):
    """A provider entry that cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Another set of paths, for base URLs that match a glob."""

    base: str
    paths: Mapping[str, str]
    models_paths: tuple[str, ...]
    quirks: tuple[str, ...] = ()
    lists_all: bool = True  # False: an account may have models that its list does not name


@dataclass(frozen=True, slots=True)
class Provider:
    """One service that answers model calls; `paths` holds a path (or whole URL) per protocol it speaks."""

    id: str
    label: str
    base_url: str
    protocol: str
    paths: Mapping[str, str] = field(hash=False)
    families: tuple[tuple[str, str], ...] = ()
    auth: str = "bearer"
    auth_by_protocol: Mapping[str, str] = field(default_factory=dict, hash=False)
    models_paths: tuple[str, ...] = USUAL_MODELS_PATHS
    prefixes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    quirks: tuple[str, ...] = ()
    quota: tuple[str, ...] = ()  # how it says what an account has left: styles of oauth/plan_usage.py, plan_headers.py
    surfaces: tuple[Surface, ...] = field(default=(), hash=False)
    priority: int = 100
    strategy: str = "affinity"
    enabled: bool = True
    needs_key: bool = True
    oauth_base_url: str = ""
    env_keys: tuple[str, ...] = ()
    env_base_urls: tuple[str, ...] = ()
    env_key_base_urls: tuple[str, ...] = ()
    env_ids: tuple[str, ...] = ()
    env_prefixes: tuple[str, ...] = ()
    env_paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    shipped: bool = True
    is_local: bool = False  # runs on the operator's own machines: costs nothing
    about: str = ""  # a line for people, where the name says little
    base_is_set: bool = False  # the operator named the base URL: by environment, file or console

    @property
    def models_path(self) -> str | None:
        """Return the first place where models are listed, or nothing."""
        return self.models_paths[0] if self.models_paths else None

    @property
    def approved_origin(self) -> str:
        """Return scheme, host and port of the base URL: naming it approved exactly this origin (security E4)."""
        return origin(self.base_url)

    def protocols_for(self, model: str) -> tuple[str, ...]:
        """Return the protocols that may carry this model, best first."""
        name = model.lower()
        glob = next((glob for glob, _ in self.families if fnmatchcase(name, glob)), None)
        if glob is not None:
            return tuple(protocol for other, protocol in self.families if other == glob)
        return (self.protocol, *(protocol for protocol in self.paths if protocol != self.protocol))

    def protocol_for(self, model: str) -> str:
        """Return the protocol this provider prefers for a model."""
        return self.protocols_for(model)[0]

    def auth_for(self, protocol: str) -> str:
        """Return the auth style of one protocol, by name."""
        return self.auth_by_protocol.get(protocol, self.auth)

    def base_for(self, *, oauth: bool, own: str = "") -> str:
        """Return where a credential belongs: its own base URL, the sign-in backend, or the provider's base URL."""
        return own or (self.oauth_base_url if oauth and self.oauth_base_url else self.base_url)

    def paths_at(self, base: str) -> Mapping[str, str]:
        """Return the path per protocol at a base URL; whole-URL paths hold only for the shipped base URL."""
        surface = self._surface(base)
        paths = surface.paths if surface else self.paths
        at_home = base == self.base_url and not self.base_is_set
        return {name: path for name, path in paths.items() if at_home or path.startswith("/")}

    def quirks_at(self, base: str) -> frozenset[str]:
        """Return the habits that matter at a base URL, by name."""
        surface = self._surface(base)
        return frozenset(self.quirks + (surface.quirks if surface else ()))

    def models_paths_at(self, base: str) -> tuple[str, ...]:
        """Return where models are listed at a base URL."""
        surface = self._surface(base)
        return surface.models_paths if surface else self.models_paths

    def lists_all_at(self, base: str) -> bool:
        """Tell whether the list at a base URL names every model that can be asked for there, for all accounts."""
        return getattr(self._surface(base), "lists_all", True)

    def _surface(self, base: str) -> Surface | None:
        return next((surface for surface in self.surfaces if fnmatchcase(base.rstrip("/"), surface.base)), None)


def load() -> dict[str, Provider]:
    """Return the shipped registry by provider id; raise `ProviderFault` with one sentence if it is wrong."""
    return dict(_load(REGISTRY))


def generic(provider_id: str, base_url: str, *, label: str = "") -> Provider:
    """Return a provider that only has an id and a base URL: Ollama-shaped for `ollama-*`, else OpenAI-compatible."""
    shape = _load(REGISTRY)["ollama" if provider_id.startswith("ollama-") else "openai-compatible"]
    needs_key = not provider_id.startswith("ollama-")
    return checked(
        replace(
            shape,
            id=provider_id,
            label=label or provider_id,
            base_url=base_url,
            prefixes=usual_prefixes(provider_id),
            needs_key=needs_key,
            env_keys=(),
            env_base_urls=(),
            env_prefixes=(),
            env_paths={},
            priority=100,
            shipped=False,
            base_is_set=True,
        )
    )


def overlaid(provider: Provider, words: Mapping[str, Any]) -> Provider:
    """Return the provider with an operator's words in place of its own; raise `ProviderFault` if they do not fit."""
    said = dict(words)
    if said.get("base_url"):
        said |= {"base_is_set": True, "oauth_base_url": ""}
    paths = {**provider.paths, **said.pop("paths", {})}
    if protocols := tuple(said.pop("protocols", ())):
        paths = {name: paths.get(name) or USUAL_PATHS.get(name, "") for name in protocols}
        said |= {"protocol": protocols[0]}
    if "headers" in said:
        said["headers"] = tuple({**dict(provider.headers), **said["headers"]}.items())
    said |= {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
    return checked(replace(provider, paths=paths, **said))


def usual_prefixes(provider_id: str) -> tuple[str, ...]:
    """Return the prefixes by which a caller names a provider in a model name."""
    return (f"{provider_id}/", f"{provider_id}:")


def checked(provider: Provider) -> Provider:
    """Return the provider unchanged, or raise `ProviderFault` with the first thing that is wrong."""
    fault = _fault(provider)
    if fault:
        raise ProviderFault(f"Provider {provider.id!r}: {fault}.")
    return provider


def _fault(provider: Provider) -> str | None:
    if not PROVIDER_ID.fullmatch(provider.id):
        return "the id must be lower-case letters, digits, dots, hyphens and underscores"
    for url in filter(None, (provider.base_url, provider.oauth_base_url)):
        if fault := base_url_fault(url):
            return f"the base URL {fault}"
    named = {provider.protocol, *provider.paths, *(name for _, name in provider.families), *provider.auth_by_protocol}
    if unknown := sorted(named - set(USUAL_PATHS)):
        return f"unknown protocol {unknown[0]!r}"
    if provider.protocol not in provider.paths:
        return "its preferred protocol has no path"
    if bad := next(
        (style for style in (provider.auth, *provider.auth_by_protocol.values()) if style not in AUTH_STYLES), ""
    ):
        return f"unknown auth style {bad!r}"
    if unread := next((style for style in provider.quota if style not in QUOTA_STYLES), ""):
        return f"unknown quota style {unread!r}"
    if provider.strategy not in STRATEGIES:
        return f"unknown strategy {provider.strategy!r}"
    return _path_fault(provider) or _header_fault(provider)


def _path_fault(provider: Provider) -> str | None:
    for path in provider.paths.values():
        if path.startswith("/"):
            if any(character <= " " or character in "\\#\x7f" for character in path):
                return "a path holds characters that a path cannot hold"
        elif base_url_fault(path):
            return "a path must begin with / or be a whole URL"
    if not all(path.startswith("/") for path in provider.models_paths):
        return "a models path must begin with /"
    return None


def _header_fault(provider: Provider) -> str | None:
    for name, value in provider.headers:
        if not HEADER_NAME.fullmatch(name) or any(ord(character) < 32 or ord(character) > 126 for character in value):
            return "a header holds characters that a header cannot hold"
        if name.lower() in FORBIDDEN_HEADERS:
            return f"the header {name.lower()} is not a provider's to set"
    return None


@lru_cache(maxsize=4)
def _load(path: Path) -> dict[str, Provider]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("provider", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProviderFault(f"The provider registry cannot be read: {error}.") from None
    found: dict[str, Provider] = {}
    for entry in entries:
        provider = from_entry(entry)
        if taken := {provider.id, *provider.aliases} & {
            name for other in found.values() for name in (other.id, *other.aliases)
        }:
            raise ProviderFault(f"The provider registry names {sorted(taken)[0]!r} twice.")
        found[provider.id] = provider
    return found


def from_entry(entry: Mapping[str, Any]) -> Provider:
    """Return the provider that one entry (of the registry or of a console row) describes."""
    data = dict(entry)
    if unknown := sorted(set(data) - ENTRY_FIELDS):
        raise ProviderFault(f"Provider {data.get('id', '?')!r}: unknown field {unknown[0]!r}.")
    protocols = tuple(data.pop("protocols", ("openai_chat",))) or ("openai_chat",)
    named = dict(data.pop("paths", {}))
    special: dict[str, Any] = {
        "families": tuple((row["models"], name) for row in data.pop("families", ()) for name in row["protocols"]),
        "headers": tuple((str(name), str(value)) for name, value in data.pop("headers", {}).items()),
        "surfaces": tuple(
            Surface(
                row["base"],
                row["paths"],
                tuple(row.get("models_paths", USUAL_MODELS_PATHS)),
                tuple(row.get("quirks", ())),
                row.get("lists_all", True),
            )
            for row in data.pop("surfaces", ())
        ),
        "prefixes": tuple(data.pop("prefixes", usual_prefixes(data["id"]))),
        "env_paths": {name: tuple(names) for name, names in data.pop("env_paths", {}).items()},
    }
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return checked(
        Provider(
            protocol=protocols[0],
            paths={name: named.pop(name, USUAL_PATHS.get(name, "")) for name in protocols} | named,
            **special,
            **plain,
        )
    )


ENTRY_FIELDS = {
    name for name in Provider.__dataclass_fields__ if name not in {"protocol", "shipped", "base_is_set"}
} | {"protocols"}
