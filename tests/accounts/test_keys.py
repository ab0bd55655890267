"""Who is calling: issued, found, remembered, refused; the admin token and open mode."""

import asyncio

import pytest
from django.db import connection

from accounts import guesses, key_memory, keys, scopes
from accounts.models import DEFAULT_TENANT_ID
from proxx.kit import clock
from tests.accounts.conftest import WRONG

pytestmark = pytest.mark.django_db(transaction=True)

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
async def test_a_token_of_another_shape_is_refused_without_a_look_up(token, reads):
    assert not keys.looks_like_key(token)
    assert await keys.find(token) is None
    assert reads == []


# Finding


async def test_a_key_is_asked_for_once_and_then_remembered(issued, reads):
    key, token = issued
    assert keys.remembered(token) is keys.Unknown
    holder = await keys.find(token)
    assert (holder.key_id, holder.tenant_id, holder.tenant, holder.label) == (
        key.pk,
        DEFAULT_TENANT_ID,
        "default",
        "laptop",
    )
    assert (holder.scopes, holder.kind, holder.expires_at) == (scopes.expanded(["proxy:use"]), "key", None)
    assert keys.remembered(token) is holder
    assert await keys.find(token) is holder
    assert len(reads) == 1


async def test_many_who_ask_for_one_new_key_share_one_query(issued, reads):
    holders = await asyncio.gather(*(keys.find(issued[1]) for _ in range(50)))
    assert {holder.key_id for holder in holders} == {issued[0].pk}
    assert len(reads) == 1


async def test_tokens_with_equal_prefixes_never_share_an_entry(issued):
    token = issued[1]
    twin = token[:-1] + ("A" if token[-1] != "A" else "E")
    assert await keys.find(token) is not None
    assert await keys.find(twin) is None


async def test_a_wrong_key_is_refused_from_memory_for_five_seconds(reads):
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
    assert scopes.ADMIN in holder.scopes
    assert keys.looks_like_key("any shape of token")
    assert keys.remembered("any shape of toke") is None


def test_an_empty_admin_token_admits_nobody(settings):
    settings.PROXY_AUTH_TOKEN = ""
    assert keys.remembered("") is None
    assert not keys.looks_like_key("")


def test_the_open_holder_belongs_to_the_default_tenant_and_is_no_admin():
    assert (keys.open_holder().kind, keys.open_holder().tenant) == ("open", "default")
    assert keys.open_holder().scopes == scopes.expanded(["proxy:use"])
