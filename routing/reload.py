"""The same picture of the configuration in every process: `current()`.

One task watches: it hears announcements, asks the database for the revision's number every two seconds, and re-reads
keys.json and models.json when they change. All of that happens in one thread of its own, so that a database or a
Redis that hangs holds up nobody. A picture that cannot be built is refused; the old one stays.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError

from accounts import keys, limits
from accounts.asking import Asker
from proxx.kit import clock, metrics, shared_state
from proxx.kit.companion import Companion
from routing import health, revision, seeding
from routing.providers import ProviderFault
from routing.revision import announce as announce
from routing.snapshot import CredentialView, Snapshot, build

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
# A configuration that changes faster than it can be read is read once more by the next look.
BUILDS_AT_MOST = 5

_asker = Asker("routing-reload", waiting_limit=8)
_lock = threading.Lock()
_snapshot: Snapshot | None = None
_fault: str | None = None
_seed_faults: tuple[str, ...] = ()
_files_looked_at = float("-inf")
_keys_read_at: int | None = None  # the number before which all changes of keys are known


def current() -> Snapshot:
    """Return the picture in force, from memory. Only if there is none yet it is built here and now, blocking."""
    return _snapshot if _snapshot is not None else _first()


def present() -> Snapshot | None:
    """Return the picture in force, or nothing if there is none yet; never waits."""
    return _snapshot


async def ready() -> None:
    """Return once there is a picture; raise what kept it from being built."""
    if _snapshot is None:
        await _asked(_look_for_first)


def install(snapshot: Snapshot | None) -> None:
    """Put a picture in force as it is; `None` forgets the present one, as after a start."""
    global _snapshot, _fault, _seed_faults, _files_looked_at, _keys_read_at
    _snapshot, _fault, _keys_read_at = snapshot, None, None
    if snapshot is None:
        _seed_faults, _files_looked_at = (), float("-inf")


def last_fault() -> str | None:
    """Return what the operator should know: why the last picture was refused, or what had to be left out of it."""
    sentences = [_fault] if _fault else [*_seed_faults, *(_snapshot.faults if _snapshot else ())]
    return " ".join(sentences) or None


def look() -> list[UUID]:
    """Compare the database with the picture once, and renew it if need be (blocking: call it in a thread).

    Returns the credentials that changed, whose health facts are void.
    """
    global _fault, _keys_read_at
    try:
        _reread_files()
        limits.tend()
        number = revision.number()
        # Keys first and in any case: a picture that cannot be built must not keep a revoked key alive. They have a
        # number of their own: what ends a key while the picture is built is in that picture, but was not read here.
        if number != _keys_read_at:
            keys.refresh_known()
            _keys_read_at = number
        keys.confirm_contact()
        if _snapshot is not None and number == _snapshot.revision and clock.unix() < _snapshot.stale_at:
            _fault = None
            return []
        return _renew()
    except Exception as fault:  # the watch must outlive whatever one look meets
        _refuse(fault)
        return []


def _look_for_first() -> None:
    global _keys_read_at
    with _lock:
        if _snapshot is None:
            _reread_files()
            number = revision.number()  # no key is remembered yet: those to come are read after this
            _renew()
            _keys_read_at = number


def _first() -> Snapshot:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _look_for_first()
    else:  # Django's database code refuses to run on a loop's own thread
        _asker.ask(_look_for_first).result()
    if _snapshot is None:
        raise RuntimeError("The configuration was forgotten while it was being read.")
    return _snapshot


def _renew() -> list[UUID]:
    global _snapshot, _fault
    picture = build()
    for _ in range(BUILDS_AT_MOST - 1):
        if revision.number() == picture.revision:
            break
        picture = build()
    before, _snapshot, _fault = _snapshot, picture, None
    metrics.count("proxx_config_reloads")
    for sentence in picture.faults if before is None or before.faults != picture.faults else ():
        log.warning("%s", sentence)
    return _changed(before, picture) if before else []


def _refuse(fault: Exception) -> None:
    global _fault
    kept = f"revision {_snapshot.revision} stays in force" if _snapshot else "there is none in force yet"
    reason = str(fault) if isinstance(fault, ProviderFault) else f"It could not be read ({type(fault).__name__})."
    if isinstance(fault, DatabaseError):
        reason = "The database does not answer."
    sentence = f"The configuration was not renewed, {kept}. {reason}"
    if sentence != _fault:
        log.error("%s", sentence, exc_info=not isinstance(fault, DatabaseError | ProviderFault))
    _fault = sentence
    metrics.count("proxx_config_reload_faults")


def _reread_files() -> None:
    """Follow keys.json, models.json and the environment; a fault there is told and changes nothing."""
    global _seed_faults, _files_looked_at
    now = clock.monotonic()
    if now - _files_looked_at < settings.PROXY_KEY_RELOAD:
        return
    report = seeding.sync_if_changed()
    _files_looked_at = now
    if report is not None:
        for sentence in set(report.faults) - set(_seed_faults):
            log.warning("%s", sentence)
        _seed_faults = report.faults


def _changed(before: Snapshot, after: Snapshot) -> list[UUID]:
    known = {view.id: view for view in _views(before)}
    return [
        view.id
        for view in _views(after)
        if (old := known.get(view.id)) is None or (old.secret, old.base_url) != (view.secret, view.base_url)
    ]


def _views(snapshot: Snapshot) -> list[CredentialView]:
    return [view for views in snapshot.credentials.values() for view in views]


async def _asked(question: Callable[[], Answer]) -> Answer:
    # Shielded: a question that was put is answered, and a thread must not find its future cancelled.
    return await asyncio.shield(asyncio.wrap_future(_asker.ask(question)))


async def _watch() -> None:
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake(_message: bytes) -> None:
        with suppress(RuntimeError):  # the loop has closed under us
            loop.call_soon_threadsafe(woken.set)

    listening = shared_state.listen(revision.CHANNEL, wake)
    try:
        while True:
            woken.clear()
            # On the loop's own thread: health belongs to it.
            for key in await _asked(look):
                health.forget(key)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(POLL_SECONDS, settings.PROXY_KEY_RELOAD)):
                    await woken.wait()
    finally:
        listening.stop()


_watcher = Companion("routing-watch", _watch)
start_watching, stop_watching = _watcher.start, _watcher.stop
