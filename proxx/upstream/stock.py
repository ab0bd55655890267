"""The stock httpx transport, for what ours does not speak: an HTTP proxy on the way, and HTTP/2.

Chosen by client.py, by the operator's settings only. Slower (performance.md 4.4) but complete.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib.util import find_spec

import httpx

from proxx.upstream.message import Timeouts, UpstreamRequest, UpstreamResponse

IDLE_LIMIT = 128
IDLE_SECONDS = 60.0
NEEDS_H2 = "UPSTREAM_HTTP2 is set, but the h2 package is not installed: pip install 'httpx[http2]'."


def speaks_http2() -> bool:
    """Tell whether the optional package for HTTP/2 is here."""
    return find_spec("h2") is not None


class StockTransport:
    """`httpx.AsyncHTTPTransport` behind the two verbs that client.py uses."""

    def __init__(self, *, tls: ssl.SSLContext, proxy_url: str = "", http2: bool = False) -> None:
        if http2 and not speaks_http2():
            raise httpx.UnsupportedProtocol(NEEDS_H2)
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls,
            http2=http2,
            proxy=_proxy(proxy_url, tls) if proxy_url else None,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=IDLE_LIMIT, keepalive_expiry=IDLE_SECONDS
            ),
        )

    async def exchange(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and return once the response head is here; raises httpx's exceptions."""
        if request.once is not None:
            await request.once()  # before the connection is there: this transport does not say when it is
        timeout = _timeout(request.timeouts)
        outgoing = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body or None,
            extensions={"timeout": timeout},
        )
        incoming = await self._transport.handle_async_request(outgoing)
        timeout["read"] = _finite(request.timeouts.idle)  # httpcore looks again when the body begins
        return UpstreamResponse(
            status=incoming.status_code,
            raw_headers=incoming.headers.raw,
            http_version=incoming.http_version,
            body=_StockBody(incoming),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


class _StockBody:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._bytes = aiter(response.stream)  # type: ignore[arg-type]  # always an async stream here
        self._closed = False
        self._ending: asyncio.Task[None] | None = None  # the loop itself holds tasks only weakly

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._closed:
            raise StopAsyncIteration
        try:
            while not (part := await anext(self._bytes)):
                pass  # an empty HTTP/2 data frame says nothing
        except BaseException:
            await self.aclose()
            raise
        return part

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await self._response.stream.aclose()  # type: ignore[union-attr]

    def abandon(self) -> None:
        if not self._closed:
            self._ending = asyncio.get_running_loop().create_task(self.aclose(), name="close-upstream")

    def finish_later(self, seconds: float) -> None:
        if not self._closed:
            self._ending = asyncio.get_running_loop().create_task(self._finish(seconds), name="finish-upstream")

    async def _finish(self, seconds: float) -> None:
        with suppress(TimeoutError, httpx.TransportError):
            async with asyncio.timeout(seconds):
                async for _ in self:
                    pass
        await self.aclose()


def _proxy(address: str, tls: ssl.SSLContext) -> httpx.Proxy:
    """Speak to a proxy with our own trust where it speaks TLS itself; httpcore refuses a context anywhere else."""
    proxy = httpx.Proxy(address)
    return httpx.Proxy(address, ssl_context=tls) if proxy.url.scheme == "https" else proxy


def _timeout(timeouts: Timeouts) -> dict[str, float | None]:
    return {
        "connect": _finite(timeouts.connect),
        "read": _finite(timeouts.headers),
        "write": _finite(timeouts.idle),
        "pool": _finite(timeouts.connect),
    }


def _finite(seconds: float) -> float | None:
    return None if seconds == float("inf") else seconds
