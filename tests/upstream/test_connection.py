"""Waiting, stopping, reusing: what happens on one connection over time."""

import asyncio
import os
import socket
import tracemalloc

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.message import NoReply, Timeouts
from proxx.upstream.transport import connection as connections
from proxx.upstream.transport.connection import Connection
from tests.upstream.conftest import Serve, ask, pool, until
from tests.upstream.raw import Peer, always, answer

MIB = 1024 * 1024
BRIEF = 0.05


async def mute(peer: Peer) -> None:
    await peer.request()
    await peer.gone()


async def send_and_read(url: str, limit: int = 1000) -> bytes:
    return await (await client.send(ask(url))).read(limit)


# Waiting.


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


async def test_a_stream_that_keeps_talking_outlives_the_idle_time(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n")
        for _ in range(12):
            await asyncio.sleep(BRIEF / 4)
            await peer.send(b".")

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5, idle=BRIEF)
    assert await (await client.send(ask(server.url(), timeouts=timeouts))).read(100) == b"." * 12


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


async def test_an_upload_that_is_slow_but_steady_runs_into_no_timeout(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        while True:
            head = await peer.reader.readuntil(b"\r\n\r\n")
            left = int(head.rsplit(b"content-length: ", 1)[1].split(b"\r\n")[0])
            while left:
                left -= len(await peer.reader.read(min(left, MIB)))
                await asyncio.sleep(BRIEF / 4)
            await peer.send(answer())

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5 * BRIEF, idle=5 * BRIEF)
    for _ in range(2):
        response = await client.send(ask(server.url(), body=b"x" * (48 * MIB), timeouts=timeouts))
        assert await response.read(100) == b"hello"
    assert len(server.peers) == 1


async def test_the_wait_for_the_head_begins_when_the_request_has_left(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await asyncio.sleep(4 * BRIEF)
        await peer.send(answer())

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5, idle=2 * BRIEF)
    response = await client.send(ask(server.url(), body=b"x" * (16 * MIB), timeouts=timeouts))
    assert await response.read(100) == b"hello"


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


# Stopping.


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


# Using again.


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


# Pressure.


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


async def test_silence_while_the_reader_makes_the_upstream_wait_is_no_timeout(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(b"x" * (16 * MIB)))

    server = await serve(script)
    timeouts = Timeouts(connect=5, headers=5, idle=BRIEF)
    response = await client.send(ask(server.url(), timeouts=timeouts))
    await asyncio.sleep(4 * BRIEF)
    assert len(await response.read(16 * MIB)) == 16 * MIB


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
