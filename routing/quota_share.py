"""What one process hears of accounts, all know: by messages at once (Redis), by the table within seconds.

A task beside the calls; the database and Redis are asked from a thread of its own, so nobody waits for them. What was
known before a start is read from the table.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models.signals import pre_save

from accounts.asking import Asker
from accounts.models import Credential
from oauth.plan_usage import PlanUsage
from proxx.kit import clock, sealing, shared_state
from proxx.kit.companion import Companion
from routing import quota, quota_store
from routing.quota import Standing

log = logging.getLogger(__name__)

CHANNEL = "quota"
TICK = 1.0  # seconds between two looks at what came in; nothing is read for it
STORE_SECONDS = 10.0
LOOK_SECONDS = 15.0
OVERLAP = 60.0  # seconds that a look reaches back: others' rows may be stored late, and clocks differ


class _Message(msgspec.Struct):
    standings: list[tuple[UUID, Standing]]


_message = msgspec.json.Decoder(_Message)
_inbox: deque[bytes] = deque(maxlen=1_000)
_asker = Asker("quota-share", waiting_limit=2)


def tell(heard: Mapping[UUID, Standing]) -> None:
    """Tell this process and, with Redis, the others. From a thread, never from the loop."""
    if heard:
        shared_state.publish(CHANNEL, msgspec.json.encode(_Message(list(heard.items()))))


def forget(keys: Iterable[UUID]) -> None:
    """Let everybody know that nothing is known of these accounts' quota any more. Blocking."""
    nothing = {key: Standing(PlanUsage(()), clock.unix(), "") for key in keys}
    quota_store.save(nothing)
    tell(nothing)


def follow_secrets() -> None:
    """From now on forget what is known of an account whose secret is replaced: it may be another account's."""
    pre_save.connect(_before_save, sender=Credential, dispatch_uid="quota-of-a-replaced-secret")


def _before_save(instance: Credential, using: str, raw: bool = False, **_: Any) -> None:  # noqa: FBT001, FBT002 - Django's signature
    # In memory a stored secret is sealed; plain text is a new one.
    is_new = bool(instance.secret) and not sealing.is_sealed(instance.secret)
    if is_new and not raw and not instance._state.adding:
        transaction.on_commit(lambda: forget([instance.pk]), using=using)


def take_in() -> None:
    """Take in what was told; on the loop, to which the picture belongs."""
    while _inbox:
        try:
            message = _message.decode(_inbox.popleft())
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # of a version that speaks otherwise
        for key, standing in message.standings:
            quota.note(key, standing)


class Round:
    """What was told and stored so far. Each step returns what a thread should do; the loop does the rest."""

    def __init__(self) -> None:
        self._stored: dict[UUID, Standing] = {}
        self._told: dict[UUID, Standing] = {}
        self._store_at = self._look_at = float("-inf")
        self._seen = 0.0

    async def step(self) -> None:
        """Take in, tell, store and look, each in its time."""
        take_in()
        now = clock.monotonic()
        fresh = {key: one for key, one in quota.news.items() if self._told.get(key) is not one}
        stores, looks = now >= self._store_at and bool(quota.news), now >= self._look_at
        if not (fresh or stores or looks):
            return
        self._told |= fresh
        batch: dict[UUID, Standing] = {}
        if stores:
            self._store_at = now + STORE_SECONDS
            batch = {key: one for key, one in quota.news.items() if not _is_same(self._stored.get(key), one)}
            quota.news.clear()
            self._told.clear()
        try:
            found = await _asked(fresh, batch, self._seen if looks else None)
        except BaseException:
            for key, one in batch.items():
                quota.news.setdefault(key, one)  # stored the next time
            raise
        self._stored |= batch
        if looks:
            self._look_at = now + LOOK_SECONDS
            self._seen = clock.unix() - OVERLAP
            self._stored |= found
            for key, standing in found.items():
                quota.note(key, standing)


async def _asked(
    fresh: Mapping[UUID, Standing], batch: Mapping[UUID, Standing], since: float | None
) -> dict[UUID, Standing]:
    def work() -> dict[UUID, Standing]:
        tell(fresh)
        if batch:
            quota_store.save(batch)
        return quota_store.since(since) if since is not None else {}

    # Shielded: a question that was put is answered, and a thread must not find its future cancelled.
    return await asyncio.shield(asyncio.wrap_future(_asker.ask(work)))


def _is_same(before: Standing | None, now: Standing) -> bool:
    return before is not None and before.usage == now.usage


async def _share() -> None:
    rounds, failed = Round(), False
    listening = shared_state.listen(CHANNEL, _inbox.append)
    try:
        while True:
            try:
                await rounds.step()
                failed = False
            except Exception:  # it must outlive whatever it meets
                if not failed:
                    log.exception("What accounts have left could not be shared.")
                failed = True
                await asyncio.sleep(LOOK_SECONDS)
            await asyncio.sleep(TICK)
    finally:
        listening.stop()


_sharer = Companion("quota-share", _share)
start_sharing, stop_sharing = _sharer.start, _sharer.stop
