"""Answers of every framing, cut at every place."""

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.upstream import client
from proxx.upstream.message import NoReply, ReplyTooLarge, ReplyTruncated
from proxx.upstream.transport.exchange import Exchange
from tests.upstream.conftest import Serve, ask
from tests.upstream.raw import Peer, Script, always, answer, chunked

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nhello world"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
FRAMINGS = {
    "length": answer(b"hello world"),
    "chunked": chunked(b"hello", b" ", b"world"),
    "trailers": chunked(b"hello ", b"world", trailers=b"x-sum: 1\r\nx-more: 2\r\n"),
    "interim": INTERIM + answer(b"hello world"),
    "close": b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\nhello world",
    "http10": b"HTTP/1.0 200 OK\r\n\r\nhello world",
    "until_close": UNTIL_CLOSE,
}


def once(*pieces: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send_each(list(pieces))

    return script


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_an_answer_written_one_byte_at_a_time_is_read_whole(serve: Serve, framing: str) -> None:
    wire = FRAMINGS[framing]
    server = await serve(once(*(wire[at : at + 1] for at in range(len(wire)))))
    response = await client.send(ask(server.url()))
    assert response.status == 200
    assert await response.read(1000) == b"hello world"


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_an_answer_cut_in_two_at_any_place_is_read_whole(serve: Serve, framing: str) -> None:
    wire = FRAMINGS[framing]
    cuts = iter(range(1, len(wire)))

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            cut = next(cuts)
            await peer.send_each([wire[:cut], wire[cut:]])
            if framing in ("close", "http10", "until_close"):
                return

    server = await serve(script)
    for _ in range(1, len(wire)):
        response = await client.send(ask(server.url()))
        assert await response.read(1000) == b"hello world"


class NoLine:
    def resume(self) -> None: ...

    def hurry(self, seconds: float) -> None: ...

    def drop(self) -> None: ...


def parse(pieces: list[bytes], *, ended: bool) -> Exchange:
    exchange = Exchange(asyncio.new_event_loop(), NoLine(), without_body=False)
    exchange._loop.close()
    for piece in pieces:
        exchange.feed(piece)
    if ended:
        exchange.lost(None)
    return exchange


@settings(max_examples=200, deadline=None)
@given(
    framing=st.sampled_from(sorted(FRAMINGS)),
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=8),
    missing=st.integers(min_value=0, max_value=60),
)
def test_a_part_of_an_answer_is_never_taken_for_the_whole(framing: str, cuts: list[int], missing: int) -> None:
    wire = FRAMINGS[framing]
    kept = wire[: len(wire) - min(missing, len(wire))]
    marks = sorted({0, len(kept), *(min(cut, len(kept)) for cut in cuts)})
    exchange = parse([kept[a:b] for a, b in zip(marks, marks[1:], strict=False)], ended=True)
    body = b"".join(exchange._items)
    assert b"hello world".startswith(body)
    open_ended = framing in ("http10", "until_close")
    if len(kept) == len(wire):
        assert exchange.complete
        assert body == b"hello world"
    elif not open_ended or not exchange.head_done:
        assert isinstance(exchange.error, NoReply | ReplyTruncated)
        assert not exchange.complete


async def test_one_read_of_the_socket_is_one_item_of_the_body(serve: Serve) -> None:
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n2\r\ncd\r\n")
        await gate.wait()
        await peer.send(b"1\r\ne\r\n1\r\nf\r\n0\r\n\r\n")

    server = await serve(script)
    items = []
    async for item in await client.send(ask(server.url())):
        items.append(item)
        gate.set()
    assert items == [b"abcd", b"ef"]


async def test_a_body_cut_before_its_length_is_an_error_after_what_came(serve: Serve) -> None:
    server = await serve(once(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"))
    response = await client.send(ask(server.url()))
    stream = aiter(response)
    assert await anext(stream) == b"hello"
    with pytest.raises(ReplyTruncated):
        await anext(stream)


async def test_a_chunked_body_without_its_end_is_an_error(serve: Serve) -> None:
    server = await serve(once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"))
    response = await client.send(ask(server.url()))
    with pytest.raises(ReplyTruncated):
        await response.read(100)


async def test_a_reset_inside_a_body_without_length_is_an_error(serve: Serve) -> None:
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhel")
        await arrived.wait()
        peer.reset()

    server = await serve(script)
    stream = aiter(await client.send(ask(server.url())))
    assert await anext(stream) == b"hel"
    arrived.set()
    with pytest.raises(ReplyTruncated):
        await anext(stream)


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n\x00\x00\x00",
        b"HTTP/2.0 200 OK\r\n\r\n",
    ],
    ids=["ssh", "two-lengths", "length-and-chunks", "header-name", "chunk-size", "upgrade", "version"],
)
async def test_an_answer_that_is_not_http_is_an_error(serve: Serve, wire: bytes) -> None:
    server = await serve(once(wire))
    with pytest.raises(httpx.RemoteProtocolError):
        await (await client.send(ask(server.url()))).read(100)


async def test_an_offer_to_upgrade_beside_a_plain_answer_is_ignored(serve: Serve) -> None:
    server = await serve(always(answer(headers=b"connection: upgrade\r\nupgrade: h2,h2c\r\n")))
    for _ in range(2):
        assert await (await client.send(ask(server.url()))).read(100) == b"hello"


@pytest.mark.parametrize("filler", [b"x-%d: y\r\n", b"x-%d: " + b"y" * 1000 + b"\r\n"], ids=["count", "size"])
async def test_a_flood_of_headers_is_refused(serve: Serve, filler: bytes) -> None:
    headers = b"".join(filler % number for number in range(201))
    server = await serve(once(answer(headers=headers)))
    with pytest.raises(httpx.RemoteProtocolError, match="too large"):
        await client.send(ask(server.url()))


async def test_a_head_without_end_is_refused(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await peer.send(b"x: " + b"y" * 1000 + b"\r\n")

    server = await serve(script)
    with pytest.raises(httpx.RemoteProtocolError, match="too large"):
        await client.send(ask(server.url()))


async def test_interim_answers_without_end_are_refused(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    server = await serve(script)
    with pytest.raises(httpx.RemoteProtocolError, match="too large"):
        await client.send(ask(server.url()))


async def test_trailers_without_end_are_refused(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(chunked(b"hello")[:-2])
        while True:
            await peer.send(b"x: " + b"y" * 1000 + b"\r\n")

    server = await serve(script)
    response = await client.send(ask(server.url()))
    with pytest.raises(httpx.RemoteProtocolError, match="too large"):
        await response.read(100)


async def test_a_head_of_nearly_the_limit_with_body_behind_it_passes(serve: Serve) -> None:
    headers = b"".join(b"x-%d: %b\r\n" % (number, b"y" * 1000) for number in range(60))
    server = await serve(once(answer(b"z" * 100_000, headers=headers)))
    response = await client.send(ask(server.url()))
    assert len(response.headers) == 61
    assert len(await response.read(100_000)) == 100_000


async def test_the_answer_to_a_head_request_has_no_body_and_ends_the_connection(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        await peer.gone()

    server = await serve(script)
    for _ in range(2):
        response = await client.send(ask(server.url(), method="HEAD", body=b""))
        assert response.headers["content-length"] == "1000"
        assert await response.read(10) == b""
    assert len(server.peers) == 2


async def test_the_headers_of_an_interim_answer_are_not_those_of_the_answer(serve: Serve) -> None:
    server = await serve(always(INTERIM + answer(headers=b"x-own: 1\r\n")))
    response = await client.send(ask(server.url()))
    assert [name for name, _ in response.raw_headers] == [b"x-own", b"content-length"]
    await response.aclose()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_statuses_without_body_end_at_once(serve: Serve, status: str) -> None:
    server = await serve(always(b"HTTP/1.1 %b\r\n\r\n" % status.encode()))
    for _ in range(2):
        response = await client.send(ask(server.url()))
        assert await response.read(10) == b""
    assert len(server.peers) == 1


async def test_a_whole_read_stops_at_its_limit_and_closes(serve: Serve) -> None:
    server = await serve(once(answer(b"x" * 5000)))
    response = await client.send(ask(server.url()))
    with pytest.raises(ReplyTooLarge):
        await response.read(4999)
    await server.peers[0].gone()


async def test_names_keep_their_case_and_repeated_headers_stay_apart(serve: Serve) -> None:
    server = await serve(always(answer(headers=b"X-Request-Id: r1\r\nSet-Cookie: a\r\nset-cookie: b\r\n")))
    response = await client.send(ask(server.url()))
    assert (b"X-Request-Id", b"r1") in response.raw_headers
    assert response.headers.get_list("set-cookie") == ["a", "b"]
    assert response.http_version == "HTTP/1.1"
    await response.aclose()
