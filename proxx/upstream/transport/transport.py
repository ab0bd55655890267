"""The transport: takes a request, returns the answer's head with the body behind it.

`exchange` is the corridor that every request walks. `handle_async_request` is the same corridor with httpx's door on
it, for code that wants an `httpx.AsyncClient`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from proxx.upstream.message import Body, Timeouts, UpstreamRequest, UpstreamResponse
from proxx.upstream.transport import head
from proxx.upstream.transport.connection import Connection, Origin
from proxx.upstream.transport.dial import Dialler
from proxx.upstream.transport.exchange import Exchange
from proxx.upstream.transport.line import StaleConnection
from proxx.upstream.transport.pool import Pool

PORTS = {"http": 80, "https": 443}
TURNS_TO_CLOSE = 20


class Transport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over one event loop's own connections. `tls` is called for the context when first needed."""

    def __init__(self, tls: Callable[[], ssl.SSLContext], *, dialler: Dialler | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialler = dialler or Dialler(self._loop, tls)
        self.pool = Pool()

    async def exchange(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send a request and return once the response head is here; raises httpx's exceptions.

        A pooled connection that the upstream closes in the moment we use it again, before any byte of an answer, is
        replaced by a fresh one, once. A fresh connection is never tried twice.
        """
        url = request.url
        scheme = url.scheme
        if scheme not in PORTS:
            raise httpx.UnsupportedProtocol(f"Not http or https: {scheme!r}.")
        origin = (scheme, url.raw_host, url.port or PORTS[scheme])
        start = head.write(request.method, url, request.headers, len(request.body))
        if request.once is not None:
            return await self._ask_once(origin, start, request, request.once)
        connection = self.pool.take(origin)
        if connection is not None:
            try:
                return await _ask(connection, start, request)
            except StaleConnection:
                pass  # told nobody anything: the fresh connection below is the one second try
        connection = await self._open(origin, request.timeouts.connect)
        return await _ask(connection, start, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve httpx's own interface; the request's body is read first, its timeouts are honoured."""
        answer = await self.exchange(
            UpstreamRequest(
                method=request.method,
                url=request.url,
                headers=request.headers.raw,
                body=await request.aread(),
                timeouts=_timeouts(request),
            )
        )
        return httpx.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Stream(answer),
            extensions={"http_version": answer.http_version.encode()},
        )

    async def aclose(self) -> None:
        """Close every connection, and wait until the loop has let go of them."""
        self.pool.close()
        for _ in range(TURNS_TO_CLOSE):
            if not len(self.pool):
                break
            await asyncio.sleep(0)

    async def _ask_once(
        self, origin: Origin, start: bytes, request: UpstreamRequest, once: Callable[[], Awaitable[None]]
    ) -> UpstreamResponse:
        """Ask on a fresh connection; nobody can say of a pooled one that dies whether the question was heard."""
        connection = await self._open(origin, request.timeouts.connect)
        try:
            await once()
        except BaseException:
            connection.drop()
            raise
        if not connection.usable:
            connection.drop()
            raise httpx.ConnectError("The provider left before it was asked.")
        return await _ask(connection, start, request)

    async def _open(self, origin: Origin, seconds: float) -> Connection:
        connection = await self._dialler.open(origin, lambda: Connection(self._loop, self.pool, origin), seconds)
        if not connection.usable:
            connection.drop()
            raise httpx.RemoteProtocolError("The provider spoke or left before it was asked.")
        self.pool.add(connection)
        return connection


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: UpstreamResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer:
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


async def _ask(connection: Connection, start: bytes, request: UpstreamRequest) -> UpstreamResponse:
    exchange: Exchange = connection.begin(start, request.body, request.timeouts, without_body=request.method == "HEAD")
    await exchange.head()
    body: Body = exchange
    return UpstreamResponse(
        status=exchange.status, raw_headers=exchange.raw_headers, http_version=exchange.http_version, body=body
    )


def _timeouts(request: httpx.Request) -> Timeouts:
    given = request.extensions.get("timeout", {})
    forever = float("inf")
    read = forever if given.get("read") is None else given["read"]
    return Timeouts(connect=forever if given.get("connect") is None else given["connect"], headers=read, idle=read)
