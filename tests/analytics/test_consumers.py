import asyncio
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from accounts.models import Operator
from accounts.rights import Role
from analytics import consumers, live
from analytics.consumers import PATH, TrafficConsumer, from_own_page, traffic_socket
from proxx.kit import fastjson
from tests import factories
from tests.analytics.records import record

pytestmark = pytest.mark.django_db(transaction=True)

OWN = [(b"host", b"proxx.example"), (b"origin", b"https://proxx.example")]


def socket(user, headers=OWN):
    communicator = WebsocketCommunicator(TrafficConsumer.as_asgi(), PATH, headers=headers)
    communicator.scope["user"] = user
    return communicator


def boss(**changes):
    return Operator(username="boss", **{"is_staff": True, "is_superuser": True, **changes})


def a_member_of(tenant_id):
    return factories.make_operator(role=Role.TENANT_MEMBER, tenant=factories.make_tenant(id=tenant_id))


async def test_an_operator_hears_of_every_batch():
    page = socket(boss())
    connected, _ = await page.connect()
    assert connected
    await live.publish(stored := [record(), record(outcome="error")])
    assert fastjson.loads(await page.receive_from()) == {"count": 2, "ids": [str(one.id) for one in stored]}
    await page.disconnect()
    assert not get_channel_layer().groups.get(live.GROUP)


@pytest.mark.parametrize(
    "user", [AnonymousUser(), boss(is_active=False), boss(is_staff=False), boss(is_superuser=False), None]
)
async def test_nobody_else_is_let_in(user):
    connected, code = await socket(user).connect()
    assert (connected, code) == (False, consumers.FORBIDDEN)


async def test_an_operator_hears_of_their_own_tenants_only():
    own, other = uuid4(), uuid4()
    operator = await database_sync_to_async(a_member_of)(own)
    page = socket(operator)
    assert (await page.connect())[0]
    await live.publish([record(tenant_id=other)])
    await live.publish([mine := record(tenant_id=own), record(tenant_id=other)])
    assert fastjson.loads(await page.receive_from()) == {"count": 1, "ids": [str(mine.id)]}
    await page.disconnect()


async def test_a_role_that_was_taken_away_closes_the_socket(monkeypatch):
    monkeypatch.setattr(consumers, "JUDGED", -1)
    own = uuid4()
    operator = await database_sync_to_async(a_member_of)(own)
    page = socket(operator)
    assert (await page.connect())[0]
    await live.publish([record(tenant_id=own)])
    assert fastjson.loads(await page.receive_from())["count"] == 1
    await database_sync_to_async(operator.memberships.all().delete)()
    await live.publish([record(tenant_id=own)])
    assert await page.receive_output() == {"type": "websocket.close", "code": consumers.FORBIDDEN}


@pytest.mark.parametrize("origin", [b"https://evil.example", b"", b"null", b"file://proxx.example", b"//proxx.example"])
async def test_a_page_of_another_origin_is_not_let_in(origin):
    connected, _ = await socket(boss(), [(b"host", b"proxx.example"), (b"origin", origin)]).connect()
    assert not connected


def test_the_public_address_may_differ_from_the_host(settings):
    scope = {"headers": [(b"host", b"10.0.0.5:8789"), (b"origin", b"https://llm.example")]}
    assert not from_own_page(scope)
    settings.PUBLIC_URL = "https://llm.example"
    assert from_own_page(scope)


async def test_a_socket_is_closed_after_a_while_so_that_rights_are_judged_anew(monkeypatch):
    monkeypatch.setattr(consumers, "LIFE", 0.001)
    page = socket(boss())
    await page.connect()
    assert await page.receive_output() == {"type": "websocket.close", "code": consumers.ENDED}
    await page.disconnect()


async def test_the_console_session_is_what_counts(client):
    operator = await database_sync_to_async(Operator.objects.create_superuser)("boss", password="irrelevant here")
    await database_sync_to_async(client.force_login)(operator)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode()
    async with asyncio.timeout(5):
        signed_in = WebsocketCommunicator(traffic_socket, PATH, headers=[*OWN, (b"cookie", cookie)])
        assert (await signed_in.connect())[0]
        await signed_in.disconnect()
        stranger = WebsocketCommunicator(traffic_socket, PATH, headers=OWN)
        assert not (await stranger.connect())[0]


async def test_a_sign_in_that_was_ended_closes_its_socket(client, monkeypatch):
    monkeypatch.setattr(consumers, "JUDGED", -1)
    operator = await database_sync_to_async(Operator.objects.create_superuser)("boss", password="irrelevant here")
    await database_sync_to_async(client.force_login)(operator)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode()
    page = WebsocketCommunicator(traffic_socket, PATH, headers=[*OWN, (b"cookie", cookie)])
    assert (await page.connect())[0]
    await live.publish([record()])
    assert fastjson.loads(await page.receive_from())["count"] == 1
    await database_sync_to_async(lambda: client.session.flush())()
    await live.publish([record()])
    assert await page.receive_output() == {"type": "websocket.close", "code": consumers.FORBIDDEN}
