"""Pressure: slow readers and many at once."""

import asyncio
import tracemalloc

from proxx.upstream import client
from proxx.upstream.transport.connection import Connection
from tests.upstream.conftest import MIB, Serve, ask, pool, send_and_read
from tests.upstream.raw import Peer, always, answer


async def test_a_slow_reader_makes_the_upstream_wait(serve: Serve) -> None:
    size, piece = 100 * MIB, b"x" * MIB
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            await peer.send(piece)
            sent += len(piece)

    server = await serve(script)
    response = await client.send(ask(server.url()))
    stream = aiter(response)
    received = len(await anext(stream))
    settled = -1
    while settled != sent:  # until the upstream cannot send more
        settled = sent
        for _ in range(50):
            await asyncio.sleep(0)
    assert sent < 20 * MIB
    tracemalloc.start()
    async for item in stream:
        received += len(item)
        assert response._body.unread < 1.5 * MIB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == size
    assert peak < 12 * MIB


# Numbers.


async def test_two_thousand_requests_one_after_another_use_one_connection(serve: Serve) -> None:
    server = await serve(always(answer()))
    for _ in range(2000):
        assert await send_and_read(server.url()) == b"hello"
    assert [peer.requests for peer in server.peers] == [2000]


async def test_parallel_requests_get_their_own_answers_whatever_is_cancelled(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            half = len(body) // 2
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body[:half]))
            await asyncio.sleep(0)
            await peer.send(body[half:])

    server = await serve(script)

    async def worker(number: int) -> int:
        for turn in range(20):
            body = b"%d/%d" % (number, turn) * 50
            call = asyncio.create_task(client.send(ask(server.url(), body=body)))
            if (number + turn) % 7 == 0:
                for _ in range(turn % 5):
                    await asyncio.sleep(0)
                call.cancel()
                await asyncio.wait([call])
                if not call.cancelled():
                    (await call).abandon()
                continue
            assert await (await call).read(10_000) == body
        return 1

    assert sum(await asyncio.gather(*(worker(number) for number in range(64)))) == 64
    assert isinstance(next(iter(pool()._by_age)), Connection)
    assert pool().idle <= 64
