"""Stopping: whoever leaves closes the connection, and nobody touches another's."""

import asyncio

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.message import Timeouts
from tests.upstream.conftest import BRIEF, MIB, Serve, ask, mute, pool, until
from tests.upstream.raw import Peer, always, answer, chunked


async def test_cancelling_the_wait_for_the_head_closes_at_once(serve: Serve) -> None:
    server = await serve(mute)
    task = asyncio.create_task(client.send(ask(server.url())))
    await until(lambda: server.peers and server.peers[0].requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1):
        await server.peers[0].left.wait()


async def test_cancelling_a_read_of_the_body_closes_at_once(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        await peer.gone()

    server = await serve(script)
    response = await client.send(ask(server.url()))
    task = asyncio.create_task(response.read(100))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1):
        await server.peers[0].left.wait()


@pytest.mark.parametrize("how", ["aclose", "abandon"])
async def test_giving_up_inside_a_body_closes_and_never_pools(serve: Serve, how: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
        await peer.gone()

    server = await serve(script)
    response = await client.send(ask(server.url()))
    assert await anext(aiter(response)) == b"hello"
    if how == "aclose":
        await response.aclose()
        await response.aclose()
    else:
        response.abandon()
        response.abandon()
    with pytest.raises(httpx.StreamClosed):
        await anext(aiter(response))
    async with asyncio.timeout(1):
        await server.peers[0].left.wait()
    assert pool().idle == 0


async def test_abandoning_wakes_whoever_reads(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        await peer.gone()

    server = await serve(script)
    response = await client.send(ask(server.url()))
    task = asyncio.create_task(response.read(100))
    await asyncio.sleep(0)
    response.abandon()
    with pytest.raises(httpx.StreamClosed):
        await task


async def test_giving_up_an_answer_that_is_all_here_keeps_the_connection(serve: Serve) -> None:
    server = await serve(always(answer()))
    for _ in range(3):
        await (await client.send(ask(server.url()))).aclose()
    assert len(server.peers) == 1


async def test_an_old_answer_cannot_touch_a_connection_that_serves_another(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"first"))
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsec")
        await abandoned.wait()
        await peer.send(b"ond")
        await peer.gone()

    abandoned = asyncio.Event()
    server = await serve(script)
    first = await client.send(ask(server.url()))
    second = await client.send(ask(server.url()))
    first.abandon()
    abandoned.set()
    assert await second.read(100) == b"second"
    assert len(server.peers) == 1


# The end mark was seen; the end itself is on its way.


async def test_an_answer_whose_end_comes_later_gives_its_connection_back(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        for number in range(3):
            await peer.request()
            await peer.send(chunked(b"data: [DONE]\n\n")[:-5])
            await ended[number].wait()
            await peer.send(b"0\r\n\r\n")
        await peer.gone()

    ended = [asyncio.Event() for _ in range(3)]
    server = await serve(script)
    for number in range(3):
        response = await client.send(ask(server.url()))
        assert await anext(aiter(response)) == b"data: [DONE]\n\n"
        response.finish_later(5.0)
        ended[number].set()
        await until(lambda: pool().idle)
    assert len(server.peers) == 1


@pytest.mark.parametrize("piece", [b"x", b"x" * 1024], ids=["too-long", "too-much"])
async def test_an_answer_that_goes_on_and_on_is_cut(serve: Serve, piece: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        while True:
            await peer.send(piece)
            await asyncio.sleep(BRIEF / 10)

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5, idle=5)
    response = await client.send(ask(server.url(), timeouts=timeouts))
    response.finish_later(BRIEF if piece == b"x" else 60.0)
    async with asyncio.timeout(2):
        await until(lambda: not len(pool()))


async def test_a_reader_that_was_too_slow_can_still_leave_in_peace(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"x" * (16 * MIB)))
        await peer.gone()

    server = await serve(script)
    response = await client.send(ask(server.url()))
    await until(lambda: response._body.paused)
    response.finish_later(5.0)
    async with asyncio.timeout(2):
        await until(lambda: not len(pool()))


async def test_finishing_an_answer_that_is_all_here_does_nothing(serve: Serve) -> None:
    server = await serve(always(answer()))
    for _ in range(2):
        response = await client.send(ask(server.url()))
        response.finish_later(5.0)
    assert len(server.peers) == 1
