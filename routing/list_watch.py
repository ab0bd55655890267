"""The serving process keeps the lists of models: it asks soon after an account came or changed, or a provider is back.

A task beside the calls decides who is due; a thread of its own asks and stores, so nothing here is on a call's way. A
provider that fails is asked again after 30 s, then 1, 2, 4 ... minutes, up to ten. The periodic job (tasks.py) asks
too; both read CatalogState first, so whoever comes later finds the work done.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from accounts.asking import Asker
from oauth.held import LiveSecret
from proxx.kit import clock, sealing, shared_state
from proxx.kit.companion import Companion
from routing import reload
from routing.catalog import merge, refresh
from routing.models import CatalogState
from routing.snapshot import CredentialView, Snapshot

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks at the picture; nothing is read for it
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 600.0
# The periodic job comes first; only where it does not run is a list asked for again from here.
CALM_PAUSE = LONGEST_PAUSE + 60.0
ELSEWHERE_PAUSE = 5.0  # another process asks just now; then its answer is in the database

_asker = Asker("list-watch", waiting_limit=2)


@dataclass(slots=True)
class Due:
    """When a provider is asked next, and what is known of the last time."""

    doors: str  # the digest of who may ask where: another one makes the list void
    at: float
    is_new: bool  # whatever the database holds was not asked through these doors
    failures: int = 0


class Schedule:
    """Who is asked when. Pure: times come in."""

    def __init__(self) -> None:
        self._due: dict[str, Due] = {}
        self._seen: Snapshot | None = None

    def follow(self, snapshot: Snapshot, now: float) -> None:
        """Take in a picture: what is new or changed is due at once, what is gone is forgotten."""
        if snapshot is self._seen:
            return
        # At the start a list of the last run may still be young; afterwards a provider that appears was added.
        is_first, self._seen = self._seen is None, snapshot
        before, self._due = self._due, {}
        for provider_id in snapshot.order:
            doors = _doors(snapshot, provider_id)
            if not doors:
                continue
            known = before.get(provider_id)
            same = known is not None and known.doors == doors
            self._due[provider_id] = known if known and same else Due(doors, now, is_new=not is_first)

    def due(self, now: float) -> dict[str, Due]:
        """Return whose time has come."""
        return {provider_id: due for provider_id, due in self._due.items() if due.at <= now}

    def note(self, asked: Mapping[str, Due], faults: Mapping[str, str], now: float) -> None:
        """Take in what came of asking: a fault, an empty one for a good list, nothing if another process asks."""
        for provider_id, due in asked.items():
            due.is_new = False
            if provider_id not in faults:
                due.at = now + ELSEWHERE_PAUSE
            elif faults[provider_id]:
                due.at = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2**due.failures)
                due.failures = min(due.failures + 1, 10)
            else:
                due.at, due.failures = now + CALM_PAUSE, 0


def ask(snapshot: Snapshot, wanted: Mapping[str, Due]) -> dict[str, str]:
    """Ask those whose list is not young, store what they say; return each one's fault, empty for none. Blocking.

    Left out is whom another process asks just now.
    """
    states = CatalogState.objects.in_bulk(list(wanted))
    answered = {
        provider_id: state.fault
        for provider_id, state in states.items()
        if not wanted[provider_id].is_new and _is_young(state)
    }
    mine = [one for one in wanted if one not in answered and _is_ours(one, wanted[one].doors)]
    if mine:
        looks = asyncio.run(refresh.look_at(snapshot, mine))
        merge.store(looks)
        for look in looks:
            answered[look.provider_id] = look.fault
            before = states.get(look.provider_id)
            if (before is None or look.fault != before.fault) and _is_wanted(snapshot, look.provider_id):
                log.info("List of models of %s: %s", look.provider_id, look.fault or f"{len(look.models)} models.")
    return answered


def _is_wanted(snapshot: Snapshot, provider_id: str) -> bool:
    # A shipped loopback address that nobody configured is asked, but its silence is no news.
    return provider_id in snapshot.credentials or snapshot.providers[provider_id].base_is_set


def _is_young(state: CatalogState) -> bool:
    patience = FIRST_PAUSE / 2 if state.fault else LONGEST_PAUSE
    return state.tried_at is not None and clock.now() - state.tried_at < timedelta(seconds=patience)


def _is_ours(provider_id: str, doors: str) -> bool:
    # Not given back: it ends before the shortest pause does. Without Redis every process asks for itself.
    seconds = min(settings.CATALOG_ROUTE_TIMEOUT + 5, FIRST_PAUSE * 0.8)
    return shared_state.count(f"list-watch:{provider_id}:{doors}", seconds=seconds) in {1, None}


def _doors(snapshot: Snapshot, provider_id: str) -> str:
    provider = snapshot.providers[provider_id]
    doors = refresh.doors(provider, snapshot.credentials.get(provider_id, ()))
    said = [
        (base, paths, str(credential.id) if credential else "", _stays(credential))
        for base, askers in doors.items()
        for credential, paths in askers
    ]
    return sealing.digest(repr((provider.auth, said)))[:16] if said else ""


def _stays(credential: CredentialView | None) -> str:
    """Return what tells one secret of an account from the next; tokens of one sign-in come and go."""
    if credential is None:
        return ""
    secret = credential.secret
    return secret.since.isoformat() if isinstance(secret, LiveSecret) else secret.reveal()


async def _watch() -> None:
    schedule = Schedule()
    while True:
        try:
            snapshot = reload.current()
            schedule.follow(snapshot, clock.monotonic())
            if wanted := schedule.due(clock.monotonic()):
                await _ask(schedule, snapshot, wanted)
        except Exception:  # the watch must outlive whatever it meets
            log.exception("The lists of models could not be kept.")
        await asyncio.sleep(TICK)


async def _ask(schedule: Schedule, snapshot: Snapshot, wanted: Mapping[str, Due]) -> None:
    # Should asking break off, nobody is asked again at once.
    for due in wanted.values():
        due.at = clock.monotonic() + FIRST_PAUSE
    # Shielded: a question that was put is answered, and a thread must not find its future cancelled.
    faults = await asyncio.shield(asyncio.wrap_future(_asker.ask(lambda: ask(snapshot, wanted))))
    schedule.note(wanted, faults, clock.monotonic())


_watcher = Companion("list-watch", _watch)
start_watching, stop_watching = _watcher.start, _watcher.stop
