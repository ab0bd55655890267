"""What a process does while the store of keys is away, slow or busy; and how entries grow old."""

import asyncio
import hmac
import threading

import django.db
import pytest

from accounts import key_memory, keys
from accounts.models import ApiKey
from proxx.kit import clock, sealing
from tests.accounts.conftest import WRONG, in_thread

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_remembered_key_is_good_for_the_grace_and_then_unavailable(issued, away, settings):
    settings.PROXY_KEY_GRACE = 120
    with clock.stopped() as time:
        await keys.find(issued[1])
        time.advance(100)
        keys.confirm_contact()
        away()
        time.advance(120)
        assert await keys.find(issued[1]) is not None
        time.advance(1)
        with pytest.raises(keys.IdentityUnavailable):
            await keys.find(issued[1])


async def test_without_grace_a_remembered_key_outlives_only_a_late_poll(issued, away, settings):
    settings.PROXY_KEY_GRACE = 0
    with clock.stopped() as time:
        await keys.find(issued[1])
        away()
        time.advance(key_memory.FRESH)
        assert await keys.find(issued[1]) is not None
        time.advance(0.1)
        with pytest.raises(keys.IdentityUnavailable):
            await keys.find(issued[1])


async def test_an_unseen_key_is_unavailable_not_refused(issued, away):
    away()
    with pytest.raises(keys.IdentityUnavailable) as caught:
        await keys.find(issued[1])
    assert caught.value.retry_after > 0
    assert keys.remembered(issued[1]) is keys.Unknown


async def test_a_failed_refresh_keeps_memory_and_contact_confirms_nothing(issued, monkeypatch, settings):
    settings.PROXY_KEY_GRACE = 120
    real = key_memory._read

    def fail(digests):
        raise django.db.OperationalError("away")

    with clock.stopped() as time:
        holder = await keys.find(issued[1])
        monkeypatch.setattr(key_memory, "_read", fail)
        with pytest.raises(django.db.OperationalError):
            keys.refresh_known()
        assert keys.remembered(issued[1]) is holder
        await in_thread(keys.revoke, issued[0])
        time.advance(119)
        keys.confirm_contact()  # the refresh that it starts fails as well
        keys._memory._rereading.result(5)
        time.advance(2)
        assert keys.remembered(issued[1]) is keys.Unknown
        monkeypatch.setattr(key_memory, "_read", real)
        keys.confirm_contact()
        keys._memory._rereading.result(5)
        assert await keys.find(issued[1]) is None


async def test_entries_are_read_again_now_and_then_without_any_announcement(issued):
    with clock.stopped() as time:
        await keys.find(issued[1])
        await in_thread(ApiKey.objects.update, revoked_at=clock.now())  # behind our back: no signal
        time.advance(key_memory.REREAD_EVERY)
        keys.confirm_contact()
        keys._memory._rereading.result(5)
        assert await keys.find(issued[1]) is None


async def test_a_store_that_hangs_holds_callers_for_a_bounded_time_only(issued, monkeypatch):
    release, asked = threading.Event(), threading.Event()

    def hang(digests):
        asked.set()
        release.wait(10)
        return {}

    monkeypatch.setattr(key_memory, "_read", hang)
    monkeypatch.setattr(key_memory, "PATIENCE", 0.02)
    monkeypatch.setattr(keys, "PATIENCE", 0.02)
    with pytest.raises(keys.IdentityUnavailable):
        await keys.find(issued[1])
    assert asked.is_set()
    with clock.stopped() as time:
        time.advance(1)
        with pytest.raises(keys.IdentityUnavailable):  # at once: it does not even queue
            await keys.find(WRONG)
    pending = list(keys._memory._pending.values())
    assert len(pending) == 1
    release.set()
    pending[0].result(5)


async def test_a_full_line_is_unavailable(issued, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(key_memory, "_read", lambda digests: release.wait(10) and {})
    monkeypatch.setattr(key_memory, "WAITING_LIMIT", 2)
    keys.forget()
    waiting = [asyncio.create_task(keys.find(f"pxx_{number:043d}")) for number in range(2)]
    await asyncio.sleep(0)
    full = 0
    for number in range(2, 6):
        try:
            keys._memory.look_up(str(number))
        except keys.IdentityUnavailable:
            full += 1
    assert full >= 2
    release.set()
    assert await asyncio.gather(*waiting) == [None, None]


def test_the_digest_is_hmac_sha_256_under_the_pepper(settings):
    for pepper in ("short", "x" * 64, "longer than a block of the hash " * 5):
        settings.KEY_PEPPER = pepper
        assert sealing.digest(WRONG) == hmac.digest(pepper.encode(), WRONG.encode(), "sha256").hex()
