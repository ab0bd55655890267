"""Waiting: for a head, for the next byte, for our own request to leave."""

import asyncio

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.message import Timeouts
from tests.upstream.conftest import BRIEF, MIB, Serve, ask, mute, pool, until
from tests.upstream.raw import Peer, always, answer


async def test_an_upstream_without_an_answer_times_out(serve: Serve) -> None:
    server = await serve(mute)
    with pytest.raises(httpx.ReadTimeout, match="no response head"):
        await client.send(ask(server.url(), timeouts=Timeouts(connect=5, headers=BRIEF, idle=5)))
    await server.peers[0].left.wait()


async def test_a_head_that_trickles_does_not_move_the_deadline(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await peer.send(b"x: y\r\n")
            await asyncio.sleep(BRIEF / 5)

    server = await serve(script)
    with pytest.raises(httpx.ReadTimeout, match="no response head"):
        await client.send(ask(server.url(), timeouts=Timeouts(connect=5, headers=BRIEF, idle=5)))


async def test_a_stream_that_falls_silent_times_out_after_what_came(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        await peer.gone()

    server = await serve(script)
    stream = aiter(await client.send(ask(server.url(), timeouts=Timeouts(connect=5, headers=5, idle=BRIEF))))
    assert await anext(stream) == b"hello"
    async with asyncio.timeout(2):
        with pytest.raises(httpx.ReadTimeout, match="silent"):
            await anext(stream)


async def test_an_idle_time_shorter_than_the_wait_for_the_head_is_kept(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await asyncio.sleep(2 * BRIEF)
            await peer.send(answer())

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5, idle=BRIEF)
    for _ in range(2):
        assert await (await client.send(ask(server.url(), timeouts=timeouts))).read(100) == b"hello"
    assert len(server.peers) == 1


async def test_an_upstream_that_stops_taking_the_request_times_out(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()
        await asyncio.Event().wait()

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5, idle=BRIEF)
    with pytest.raises(httpx.WriteTimeout):
        await client.send(ask(server.url(), body=b"x" * (32 * MIB), timeouts=timeouts))


async def test_an_answer_before_the_request_has_left_is_read_and_the_connection_closed(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.transport.pause_reading()
        await peer.send(answer(b"too large", status="413 Content Too Large"))
        await read.wait()

    read = asyncio.Event()
    server = await serve(script)
    response = await client.send(ask(server.url(), body=b"x" * (32 * MIB)))
    assert response.status == 413
    assert await response.read(100) == b"too large"
    assert pool().idle == 0
    read.set()


# Error answers: what came of them is enough.


@pytest.mark.parametrize(
    ("wire", "limit", "expected"),
    [
        (b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nhello", 100, b"hello"),
        (b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", 100, b"hello"),
        (b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nhelloworld", 4, b"hell"),
        (b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\n", 100, b""),
    ],
    ids=["truncated", "not-http", "too-large", "nothing"],
)
async def test_some_of_an_error_answer_is_what_came_of_it(
    serve: Serve, wire: bytes, limit: int, expected: bytes
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(wire)

    server = await serve(script)
    response = await client.send(ask(server.url()))
    assert await response.read_some(limit, 5.0) == expected
    await until(lambda: not len(pool()))


@pytest.mark.parametrize("idle", [BRIEF, 5.0], ids=["idle-time", "own-time"])
async def test_some_of_an_answer_that_stalls_is_what_came_in_time(serve: Serve, idle: float) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nhello")
        await peer.gone()

    server = await serve(script)
    response = await client.send(ask(server.url(), timeouts=Timeouts(connect=5, headers=5, idle=idle)))
    async with asyncio.timeout(2):
        assert await response.read_some(100, 5.0 if idle == BRIEF else BRIEF) == b"hello"
        await server.peers[0].left.wait()


async def test_some_of_an_answer_that_trickles_ends_in_time(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 500 No\r\n\r\n")
        while True:
            await peer.send(b"x")
            await asyncio.sleep(BRIEF / 5)

    server = await serve(script)
    response = await client.send(ask(server.url()))
    async with asyncio.timeout(2):
        assert set(await response.read_some(10_000, 2 * BRIEF)) == set(b"x")
        await until(lambda: not len(pool()))


async def test_a_whole_error_answer_gives_its_connection_back(serve: Serve) -> None:
    server = await serve(always(answer(status="500 No")))
    for limit in (5, 100):
        assert await (await client.send(ask(server.url()))).read_some(limit, 5.0) == b"hello"
    assert len(server.peers) == 1


async def test_whoever_leaves_while_some_is_read_still_leaves(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\n")
        await peer.gone()

    server = await serve(script)
    task = asyncio.create_task((await client.send(ask(server.url()))).read_some(100, 5.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
