"""A warm call asks no database and hops to no thread before its last byte, whole or streamed."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import limits
from accounts.asking import Asker
from accounts.models import Credential, Limit, Tenant
from oauth import held
from oauth.models import OAuthAccount
from proxx.api.handler import application
from proxx.kit import clock
from proxx.upstream import client
from routing import reload
from tests import factories
from tests.own_redis import OwnRedis
from tests.upstreams.server import SimulatedProvider

pytestmark = pytest.mark.django_db(transaction=True)


class Touched(AssertionError):
    """The hot path did what it must not do."""


@pytest.fixture
def serving(settings, provider: SimulatedProvider) -> Iterator[str]:
    """Configuration in memory as a running server has it, and a key's token."""
    settings.ENVIRONMENT = {"OPENAI_BASE_URL": provider.base_url}
    factories.make_credential("openai")
    token = factories.make_key().token
    reload.install(None)
    reload.current()
    yield token
    reload.install(None)


@pytest.fixture
def serving_signed_in(serving: str) -> Iterator[str]:
    """The same with an account that was signed in to, whose token is renewed."""
    row = Credential.objects.get()
    row.expires_at = clock.now() + timedelta(hours=1)
    row.save()
    OAuthAccount.objects.create(credential=row, sign_in="openai", refresh_token="rt-1")
    reload.install(None)
    assert reload.current().credentials["openai"][0].sign_in == "openai"
    yield serving
    held.keep_only(())


@contextmanager
def nothing_touched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every query and every new thread or executor job a failure."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise Touched

    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "run_in_executor", refuse)
        patch.setattr(threading.Thread, "start", refuse)
        patch.setattr(Asker, "ask", refuse)
        patch.setattr(BaseDatabaseWrapper, "cursor", refuse)
        yield


async def exchange(token: str, *, stream: bool) -> tuple[int, bytes]:
    body = json.dumps({"model": "gpt-x", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer " + token.encode()), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8789),
    }
    sent: list[dict] = []
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict:
        message = next(messages, None)
        return message if message is not None else await asyncio.get_running_loop().create_future()

    async def send(message: dict) -> None:
        sent.append(message)

    await asyncio.create_task(application(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_warm_call_touches_neither_database_nor_thread(serving, monkeypatch, stream):
    cold = await exchange(serving, stream=stream)
    with nothing_touched(monkeypatch):
        warm = await exchange(serving, stream=stream)
    await client.close_all()
    assert cold[0] == warm[0] == 200
    assert b"choices" in warm[1]


async def test_nor_does_one_that_a_signed_in_account_answers(serving_signed_in, monkeypatch):
    await exchange(serving_signed_in, stream=True)
    with nothing_touched(monkeypatch):
        status, _ = await exchange(serving_signed_in, stream=True)
    await client.close_all()
    assert status == 200


async def test_a_call_under_every_limit_is_admitted_from_memory(serving, settings, monkeypatch):
    settings.PROXY_LIMITS = "local"
    await asyncio.to_thread(limit_everything)
    cold = await exchange(serving, stream=False)
    with nothing_touched(monkeypatch):
        warm = await exchange(serving, stream=False)
    await client.close_all()
    limits.forget()
    assert cold[0] == warm[0] == 200


async def test_a_call_under_every_limit_is_admitted_by_redis(serving, settings, monkeypatch, own_redis: OwnRedis):
    settings.PROXY_LIMITS, settings.REDIS_URL = "redis", own_redis.url
    await asyncio.to_thread(limit_everything)
    cold = await exchange(serving, stream=False)  # has the database set something aside
    before = commands(own_redis)
    with nothing_touched(monkeypatch):
        warm = await exchange(serving, stream=False)
    assert commands(own_redis) > before
    await client.close_all()
    limits.forget()
    assert cold[0] == warm[0] == 200


def commands(redis: OwnRedis) -> int:
    """Return how many scripts Redis has run by their name."""
    with redis.client as asking:
        return int(asking.info("commandstats")["cmdstat_evalsha"]["calls"])


def limit_everything() -> None:
    tenant = factories.default_tenant()
    tenant.unpriced = Tenant.Unpriced.FLAG
    tenant.save()
    for kind in Limit.Kind.values:
        Limit.objects.create(tenant=tenant, kind=kind, amount=10**12)
    reload.install(None)
    reload.current()
    connection.close()  # this thread's


async def test_the_guard_itself_notices_a_query(serving, monkeypatch):
    """The first call of an unknown key must ask the store: proof that the guard above would catch one."""
    stranger = "pxx_" + "x" * 43
    with nothing_touched(monkeypatch):
        status, _ = await exchange(stranger, stream=False)
    await client.close_all()
    assert status == 500
