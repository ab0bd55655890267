"""Who is calling: found, remembered, refused, rotated, revoked; and what happens while the store is away."""

import asyncio
import threading
from datetime import timedelta
from uuid import uuid4

import django.db
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from accounts import guesses, key_memory, keys
from accounts.models import DEFAULT_TENANT_ID, ApiKey, Tenant
from proxx.kit import clock

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = "pxx_" + "A" * 43


@pytest.fixture(autouse=True)
def _fresh_memory():
    keys.forget()
    yield
    keys.forget()


@pytest.fixture
def tenant():
    return Tenant.objects.get(pk=DEFAULT_TENANT_ID)


@pytest.fixture
def issued(tenant):
    return keys.issue(tenant, label="laptop")


@pytest.fixture
def away(monkeypatch):
    """A switch: from its call on the database answers nothing."""

    def go_away():
        def fail(digests):
            raise django.db.OperationalError("away")

        monkeypatch.setattr(key_memory, "_read", fail)

    return go_away


@sync_to_async
def in_thread(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    finally:
        connection.close()  # a thread of its own, whose session would outlive the test database


def count_reads(monkeypatch):
    reads, real = [], key_memory._read

    def read(digests):
        reads.append(list(digests))
        return real(digests)

    monkeypatch.setattr(key_memory, "_read", read)
    return reads


# Issuing


def test_a_token_is_256_random_bits_and_no_table_holds_it(issued):
    key, token = issued
    assert len(token) == 47
    assert keys.looks_like_key(token)
    assert (key.prefix, key.last4) == (token[:12], token[-4:])
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            dump = repr(cursor.fetchall())
            assert token not in dump
            assert token[4:17] not in dump


@pytest.mark.parametrize(
    "token",
    [
        "",
        "pxx_",
        "pxx_" + "A" * 42,
        "pxx_" + "A" * 44,
        "pxx_" + "A" * 42 + "\n",
        "pxx_" + "é" * 43,
        "sk-" + "A" * 44,
        "' OR 1=1 --" + "A" * 36,
        "\x00" * 47,
        "\udcff" * 47,
        "A" * 100_000,
    ],
)
async def test_a_token_of_another_shape_is_refused_without_a_look_up(token, monkeypatch):
    reads = count_reads(monkeypatch)
    assert not keys.looks_like_key(token)
    assert await keys.find(token) is None
    assert reads == []


# Finding


async def test_a_key_is_asked_for_once_and_then_remembered(issued, monkeypatch):
    key, token = issued
    reads = count_reads(monkeypatch)
    assert keys.remembered(token) is keys.Unknown
    holder = await keys.find(token)
    assert (holder.key_id, holder.tenant_id, holder.tenant, holder.label) == (
        key.pk,
        DEFAULT_TENANT_ID,
        "default",
        "laptop",
    )
    assert (holder.scopes, holder.kind, holder.expires_at) == (frozenset({"proxy:use"}), "key", None)
    assert keys.remembered(token) is holder
    assert await keys.find(token) is holder
    assert len(reads) == 1


async def test_many_who_ask_for_one_new_key_share_one_query(issued, monkeypatch):
    reads = count_reads(monkeypatch)
    holders = await asyncio.gather(*(keys.find(issued[1]) for _ in range(50)))
    assert {holder.key_id for holder in holders} == {issued[0].pk}
    assert len(reads) == 1


async def test_tokens_with_equal_prefixes_never_share_an_entry(issued):
    token = issued[1]
    twin = token[:-1] + ("A" if token[-1] != "A" else "E")
    assert await keys.find(token) is not None
    assert await keys.find(twin) is None


async def test_a_wrong_key_is_refused_from_memory_for_five_seconds(monkeypatch):
    reads = count_reads(monkeypatch)
    with clock.stopped() as time:
        assert await keys.find(WRONG) is None
        time.advance(4.9)
        assert await keys.find(WRONG) is None
        assert len(reads) == 1
        time.advance(0.2)
        assert keys.remembered(WRONG) is keys.Unknown


async def test_guesses_are_limited_and_remembered_keys_are_not(issued, monkeypatch):
    monkeypatch.setattr(key_memory, "REFUSED_LIMIT", 10)
    with clock.stopped():
        holder = await keys.find(issued[1])
        for number in range(guesses.ADDRESS_BURST):
            assert await keys.find(f"pxx_{number:043d}", address="192.0.2.1") is None
        with pytest.raises(keys.TooManyGuesses) as caught:
            await keys.find(WRONG, address="192.0.2.1")
        assert caught.value.retry_after >= 1
        assert await keys.find(WRONG, address="192.0.2.2") is None
        assert await keys.find(issued[1], address="192.0.2.1") is holder
    assert len(keys._memory._refused) == 10


def test_memory_of_known_keys_is_bounded_too():
    entries: dict[str, int] = {}
    for number in range(20):
        key_memory._put(entries, str(number), number, 5)
    assert list(entries) == ["15", "16", "17", "18", "19"]


# The admin token and open mode


def test_the_admin_token_needs_no_database(settings, django_assert_num_queries):
    settings.PROXY_AUTH_TOKEN = "any shape of token"
    with django_assert_num_queries(0):
        holder = keys.remembered("any shape of token")
    assert (holder.kind, holder.tenant, holder.tenant_id, holder.key_id) == (
        "admin",
        "default",
        DEFAULT_TENANT_ID,
        None,
    )
    assert keys.ADMIN_SCOPE in holder.scopes
    assert keys.looks_like_key("any shape of token")
    assert keys.remembered("any shape of toke") is None


def test_an_empty_admin_token_admits_nobody(settings):
    settings.PROXY_AUTH_TOKEN = ""
    assert keys.remembered("") is None
    assert not keys.looks_like_key("")


def test_the_open_holder_belongs_to_the_default_tenant_and_is_no_admin():
    assert (keys.open_holder().kind, keys.open_holder().tenant) == ("open", "default")
    assert keys.open_holder().scopes == {"proxy:use"}


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


# The store is away


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


# Last use


def test_last_use_only_moves_forward_and_raises_no_signal(issued):
    from django.db.models.signals import pre_save

    heard = []

    def hear(sender, **_):
        heard.append(sender)

    now = clock.now()
    pre_save.connect(hear)
    try:
        keys.note_used(
            [(issued[0].pk, now), (issued[0].pk, now - timedelta(seconds=5)), (uuid4(), now)],
        )
        keys.note_used([(issued[0].pk, now - timedelta(days=1))])
    finally:
        pre_save.disconnect(hear)
    assert ApiKey.objects.get().last_used_at == now
    assert heard == []


def test_the_digest_is_hmac_sha_256_under_the_pepper(settings):
    import hmac

    from proxx.kit import sealing

    for pepper in ("short", "x" * 64, "longer than a block of the hash " * 5):
        settings.KEY_PEPPER = pepper
        assert sealing.digest(WRONG) == hmac.digest(pepper.encode(), WRONG.encode(), "sha256").hex()
