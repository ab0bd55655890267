"""What the way to the provider costs by itself: our transport beside the stock one, and aiohttp if it is installed.

`python -m benchmarks.client` pins the clients to the first core and the provider to the second, runs them in
alternating rounds on asyncio's loop and on uvloop, and prints CPU microseconds for each exchange and each paced chunk.
aiohttp is no requirement of proxx: `pip install --target DIR aiohttp` and PYTHONPATH=DIR bring it in.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.test")

import httpx
import uvloop

from benchmarks import upstream
from proxx.upstream import client
from proxx.upstream.message import Timeouts, UpstreamRequest
from proxx.upstream.transport import Transport

PATH = "/v1/chat/completions"
BODY = b'{"model":"bench","messages":[{"role":"user","content":"' + b"x" * 880 + b'"}]}'
PACED = b'{"model":"bench-100x5","stream":true}'
HEADERS = [(b"authorization", b"Bearer sk-bench"), (b"content-type", b"application/json"), (b"accept", b"*/*")]
TIMEOUTS = Timeouts(connect=10.0, headers=180.0, idle=300.0)
STREAMS, CHUNKS = 16, 100

Post = Callable[[bytes], Awaitable[int]]  # body -> bytes of answer


@contextlib.asynccontextmanager
async def ours(url: str) -> AsyncIterator[Post]:
    """The hot path: `client.send`."""
    address = client.url(url)

    async def post(body: bytes) -> int:
        response = await client.send(UpstreamRequest("POST", address, HEADERS, body, TIMEOUTS))
        size = 0
        async for part in response:
            size += len(part)
        return size

    yield post
    await client.close_all()


@contextlib.asynccontextmanager
async def by_httpx(transport: httpx.AsyncBaseTransport, url: str) -> AsyncIterator[Post]:
    """An httpx transport, called directly with httpx's own objects."""
    extensions = {"timeout": {"connect": 10.0, "read": 180.0, "write": 180.0, "pool": 10.0}}

    async def post(body: bytes) -> int:
        request = httpx.Request("POST", url, headers=HEADERS, content=body, extensions=extensions)
        response = await transport.handle_async_request(request)
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
        return size

    yield post
    await transport.aclose()


@contextlib.asynccontextmanager
async def by_aiohttp(url: str) -> AsyncIterator[Post]:
    """Plain aiohttp with its usual session."""
    aiohttp = importlib.import_module("aiohttp")
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=180.0)
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def post(body: bytes) -> int:
            size = 0
            async with session.post(url, data=body, headers=headers) as response:
                async for part in response.content.iter_any():
                    size += len(part)
            return size

        yield post


def clients() -> dict[str, Callable[[str], Any]]:
    """The clients that can run here."""
    found: dict[str, Callable[[str], Any]] = {
        "ours": ours,
        "ours, httpx objects": lambda url: by_httpx(Transport(client._tls), url),
        "stock httpx transport": lambda url: by_httpx(httpx.AsyncHTTPTransport(limits=httpx.Limits()), url),
    }
    with contextlib.suppress(ImportError):
        importlib.import_module("aiohttp")
        found["aiohttp"] = by_aiohttp
    return found


async def measure(make: Callable[[str], Any], url: str, number: int) -> Iterator[float]:
    """Return µs per exchange at 1 and 32 at a time, and per paced chunk."""
    async with make(url) as post:

        async def repeat(turns: int, body: bytes) -> None:
            for _ in range(turns):
                assert await post(body) > 100

        await asyncio.gather(*(repeat(20, BODY) for _ in range(32)))
        figures = []
        for at_once, turns, body, parts in (
            (1, number // 4, BODY, 1),
            (32, number // 32, BODY, 1),
            (STREAMS, 1, PACED, CHUNKS),
        ):
            gc.collect()
            before = time.process_time()
            await asyncio.gather(*(repeat(turns, body) for _ in range(at_once)))
            figures.append((time.process_time() - before) / (at_once * turns * parts) * 1e6)
    return iter(figures)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=4000)
    options = parser.parse_args()
    os.sched_setaffinity(0, {0})
    factories = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    figures: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    with upstream.running(core=1) as provider:
        url = f"http://127.0.0.1:{provider.port}{PATH}"
        for _ in range(options.rounds):
            for loop_name, factory in factories.items():
                for name, make in clients().items():
                    with asyncio.Runner(loop_factory=factory) as runner:
                        measured = tuple(runner.run(measure(make, url, options.requests)))
                    figures.setdefault((loop_name, name), []).append(measured)
    print("| loop | client | c1 µs | c32 µs | paced chunk µs |\n|---|---|---|---|---|")
    for (loop_name, name), rows in figures.items():
        c1, c32, chunk = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {loop_name} | {name} | {c1:.0f} | {c32:.0f} | {chunk:.0f} |")


if __name__ == "__main__":
    main()
