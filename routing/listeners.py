"""Through which listener a request comes, and which profile applies to it. Pure over the snapshot.

The Host header decides before the port that was really connected to: in front of proxx, a reverse proxy or a mapped
port may be all that tells two listeners apart (F-330).
"""

from fnmatch import fnmatchcase
from uuid import UUID

from proxx.protocols.profile.asked import SUFFIXES
from proxx.protocols.profile.options import Options
from routing.snapshot import ListenerView, ModelEntry, Snapshot, TenantView


def found(snapshot: Snapshot, *, host: str, port: int | None) -> ListenerView | None:
    """Return the listener of a request with this Host header, come in at this port; most have none."""
    if not snapshot.hosts and not snapshot.ports:
        return None
    name, named_port = _split(host.lower())
    by_name = snapshot.hosts.get(name)
    if by_name is not None:
        return by_name
    by_header = snapshot.ports.get(named_port) if named_port is not None else None
    return by_header or (snapshot.ports.get(port) if port is not None else None)


def options(
    snapshot: Snapshot, *, listener: ListenerView | None, key_profile: UUID | None, tenant: TenantView
) -> Options | None:
    """Return what applies to a call: the listener's profile, else the key's, else the tenant's, else nothing."""
    if not snapshot.profiles:
        return None
    chosen = (listener.profile_id if listener is not None else None) or key_profile or tenant.profile_id
    return snapshot.profiles.get(chosen) if chosen is not None else None


def offered(snapshot: Snapshot, *, listener: ListenerView | None, chosen: Options | None) -> tuple[ModelEntry, ...]:
    """Return the models to list: those the profile lets through, and their reasoning variants if it wants them."""
    entries = snapshot.models
    if listener is not None and listener.own_key_provider:
        entries = tuple(
            entry for entry in entries if listener.own_key_provider in entry.metadata.get("provider_candidates", ())
        )
    if chosen is None:
        return entries
    if chosen.include or chosen.exclude:
        entries = tuple(entry for entry in entries if _passes(entry.id.lower(), chosen))
    return tuple(one for entry in entries for one in _variants(entry)) if chosen.variants else entries


def _passes(name: str, chosen: Options) -> bool:
    if any(fnmatchcase(name, glob) for glob in chosen.exclude):
        return False
    return not chosen.include or any(fnmatchcase(name, glob) for glob in chosen.include)


def _variants(entry: ModelEntry) -> list[ModelEntry]:
    if entry.metadata.get("supports_reasoning") is False:
        return [entry]
    return [entry] + [
        ModelEntry(
            entry.id + suffix, entry.owned_by, entry.created, {**entry.metadata, "proxy_reasoning_profile": profile}
        )
        for suffix, profile in SUFFIXES
    ]


def _split(host: str) -> tuple[str, int | None]:
    """Return name and port of a Host header; an address of version 6 keeps its brackets."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit() or len(port) > 5:
        return host.removesuffix("."), None
    return name.removesuffix("."), int(port)
