"""What a file of another gateway says, in proxx's words. Plain data, and the few rules that all readers share.

Readers (`seed_files.py`, `multicodex.py`, `cli_proxy.py`, `go_proxx.py`) make a `Found` of a file; `difference.py`
holds it against the database. Whatever a reader does not take over becomes a note: nothing is dropped in silence.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from proxx.kit import logs
from routing.addresses import base_url_fault, origin
from routing.keys_file import Account, FileFault
from routing.models_file import Wish
from routing.providers import Provider

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Place:
    """A provider as the console keeps it: its id and the fields that say something."""

    provider_id: str
    words: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Found:
    """All that one file says; `notes` are sentences on what is not taken over, without any secret."""

    kind: str
    places: tuple[Place, ...] = ()
    accounts: tuple[Account, ...] = ()
    wishes: tuple[Wish, ...] = ()
    notes: tuple[str, ...] = ()
    exclusions: tuple[tuple[str, str], ...] = ()  # provider id, pattern of models that are not to be had there
    rules: tuple[Mapping[str, Any], ...] = ()  # fields of rules by model


def shown(name: object) -> str:
    """Return a field's name for a note; an odd one is not repeated, because it may be anything, even a secret."""
    text = str(name)
    return text if _FIELD.fullmatch(text) and logs.masked(text) == text else "(an odd name)"


def unknown(entry: Mapping[str, Any], known: Collection[str], place: str) -> list[str]:
    """Return a note for each field that no reader knows."""
    return [f"{place}: the field {shown(name)} is not known to proxx." for name in entry if name not in known]


def listed(entry: Mapping[str, Any], name: str, place: str) -> list[Any]:
    """Return a list that a field holds, empty if there is none; raise `FileFault` for anything else."""
    value = entry.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FileFault(f"{place}: {name} must be a list.")
    return value


def text_of(entry: Mapping[str, Any], *names: str) -> str:
    """Return the first field that holds a text."""
    return next((str(entry[name]).strip() for name in names if isinstance(entry.get(name), str) and entry[name]), "")


def is_at_home(provider: Provider | None, base_url: str) -> bool:
    """Tell whether a base URL is where that provider is anyway, whatever path the other gateway appends to it."""
    homes = {origin(url) for url in (provider.base_url, provider.oauth_base_url) if url} if provider else set()
    return not base_url or origin(base_url) in homes


def sound_url(base_url: str, place: str) -> str:
    """Return a base URL without its last slash; raise `FileFault` if it is none."""
    if fault := base_url_fault(base_url):
        raise FileFault(f"{place}: the base URL {fault}.")
    return base_url.rstrip("/")


def id_of(name: str) -> str:
    """Return a provider id made of a name."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:64].strip("-._") or "provider"


def merged_wishes(wishes: list[Wish]) -> tuple[Wish, ...]:
    """Return one wish per name: what several wishes say of it together, the first word on each matter first."""
    named: dict[str, Wish] = {}
    for wish in wishes:
        known = named.get(wish.name.lower())
        if known is None:
            named[wish.name.lower()] = wish
            continue
        named[wish.name.lower()] = replace(
            known,
            rank=wish.rank if known.rank is None else known.rank,
            disabled=known.disabled or wish.disabled,
            alias_of=known.alias_of or wish.alias_of,
            declared=known.declared or wish.declared,
            owned_by=known.owned_by or wish.owned_by,
        )
    return tuple(named.values())
