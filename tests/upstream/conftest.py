"""Raw servers and a client whose pools end with each test, on asyncio's own loop and on uvloop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop

from proxx.upstream import client
from proxx.upstream.message import Timeouts, UpstreamRequest
from proxx.upstream.transport.pool import Pool
from tests.upstream.raw import Peer, RawServer, Script

Serve = Callable[..., Awaitable[RawServer]]
MIB = 1024 * 1024
BRIEF = 0.05
PATIENT = Timeouts(connect=5, headers=5, idle=5)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test with a loop runs on both."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(script)` starts a raw server; all stop with the test, after the client's pools."""
    servers: list[RawServer] = []

    async def start(script: Script, **options: Any) -> RawServer:
        server = RawServer(script, **options)
        await server.start()
        servers.append(server)
        return server

    yield start
    await client.close_all()
    for server in servers:
        await server.stop()


def ask(
    url: str,
    *,
    method: str = "POST",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"{}",
    timeouts: Timeouts = PATIENT,
) -> UpstreamRequest:
    """Make a request with usual values."""
    return UpstreamRequest(method=method, url=client.url(url), headers=headers or [], body=body, timeouts=timeouts)


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop turn until a condition holds; no clock is involved unless it never does."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event of its own
            await asyncio.sleep(0)


def pool() -> Pool:
    """The running loop's pool of connections."""
    return client._ways[asyncio.get_running_loop()]._fast.pool


async def send_and_read(url: str, limit: int = 1000) -> bytes:
    """Send a usual request and read the whole answer."""
    return await (await client.send(ask(url))).read(limit)


async def mute(peer: Peer) -> None:
    """A script: take a request and never answer."""
    await peer.request()
    await peer.gone()
