"""Using a connection again: when, when not, and what if it dies just then."""

import asyncio
import os
import socket

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.message import NoReply
from proxx.upstream.transport import connection as connections
from tests.upstream.conftest import BRIEF, Serve, ask, pool, send_and_read, until
from tests.upstream.raw import Peer, always, answer


async def test_a_connection_is_used_again(serve: Serve) -> None:
    server = await serve(always(answer()))
    for _ in range(5):
        assert await send_and_read(server.url()) == b"hello"
    assert [peer.requests for peer in server.peers] == [5]


@pytest.mark.parametrize(
    "wire",
    [
        answer(headers=b"connection: close\r\n"),
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        answer() + b"HTTP/1.1 200 OK\r\n",
        answer() + answer(b"poison"),
    ],
    ids=["close", "http10", "surplus", "second-answer"],
)
async def test_a_connection_that_ends_or_said_too_much_is_not_used_again(serve: Serve, wire: bytes) -> None:
    server = await serve(always(wire))
    for _ in range(2):
        assert await send_and_read(server.url()) == b"hello"
    assert [peer.requests for peer in server.peers] == [1, 1]


async def test_bytes_that_nobody_asked_for_close_an_unused_connection(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        await pooled.wait()
        await peer.send(answer(b"poison"))
        await peer.gone()

    pooled = asyncio.Event()
    server = await serve(script)
    await send_and_read(server.url())
    pooled.set()
    await server.peers[0].left.wait()
    assert pool().idle == 0


async def test_a_second_answer_that_waits_unread_is_never_the_next_callers(serve: Serve) -> None:
    server = await serve(always(answer(b"own")))
    for _ in range(3):
        assert await send_and_read(server.url()) == b"own"
        unasked = server.peers[-1].writer.get_extra_info("socket").fileno()
        os.write(unasked, answer(b"poison"))  # in the socket, but the loop has not turned yet
    assert [peer.requests for peer in server.peers] == [1, 1, 1]


async def test_an_end_that_waits_unread_is_never_sent_to(serve: Serve) -> None:
    server = await serve(always(answer()))
    for _ in range(3):
        assert await send_and_read(server.url()) == b"hello"
        ended = socket.socket(fileno=os.dup(server.peers[-1].writer.get_extra_info("socket").fileno()))
        ended.shutdown(socket.SHUT_WR)
        ended.close()
    assert [peer.requests for peer in server.peers] == [1, 1, 1]


async def test_an_upstream_that_speaks_first_is_refused(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        await peer.gone()

    server = await serve(script)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.send(ask(server.url()))
    await server.peers[0].left.wait()


async def test_a_connection_is_left_before_the_upstream_says_it_will_close(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(answer(headers=b"Keep-Alive: timeout=5, max=100\r\n"))

    server = await serve(script)
    for _ in range(2):
        await send_and_read(server.url())
        (connection,) = pool()._by_age
        assert 3.9 < connection.deadline - asyncio.get_running_loop().time() <= 4.0


async def test_a_pooled_connection_that_was_closed_is_not_written_to(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())

    server = await serve(script)
    for number in range(3):
        assert await send_and_read(server.url()) == b"hello"
        await until(lambda: not pool().idle)
        assert len(server.peers) == number + 1
    assert [peer.requests for peer in server.peers] == [1, 1, 1]


@pytest.mark.parametrize("manner", ["end", "reset"])
async def test_a_close_that_races_with_the_next_request_is_tried_again_once(serve: Serve, manner: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        if peer is server.peers[0]:
            await peer.request()
            if manner == "reset":
                peer.reset()
            return
        await peer.gone()

    server = await serve(script)
    await send_and_read(server.url())
    assert await send_and_read(server.url()) == b"hello"
    assert [peer.requests for peer in server.peers] == [2, 1]


async def test_a_second_close_is_not_tried_again(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if peer is server.peers[0]:
            await peer.send(answer())
            await peer.request()

    server = await serve(script)
    await send_and_read(server.url())
    with pytest.raises(NoReply):
        await client.send(ask(server.url()))
    assert [peer.requests for peer in server.peers] == [2, 1]


async def test_a_close_on_a_fresh_connection_is_never_tried_again(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()

    server = await serve(script)
    with pytest.raises(NoReply):
        await client.send(ask(server.url()))
    assert len(server.peers) == 1


async def test_a_close_after_the_first_byte_is_never_tried_again(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        await peer.request()
        await peer.send(b"H")

    server = await serve(script)
    await send_and_read(server.url())
    with pytest.raises(httpx.RemoteProtocolError):
        await client.send(ask(server.url()))
    assert len(server.peers) == 1


async def test_a_close_while_the_upstream_works_is_never_tried_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RACE_SECONDS", -1.0)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        await peer.request()

    server = await serve(script)
    await send_and_read(server.url())
    with pytest.raises(NoReply):
        await client.send(ask(server.url()))
    assert len(server.peers) == 1


async def test_an_unused_connection_expires(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", BRIEF)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        await peer.gone()

    server = await serve(script)
    await send_and_read(server.url())
    await server.peers[0].left.wait()
    assert pool().idle == 0
