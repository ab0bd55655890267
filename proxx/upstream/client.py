"""The one way out: `send` a request to an upstream, `close_all` when the loop ends, `url` for configured addresses.

Pools belong to one event loop; each loop gets its own on first use. Addresses come from the operator's configuration
only, private ones included; redirects are never followed. What an answer means is said by failures/.
"""

import asyncio
import re
import ssl

import httpx
from django.conf import settings

from proxx.upstream.message import UpstreamRequest, UpstreamResponse
from proxx.upstream.stock import StockTransport

AUTHORITY = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)
REFUSED = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


class _Loop:
    """What one event loop holds."""

    def __init__(self) -> None:
        tls = _tls()
        self.fast = StockTransport(tls=tls)


_loops: dict[asyncio.AbstractEventLoop, _Loop] = {}


async def send(request: UpstreamRequest) -> UpstreamResponse:
    """Send a request and return when the response head is here; the body follows by iterating the response.

    Raises httpx's exceptions: ConnectError, ConnectTimeout, ReadTimeout, ReadError, WriteError, WriteTimeout,
    RemoteProtocolError (with message.NoReply and message.ReplyTruncated below it) and LocalProtocolError.
    """
    return await _here().fast.exchange(request)


async def close_all() -> None:
    """Close every connection of the running loop, in use or not."""
    mine = _loops.pop(asyncio.get_running_loop(), None)
    if mine is not None:
        await mine.fast.aclose()


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


def _here() -> _Loop:
    loop = asyncio.get_running_loop()
    mine = _loops.get(loop)
    if mine is None:
        for other in [other for other in _loops if other.is_closed()]:
            del _loops[other]
        mine = _loops[loop] = _Loop()
    return mine


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.UPSTREAM_CA_FILE:
        context.load_verify_locations(cafile=settings.UPSTREAM_CA_FILE)
    return context
