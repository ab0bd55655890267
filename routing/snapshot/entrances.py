"""Profiles and listeners as a Snapshot holds them: read once, ready to be looked up by id, host name and port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from accounts.models import Profile
from proxx.protocols.profile.options import Options
from routing.models import Listener
from routing.snapshot.views import ListenerView


@dataclass(slots=True)
class Entrances:
    """What was found, and sentences on what had to be left out."""

    profiles: Mapping[UUID, Options]
    hosts: dict[str, ListenerView] = field(default_factory=dict)
    ports: dict[int, ListenerView] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read() -> Entrances:
    """Read profiles and listeners: two queries."""
    profiles: dict[UUID, Options] = {}
    found = Entrances(profiles)
    for row in Profile.objects.all():
        try:
            profiles[row.id] = row.options()
        except ValueError as fault:
            found.faults.append(f"The profile {row.name!r} cannot be used: {fault}")
    for listener in Listener.objects.filter(enabled=True):
        view = ListenerView(
            listener.name, listener.profile_id, listener.own_key_provider, listener.own_key_tenant_id, listener.port
        )
        if listener.host:
            found.hosts[listener.host] = view
        elif listener.port is not None:
            found.ports[listener.port] = view
    return found
