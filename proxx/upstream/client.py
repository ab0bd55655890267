"""The one way out: `send` a request to an upstream, `close_all` when the loop ends, `url` for configured addresses.

Pools belong to one event loop; each loop gets its own on first use. Addresses come from the operator's configuration
only, private ones included; redirects are never followed. What an answer means is said by failures/.
"""

import asyncio
import re
import ssl
from functools import cache, lru_cache

import httpx

from proxx.kit.configured import settings
from proxx.upstream.failures import prose
from proxx.upstream.message import UpstreamRequest, UpstreamResponse
from proxx.upstream.stock import NEEDS_H2, StockTransport, speaks_http2
from proxx.upstream.transport import Transport
from proxx.upstream.transport.dial import note_own_ports as note_own_ports

AUTHORITY = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
REFUSED = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


class _Ways:
    """The ways out of one event loop: ours, and the stock transport for what ours does not speak."""

    def __init__(self) -> None:
        self._fast = Transport(_tls)
        self._stock: dict[bool, StockTransport] = {}  # by whether it speaks HTTP/2
        self._proxy = settings.UPSTREAM_PROXY_URL
        self._http2 = frozenset(_origin(url(text)) for text in settings.UPSTREAM_HTTP2)

    def to(self, address: httpx.URL) -> Transport | StockTransport:
        """Return the transport for an address."""
        if not self._proxy and not self._http2:
            return self._fast
        http2 = _origin(address) in self._http2
        if not self._proxy and not http2:
            return self._fast
        if http2 not in self._stock:
            self._stock[http2] = StockTransport(tls=_tls(), proxy_url=self._proxy, http2=http2)
        return self._stock[http2]

    async def aclose(self) -> None:
        await self._fast.aclose()
        for transport in self._stock.values():
            await transport.aclose()


_ways: dict[asyncio.AbstractEventLoop, _Ways] = {}


async def send(request: UpstreamRequest) -> UpstreamResponse:
    """Send a request and return when the response head is here; the body follows by iterating the response.

    Raises httpx's exceptions: ConnectError, ConnectTimeout, ReadTimeout, ReadError, WriteError, WriteTimeout,
    RemoteProtocolError (with message.NoReply and message.ReplyTruncated below it) and LocalProtocolError.
    """
    loop = asyncio.get_running_loop()
    ways = _ways.get(loop) or _first(loop)
    return await ways.to(request.url).exchange(request)


async def close_all() -> None:
    """Close every connection of the running loop, in use or not."""
    ways = _ways.pop(asyncio.get_running_loop(), None)
    if ways is not None:
        await ways.aclose()


@lru_cache(maxsize=4096)
def url(text: str) -> httpx.URL:
    """Parse an address once; what is checked here is the object that is sent.

    Raises `ValueError` for anything but http and https, and for userinfo, backslashes, blanks and control characters.
    """
    if REFUSED.search(text):
        raise ValueError("An upstream URL may not hold blanks, control characters or backslashes.")
    authority = AUTHORITY.match(text)
    if authority is None:
        raise ValueError("An upstream URL must begin with http:// or https:// and a host.")
    if "@" in authority[1]:
        raise ValueError("An upstream URL may not hold a user name or password.")
    try:
        parsed = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(f"This is not a URL: {error}") from None
    if not parsed.host or parsed.userinfo:
        raise ValueError("An upstream URL must name a host, and nobody else.")
    return parsed.copy_with(fragment=None)


def trust() -> ssl.SSLContext:
    """Return what makes a server trustworthy: the usual authorities, and the operator's."""
    return _tls()


def configuration_fault() -> str | None:
    """Say in one sentence what is wrong with the settings of this room, for a start that is refused; or nothing."""
    try:
        tls = _tls()
    except OSError:
        return "UPSTREAM_CA_FILE cannot be read as a list of certificates."
    if settings.UPSTREAM_HTTP2 and not speaks_http2():
        return NEEDS_H2
    try:
        for origin in settings.UPSTREAM_HTTP2:
            url(origin)
        StockTransport(tls=tls, proxy_url=settings.UPSTREAM_PROXY_URL)  # opens nothing yet
    except (ValueError, httpx.InvalidURL, ImportError) as error:
        return f"UPSTREAM_HTTP2 or UPSTREAM_PROXY_URL cannot be used: {prose.clean(str(error))}"
    return None


def _first(loop: asyncio.AbstractEventLoop) -> _Ways:
    for other in [other for other in _ways if other.is_closed()]:
        del _ways[other]  # it ended without close_all: its sockets went with it
    ways = _ways[loop] = _Ways()
    return ways


def _origin(address: httpx.URL) -> tuple[str, str, int | None]:
    return (address.scheme, address.host, address.port)


@cache
def _tls() -> ssl.SSLContext:
    """Make the one context, when first needed: reading all authorities takes tens of milliseconds."""
    context = ssl.create_default_context()
    if settings.UPSTREAM_CA_FILE:
        context.load_verify_locations(cafile=settings.UPSTREAM_CA_FILE)
    return context
