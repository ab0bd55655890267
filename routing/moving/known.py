"""Which providers there are while files are read: those that proxx ships, and the operator's own at their addresses.

An id stands for one address and one way of speaking. Where a file names another address, its provider gets an id of its
own: a key must not go to the server next door.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, count
from typing import Any
from urllib.parse import urlsplit

from routing.moving.found import Place, id_of
from routing.providers import Provider


@dataclass(frozen=True, slots=True)
class Address:
    """Where a provider of one's own is, and which dialects it speaks."""

    base_url: str
    protocols: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """The providers as the environment leaves them, those of the console, and those that files of this run brought."""

    providers: Mapping[str, Provider]
    stored: Mapping[str, Address] = field(default_factory=dict)
    brought: dict[str, Address] = field(default_factory=dict)

    def own_place(self, name: str, base_url: str, words: Mapping[str, Any]) -> Place:
        """Return a provider of one's own for a base URL, known by its name, or else by where it is."""
        address = Address(base_url, frozenset(words["protocols"]))
        provider_id = next(one for one in _ids(name, address) if self._is_his(one, name, address))
        # An id that stands for this very address already goes before a new one, and before one that would be moved.
        there = [one for one, known in {**self.stored, **self.brought}.items() if known == address]
        if name:
            there = [one for one in there if f"{one}-".startswith(f"{id_of(name)}-")]
        if there and provider_id not in there:
            provider_id = there[0]
        self.brought[provider_id] = address
        return Place(provider_id, {"base_url": base_url, **words})

    def prefix(self, provider_id: str) -> str:
        """Return what names a provider before a model."""
        provider = self.providers.get(provider_id)
        return provider.prefixes[0] if provider is not None and provider.prefixes else f"{provider_id}/"

    def _is_his(self, provider_id: str, name: str, address: Address) -> bool:
        """Tell whether an id is free for this address, or stands for it already."""
        if provider_id in self.brought:
            return self.brought[provider_id] == address
        if provider_id in self.stored:
            there = self.stored[provider_id]
            # Who gave a provider a name may move it; the console may have taught it another dialect.
            is_near = there.base_url == address.base_url and not there.protocols.isdisjoint(address.protocols)
            return is_near or (bool(name) and provider_id == id_of(name))
        provider = self.providers.get(provider_id)
        return provider is None or (not provider.shipped and provider.base_url == address.base_url)


def _ids(name: str, address: Address) -> Iterator[str]:
    """Yield ids that would suit, the shortest first, without end."""
    parts = urlsplit(address.base_url)
    usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
    where = (parts.hostname or "") + ("" if usual else f"-{parts.port}")
    more = filter(None, (where if name else "", parts.path.strip("/"), min(address.protocols, default="")))
    longest = "provider"
    for longest in accumulate(more, "{}-{}".format, initial=name or where):
        yield id_of(longest)
    yield from (f"{id_of(longest)[:56]}-{number}" for number in count(2))
