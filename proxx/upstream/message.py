"""What is sent and what comes back: plain data around one HTTP exchange.

Deliberately not here: sockets (transport/), the choice of a transport (client.py), what an answer means (failures/).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx

HeaderList = list[tuple[bytes, bytes]]


class ReplyTooLarge(Exception):
    """The whole body is larger than the reader is willing to hold."""


class ReplyTruncated(httpx.RemoteProtocolError):
    """The connection ended inside a body: what was read is a part, never the whole."""


class NoReply(httpx.RemoteProtocolError):
    """The connection ended cleanly before the first byte of an answer."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds; `float("inf")` waits for ever.

    `connect` covers name look-up, TCP and TLS together; `headers` runs from the request being fully handed to the
    system until the response head is complete; `idle` is the longest silence inside a body (or inside our upload).
    """

    connect: float
    headers: float
    idle: float


@dataclass(slots=True)
class UpstreamRequest:
    """One request, whole. Framing headers (host, content-length, connection, ...) belong to the transport.

    With `once` it leaves at most once, on a connection of its own: `once` is awaited in the last moment before the
    first byte, and what it raises comes through.
    """

    method: str
    url: httpx.URL
    headers: HeaderList = field(repr=False)
    body: bytes = field(repr=False)
    timeouts: Timeouts
    once: Callable[[], Awaitable[None]] | None = field(default=None, repr=False)


class Body(Protocol):
    """A body on its way: an async iterator that can also be given up."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return itself."""
        ...

    async def __anext__(self) -> bytes:
        """Return what the next socket read brought; raise httpx's exceptions."""
        ...

    async def aclose(self) -> None:
        """Give up the rest, if any. Idempotent."""
        ...

    def abandon(self) -> None:
        """Give up the rest at once, from anywhere; never waits."""
        ...

    def finish_later(self, seconds: float) -> None:
        """Take the rest without keeping it, for at most so long; never waits."""
        ...


class UpstreamResponse:
    """An answer whose head is here and whose body is still arriving.

    `raw_headers` are the bytes as received, names in the sender's case; `headers` is the same as `httpx.Headers`, made
    when first asked for. Read the body once: by iterating, by `read` or by `read_some`. Whoever holds a response must
    end it: read it to its end, `aclose()` it, or `abandon()` it.
    """

    __slots__ = ("_body", "_headers", "http_version", "raw_headers", "status")

    def __init__(self, *, status: int, raw_headers: HeaderList, http_version: str, body: Body) -> None:
        self.status = status
        self.raw_headers = raw_headers
        self.http_version = http_version
        self._body = body
        self._headers: httpx.Headers | None = None

    @property
    def headers(self) -> httpx.Headers:
        """Return the headers in httpx's clothes (case-insensitive, multi-valued)."""
        if self._headers is None:
            self._headers = httpx.Headers(self.raw_headers)
        return self._headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the body as it arrives: one item for each socket read, never empty."""
        return self._body.__aiter__()

    async def read(self, limit: int) -> bytes:
        """Return the whole body; close and raise `ReplyTooLarge` once it passes `limit` bytes."""
        parts: list[bytes] = []
        size = 0
        async for part in self._body:
            size += len(part)
            if size > limit:
                await self._body.aclose()
                raise ReplyTooLarge(f"The answer is larger than {limit} bytes.")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def read_some(self, limit: int, seconds: float) -> bytes:
        """Return what arrives of the body within so many seconds, at most `limit` bytes of it.

        For error answers, where a part says more than nothing: a body that breaks off, stalls or is too large counts as
        far as it came, and its connection is closed. Raises nothing of the transport's.
        """
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(seconds):
                async for part in self._body:
                    parts.append(part)
                    size += len(part)
                    if size > limit:
                        break
                else:
                    return b"".join(parts)
        except (httpx.RequestError, httpx.StreamError, OSError):  # a TimeoutError is an OSError
            pass  # what came before is the answer
        self._body.abandon()
        return b"".join(parts)[:limit]

    async def aclose(self) -> None:
        """End the exchange. Idempotent; a connection with unread bytes is closed, never pooled."""
        await self._body.aclose()

    def abandon(self) -> None:
        """End the exchange at once from a callback; never waits, never raises."""
        self._body.abandon()

    def finish_later(self, seconds: float) -> None:
        """Let the rest arrive unread, for at most so long, so that the connection may serve again; never waits.

        For an answer whose end mark was seen but whose last bytes are on their way; if they are here it costs nothing.
        """
        self._body.finish_later(seconds)
