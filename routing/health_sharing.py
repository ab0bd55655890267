"""The same health in every process, and at the next start. health.py keeps the facts; here they travel.

With Redis, processes tell each other of rests, circuits, recoveries and what an operator cleared: sent from a thread of
its own, heard on the loop. Hard rests are also kept in the database, about a second later, and read once at start. The
hot path does neither: a change of a fact is a note in a dictionary.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import DatabaseError

from accounts.asking import Asker, TooManyWaiting
from proxx.kit import clock, shared_state
from proxx.kit.companion import Companion
from routing import health
from routing.health import Key, Spot, Streak
from routing.models import KeptRest

log = logging.getLogger(__name__)

CHANNEL = "health"
SENDER = os.urandom(8).hex()
HELLO_AFTER = 2.0  # seconds: by then the subscription stands that the answers come in by
KEEP_EVERY = 1.0  # seconds between two looks for what is to be kept
AFTER_A_FAULT = 5.0  # seconds in which a database that failed is not asked again
BATCH = 500
MODEL_AT_MOST = 200  # characters; longer names are no models
KEPT_AT_MOST = 50_000  # rows read at start
OPEN_AT_MOST = timedelta(days=1)  # a circuit that nobody tried for so long is nobody's any more


class Fact(msgspec.Struct, array_like=True):
    """One thing that happened to a spot: `rest`, `good`, `clear`, or `fresh`, a rest after a clearing. Times are those
    of the calendar: stopwatches differ between machines."""

    what: str
    key: str
    model: str
    until: float = 0.0
    is_soft: bool = False
    kind: str = ""
    is_open: bool = False
    length: int = 0
    failures: int = 0
    openings: int = 0


class _Message(msgspec.Struct):
    sender: str
    facts: list[Fact] = []
    is_hello: bool = False


_message = msgspec.json.Decoder(_Message)
_outbox: dict[Spot, str] = {}
_unkept: set[Spot] = set()
_kept: set[Spot] = set()  # spots that have a row, as far as we know
_hearing = 0  # the thread that takes in what we were told: that is not told again
_asker = Asker("health", waiting_limit=2)


def load() -> None:
    """Read what is kept, before the first call; a database that cannot say is no reason not to start."""
    health.listeners[:] = [_note]
    try:
        KeptRest.objects.filter(until__lt=clock.now(), is_open=False).delete()
        KeptRest.objects.filter(until__lt=clock.now() - OPEN_AT_MOST).delete()
        rows = list(KeptRest.objects.order_by("-until")[:KEPT_AT_MOST])
    except DatabaseError:
        log.warning("Rests of the last run could not be read.")
        return
    _kept.update((_key(row.key), row.model) for row in rows)
    _take_in(_fact_of(row) for row in rows)


def hear(raw: bytes) -> None:
    """Take in a message of another process."""
    try:
        message = _message.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # of a version that speaks otherwise
    if message.sender == SENDER:
        return
    _take_in(message.facts)
    if message.is_hello:
        for key, places in health.rests.items():
            _outbox.update({(key, model): "rest" for model in places})
        _tell()


def keep() -> None:
    """Write what is new into the database, and drop what is over. For a thread of its own."""
    spots = [_unkept.pop() for _ in range(len(_unkept))]
    now = clock.monotonic()
    rows, gone = [], []
    for spot in spots:
        rest = health.rests.get(spot[0], {}).get(spot[1])
        if rest is not None and not rest.is_soft and (rest.is_open or rest.until > now + KEEP_EVERY):
            rows.append(_row_of(spot))
        elif spot in _kept:
            gone.append(spot)
    try:
        for start in range(0, len(rows), BATCH):
            _write(rows[start : start + BATCH])
        for key, model in gone:
            KeptRest.objects.filter(key=str(key), model=model).delete()
            _kept.discard((key, model))
    except DatabaseError:
        _unkept.update(spots)
        raise
    _kept.update((_key(row.key), row.model) for row in rows)


async def keep_last() -> None:
    """Keep what is new before the process ends."""
    if _unkept:
        await asyncio.wrap_future(_asker.ask(keep))


def forget() -> None:
    """Forget what waits to be told or kept, as after a start."""
    for one in (_outbox, _unkept, _kept):
        one.clear()


def _note(what: str, key: Key, model: str) -> None:
    if len(model) > MODEL_AT_MOST:
        return
    spot = (key, model)
    _unkept.add(spot)
    if settings.REDIS_URL and _hearing != threading.get_ident():
        _outbox[spot] = "fresh" if what == "rest" and _outbox.get(spot) in ("clear", "fresh") else what
        _tell()


def _tell() -> None:
    with suppress(TooManyWaiting):  # those who wait have not begun: they will send this, too
        _asker.ask(_send)


def _send() -> None:
    while _outbox:
        batch: list[Fact] = []
        with suppress(KeyError):
            while len(batch) < BATCH:
                spot, what = _outbox.popitem()
                batch.append(_fact(what, spot))
        shared_state.publish(CHANNEL, msgspec.json.encode(_Message(SENDER, batch)))


def _fact(what: str, spot: Spot) -> Fact:
    key, model = spot
    rest = health.rests.get(key, {}).get(model)
    if what not in ("rest", "fresh") or rest is None:
        return Fact("clear" if what == "fresh" else what, str(key), model)
    streak = health.streaks.get(key, {}).get(model) or Streak()
    until = clock.unix() + rest.until - clock.monotonic()
    counts = (streak.length, streak.failures, streak.openings)
    return Fact(what, str(key), model, until, rest.is_soft, rest.kind, rest.is_open, *counts)


def _take_in(facts: Iterable[Fact]) -> None:
    global _hearing
    _hearing = threading.get_ident()
    try:
        for fact in facts:
            _apply(fact)
    finally:
        _hearing = 0


def _apply(fact: Fact) -> None:
    key, model = _key(fact.key), fact.model
    if fact.what == "good":
        health.good(key, model)
        return
    if fact.what in ("clear", "fresh"):
        health.clear(key, model)
    seconds = fact.until - clock.unix()
    if not fact.kind or (seconds <= 0 and not fact.is_open):
        return
    health.rest(key, max(seconds, 0.0), model=model, is_soft=fact.is_soft, kind=fact.kind, is_open=fact.is_open)
    streak = health.streaks.setdefault(key, {}).setdefault(model, Streak())
    streak.length = max(streak.length, fact.length)
    streak.failures = max(streak.failures, fact.failures)
    streak.openings = max(streak.openings, fact.openings)
    streak.kind = fact.kind


def _row_of(spot: Spot) -> KeptRest:
    fact = _fact("rest", spot)
    until = datetime.fromtimestamp(fact.until, UTC)
    counts = {"length": fact.length, "failures": fact.failures, "openings": fact.openings}
    return KeptRest(key=fact.key, model=fact.model, kind=fact.kind, until=until, is_open=fact.is_open, **counts)


def _fact_of(row: KeptRest) -> Fact:
    counts = (row.length, row.failures, row.openings)
    return Fact("rest", row.key, row.model, row.until.timestamp(), False, row.kind, row.is_open, *counts)  # noqa: FBT003


def _write(rows: list[KeptRest]) -> None:
    changing = ("kind", "until", "is_open", "length", "failures", "openings")
    KeptRest.objects.bulk_create(rows, update_conflicts=True, unique_fields=("key", "model"), update_fields=changing)


def _key(text: str) -> Key:
    try:
        return UUID(text)
    except ValueError:
        return text


async def _share() -> None:
    loop = asyncio.get_running_loop()

    def heard(raw: bytes) -> None:
        with suppress(RuntimeError):  # the loop has closed under us
            # On the loop's own thread: health belongs to it.
            loop.call_soon_threadsafe(hear, raw)

    listening = shared_state.listen(CHANNEL, heard) if settings.REDIS_URL else None
    if listening is not None:
        hello = msgspec.json.encode(_Message(SENDER, is_hello=True))
        loop.call_later(HELLO_AFTER, lambda: _asker.ask(lambda: shared_state.publish(CHANNEL, hello)))
    try:
        while True:
            await asyncio.sleep(KEEP_EVERY)
            await _keep_now()
    finally:
        if listening is not None:
            listening.stop()


async def _keep_now() -> None:
    if not _unkept:
        return
    try:
        await asyncio.shield(asyncio.wrap_future(_asker.ask(keep)))
    except (DatabaseError, TooManyWaiting):
        await asyncio.sleep(AFTER_A_FAULT)


_sharer = Companion("health-share", _share)
start_sharing, stop_sharing = _sharer.start, _sharer.stop
