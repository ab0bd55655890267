"""How a key ends: expired, revoked, rotated, its tenant switched off; and that its last use is noted."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.signals import pre_save

from accounts import key_memory, keys
from accounts.models import ApiKey, Tenant
from proxx.kit import clock
from tests.accounts.conftest import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

# Ending


async def test_a_revoked_key_ends_with_the_refresh_that_follows(issued):
    key, token = issued
    await keys.find(token)
    await in_thread(keys.revoke, key)
    await in_thread(keys.refresh_known)
    assert await keys.find(token) is None


async def test_a_key_of_an_inactive_tenant_is_refused(issued, tenant):
    await keys.find(issued[1])
    await in_thread(Tenant.objects.filter(pk=tenant.pk).update, is_active=False)
    await in_thread(keys.refresh_known)
    assert await keys.find(issued[1]) is None


async def test_an_expired_key_ends_by_itself(tenant):
    with clock.stopped() as time:
        _, token = await in_thread(keys.issue, tenant, label="x", expires_at=clock.now() + timedelta(seconds=60))
        assert (await keys.find(token)).expires_at == pytest.approx(clock.unix() + 60)
        time.advance(59)
        assert keys.remembered(token) is not None
        time.advance(1.001)
        assert await keys.find(token) is None
        keys.forget()
        assert await keys.find(token) is None


async def test_rotation_lets_the_old_key_work_until_the_overlap_ends(issued):
    old, old_token = issued
    with clock.stopped() as time:
        new, new_token = await in_thread(keys.rotate, old, overlap=timedelta(hours=1))
        assert (new.replaces_id, new.label, new.tenant_id) == (old.pk, old.label, old.tenant_id)
        assert await keys.find(old_token) is not None
        time.advance(3601)
        assert await keys.find(old_token) is None
        assert await keys.find(new_token) is not None


async def test_rotation_without_overlap_ends_the_old_key_at_once(issued):
    await in_thread(keys.rotate, issued[0], overlap=timedelta(0))
    assert await keys.find(issued[1]) is None


def test_a_rotated_key_passes_on_its_lifetime_and_its_end_is_never_put_off(tenant):
    with clock.stopped() as time:
        key, _ = keys.issue(tenant, label="x", expires_at=clock.now() + timedelta(days=30))
        time.advance(29 * 86400)
        end = key.expires_at
        new, _ = keys.rotate(key, overlap=timedelta(days=7))
        assert new.expires_at == clock.now() + timedelta(days=30)
        assert key.expires_at == end


def test_a_revoked_key_cannot_be_rotated_back_to_life(issued):
    stale = ApiKey.objects.get(pk=issued[0].pk)
    keys.revoke(issued[0])
    with pytest.raises(keys.KeyNotActive):
        keys.rotate(stale, overlap=timedelta(days=1))
    assert ApiKey.objects.count() == 1


def test_revoking_twice_keeps_the_first_moment(issued):
    with clock.stopped() as time:
        keys.revoke(issued[0])
        first = issued[0].revoked_at
        time.advance(60)
        keys.revoke(issued[0])
        assert ApiKey.objects.get().revoked_at == first


async def test_a_look_up_that_a_refresh_overtook_asks_again(issued, monkeypatch):
    key, token = issued
    real, rounds = key_memory._read, []

    def read(digests):
        found = real(digests)
        if digests and not rounds:
            rounds.append(1)
            keys.revoke(key)  # after our query, before its answer is remembered
            keys.refresh_known()
        return found

    monkeypatch.setattr(key_memory, "_read", read)
    assert await keys.find(token) is None
    assert keys.remembered(token) is None


# Last use


def test_last_use_only_moves_forward_and_raises_no_signal(issued):
    heard = []

    def hear(sender, **_):
        heard.append(sender)

    now = clock.now()
    pre_save.connect(hear)
    try:
        keys.note_used(
            [(issued[0].pk, now, "192.0.2.1"), (issued[0].pk, now - timedelta(seconds=5), "::1"), (uuid4(), now, "")],
        )
        keys.note_used([(issued[0].pk, now - timedelta(days=1), "::2")])
    finally:
        pre_save.disconnect(hear)
    noted = ApiKey.objects.get()
    assert (noted.last_used_at, noted.last_used_from) == (now, "192.0.2.1")
    assert heard == []
