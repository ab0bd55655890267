"""Nothing is left behind: after every way in which a connection can end, the register is empty."""

import asyncio
import contextlib

import pytest

from proxx.server.connections import Connections
from proxx.server.limits import Limits
from proxx.server.line import Line
from tests.server import application
from tests.server.conftest import KEY


@pytest.fixture
async def house(settings):
    """A listening fast data plane in this very loop: (connections, a function that connects)."""
    settings.PROXY_HEADER_TIMEOUT = settings.PROXY_BODY_TIMEOUT = settings.PROXY_READER_TIMEOUT = 0.2
    loop = asyncio.get_running_loop()
    connections = Connections(Limits.from_settings())
    connections.start()
    server = await loop.create_server(
        lambda: Line(application.application, connections, loop, lambda line, head: None), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    yield connections, lambda: asyncio.open_connection("127.0.0.1", port)
    server.close()
    await connections.drain(0.1, asyncio.Event())


async def empty(connections):
    """Wait until nobody is registered any more."""
    async with asyncio.timeout(5):
        while connections.open or connections.tasks or connections.room.taken:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


POST = b"POST %b HTTP/1.1\r\nHost: x\r\nx-api-key: " + KEY.encode() + b"\r\n"
ENDS = {
    "nothing was sent": b"",
    "half a head": b"POST / HT",
    "half a body": POST % b"/echo" + b"Content-Length: 100000\r\n\r\n" + b"x" * 70_000,
    "half a chunk": POST % b"/echo" + b"Transfer-Encoding: chunked\r\n\r\n1000\r\nxxx",
    "an answer that never comes": POST % b"/wait" + b"Content-Length: 5\r\n\r\nhello",
    "a stubborn application": POST % b"/stubborn" + b"Content-Length: 5\r\n\r\nhello",
    "a stream under way": POST % b"/flood" + b"Content-Length: 5\r\n\r\nhello",
    "a crash": POST % b"/crash" + b"Content-Length: 5\r\n\r\nhello",
    "a crash under way": POST % b"/crash?begin=1" + b"Content-Length: 5\r\n\r\nhello",
    "a malformed request": b"nonsense\r\n\r\n",
    "too large a body": POST % b"/echo" + b"Content-Length: 99999999999\r\n\r\n",
    "too large a chunked body": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"
    + b"x" * 70_000,
    "an upgrade with a body": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Content-Length: 5\r\n\r\nhello",
    "many at once": (POST % b"/mirror" + b"Content-Length: 5\r\n\r\nhello") * 200,
}


@pytest.mark.parametrize("leaves", [True, False], ids=["the client leaves", "the server ends it"])
@pytest.mark.parametrize("name", ENDS)
async def test_nothing_is_left_of_a_connection(house, name, leaves):
    connections, connect = house
    reader, writer = await connect()
    writer.write(ENDS[name])
    if leaves or "never comes" in name or "stubborn" in name or "many" in name:
        await asyncio.sleep(0.02)
        writer.transport.abort()
    else:
        # Not reading: a flood is cut at its deadline; everything else is ended by the server too.
        async with asyncio.timeout(5):
            while connections.open and name == "a stream under way":  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.close()
    await empty(connections)


async def test_answers_to_pipelined_requests_wait_for_a_slow_reader(house):
    connections, connect = house
    reader, writer = await connect()
    one = POST % b"/mirror" + b"Content-Length: 60000\r\n\r\n" + b"x" * 60_000
    writer.write(one * 100)  # 6 MB of answers that nobody reads yet
    await asyncio.sleep(0.1)
    received = 0
    while received < 6_000_000:
        received += len(await reader.read(1 << 20))
    writer.close()
    await empty(connections)


async def test_many_clients_leave_at_once(house):
    connections, connect = house
    pairs = [await connect() for _ in range(100)]
    for _, writer in pairs:
        writer.write(POST % b"/wait?begin=1" + b"Content-Length: 2\r\n\r\n{}")
    for reader, _ in pairs:
        await reader.readuntil(b"begun")
    assert len(connections.tasks) == len(connections.open) == 100
    assert connections.room.taken == 200
    for _, writer in pairs:
        writer.transport.abort()
    await empty(connections)


async def test_one_address_may_have_its_own_limit(house, settings):
    connections, connect = house
    settings.PROXY_CONNECTIONS_PER_ADDRESS = 2
    connections.limits = Limits.from_settings()
    pairs = [await connect() for _ in range(3)]
    assert (await pairs[2][0].read()).startswith(b"HTTP/1.1 503")
    assert len(connections.open) == 2
    for _, writer in pairs:
        writer.close()
    await empty(connections)
