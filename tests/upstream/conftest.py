"""Raw servers and a client whose pools end with each test, on asyncio's own loop and on uvloop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop

from proxx.upstream import client
from proxx.upstream.message import Timeouts, UpstreamRequest
from tests.upstream.raw import RawServer, Script

Serve = Callable[..., Awaitable[RawServer]]
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
