"""Through which listener a request comes, and which profile applies to it. Pure over the snapshot.

The Host header decides before the port that was really connected to: in front of proxx, a reverse proxy or a mapped
port may be all that tells two listeners apart (F-330).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from uuid import UUID

import msgspec

from proxx.protocols.profile.asked import SUFFIXES
from proxx.protocols.profile.options import Options
from routing.permits import Permit
from routing.snapshot import ListenerView, ModelEntry, Snapshot, TenantView
from routing.snapshot.views import Who, forms

_LISTED = "models that may be listed"
_FAST = "options with a tenant's fast mode"


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
    """Return what applies to a call: the listener's profile, else the key's, else the tenant's, else nothing.

    The tenant's own fast mode stands in where that says nothing of it.
    """
    chosen = (listener.profile_id if listener is not None else None) or key_profile or tenant.profile_id
    found = snapshot.profiles.get(chosen) if chosen is not None else None
    if not tenant.fast or (found is not None and found.fast):
        return found
    question = (_FAST, chosen, tenant.fast)
    hurried: Options | None = snapshot.memo.get(question)
    if hurried is None:
        hurried = msgspec.structs.replace(found or Options(), fast=tenant.fast)
        snapshot.memo.put(question, hurried, weight=1)
    return hurried


def offered(
    snapshot: Snapshot, *, listener: ListenerView | None, chosen: Options | None, who: tuple[Who, ...] = ()
) -> tuple[ModelEntry, ...]:
    """Return the models to list: those that tenant and key (`who`) may use and the profile lets through, and their
    reasoning variants if it wants them."""
    entries = _permitted(snapshot, who) if who else snapshot.models
    if listener is not None and listener.own_key_provider:
        entries = tuple(
            entry for entry in entries if listener.own_key_provider in entry.metadata.get("provider_candidates", ())
        )
    if chosen is None:
        return entries
    if chosen.include or chosen.exclude:
        entries = tuple(entry for entry in entries if _passes(entry.id.lower(), chosen))
    return tuple(one for entry in entries for one in _variants(entry)) if chosen.variants else entries


def _permitted(snapshot: Snapshot, who: tuple[Who, ...]) -> tuple[ModelEntry, ...]:
    """Return the models that all of these may use at some provider, remembered: lists are long, and asked for often."""
    known: tuple[ModelEntry, ...] | None = snapshot.memo.get((_LISTED, who))
    if known is None:
        permits = [snapshot.permit_of(one) for one in who]
        known = tuple(seen for entry in snapshot.models if (seen := _seen(entry, permits)))
        snapshot.memo.put((_LISTED, who), known, weight=len(known) + 1)
    return known


def _seen(entry: ModelEntry, permits: Sequence[Permit]) -> ModelEntry | None:
    targets = entry.metadata.get("alias_targets") or [entry.id]
    if not any(_allowed((entry.id, target), permits) for target in targets):
        return None
    owners = entry.metadata.get("provider_candidates") or []
    allowed = [one for one in owners if all(permit.allows_provider(one) for permit in permits)]
    if allowed == owners:
        return entry
    if not allowed:
        return None
    owner = entry.owned_by if entry.owned_by in allowed else allowed[0]
    return replace(
        entry, owned_by=owner, metadata={**entry.metadata, "provider": owner, "provider_candidates": allowed}
    )


def _allowed(names: Iterable[str], permits: Sequence[Permit]) -> bool:
    known = [form for name in names for form in forms(name)]
    return all(permit.allows_model(known) for permit in permits)


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
