"""How many unused connections are kept, and which go first."""

import asyncio

import pytest

from proxx.upstream import client
from proxx.upstream.transport import pool as pools
from tests.upstream.conftest import Serve, ask, pool, until
from tests.upstream.raw import Peer, answer


async def gathered(peer: Peer) -> None:
    while True:
        await peer.request()
        await asyncio.sleep(0.01)
        await peer.send(answer())


async def send_many(url: str, number: int) -> None:
    async def one() -> None:
        await (await client.send(ask(url))).read(100)

    await asyncio.gather(*(one() for _ in range(number)))


async def test_no_more_than_its_share_is_kept_for_one_origin(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "IDLE_PER_ORIGIN", 3)
    server = await serve(gathered)
    await send_many(server.url(), 10)
    assert len(server.peers) == 10
    assert pool().idle == 3
    await until(lambda: len(pool()) == 3)


async def test_the_oldest_makes_room_for_another_origin(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "IDLE_TOTAL", 2)
    first, second = await serve(gathered), await serve(gathered)
    await send_many(first.url(), 2)
    await send_many(second.url(), 1)
    await until(lambda: pool().idle == 2)
    await send_many(second.url(), 1)
    assert len(second.peers) == 1


async def test_the_last_used_is_the_first_taken(serve: Serve) -> None:
    server = await serve(gathered)
    await send_many(server.url(), 3)
    for _ in range(5):
        await send_many(server.url(), 1)
    assert sorted(peer.requests for peer in server.peers) == [1, 1, 6]


async def test_origins_do_not_share_connections(serve: Serve) -> None:
    first, second = await serve(gathered), await serve(gathered)
    for server in (first, second, first, second):
        await send_many(server.url(), 1)
    assert [len(server.peers) for server in (first, second)] == [1, 1]


async def test_a_closed_pool_keeps_nothing_and_ends_what_is_under_way(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await peer.gone()

    server = await serve(script)
    response = await client.send(ask(server.url()))
    assert await anext(aiter(response)) == b"hello"
    mine = pool()
    await client.close_all()
    assert len(mine) == mine.idle == 0
    with pytest.raises(Exception, match="closed on our side"):
        await anext(aiter(response))
