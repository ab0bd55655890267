"""Waiting: for a head, for the next byte, for our own request to leave."""

import asyncio

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.message import Timeouts
from tests.upstream.conftest import BRIEF, MIB, Serve, ask, mute, pool
from tests.upstream.raw import Peer, answer


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
