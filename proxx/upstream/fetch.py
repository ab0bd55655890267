"""What stands at a public address: media that a client only gave the address of, for upstreams that read no addresses
(off unless the operator wishes), and public lists of prices.

Anybody with a key names these addresses, so nothing is believed (security E1 to E3): https only, every address of a
name is looked at and must be public, and the connection goes to an address that was looked at, without a second
look-up. A redirect is a new address with the same fate. No credentials, no cookies, a cap on size and time, and what
comes must be what its first bytes say: a picture or a PDF. The operator may list exact origins that are exempt.
"""

import asyncio
import base64
import ipaddress
import re
import socket
from dataclasses import dataclass

import httpx

from proxx.kit.configured import settings
from proxx.upstream import client
from proxx.upstream.message import HeaderList, ReplyTooLarge, Timeouts, UpstreamRequest, UpstreamResponse
from proxx.upstream.transport import Transport
from proxx.upstream.transport.dial import Address, Dialler

REDIRECTS = 3
SECONDS = 20.0  # for one medium, redirects included
LONGEST = 4096  # characters of an address
TIMEOUTS = Timeouts(connect=5.0, headers=10.0, idle=10.0)

_MOVED = (301, 302, 303, 307, 308)
_HEADERS = [(b"accept-encoding", b"identity"), (b"user-agent", b"proxx")]
_MEDIA = [(b"accept", b"image/*, application/pdf"), *_HEADERS]
_DOCUMENT = [(b"accept", b"application/json"), *_HEADERS]
_NAMES = re.compile(r"(.*\.)?(localhost|local|internal|metadata|instance-data|home\.arpa)", re.IGNORECASE)

# What Python's `is_global` lets through although it leads inside, or wraps an address that may.
_ALSO_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
        "192.0.0.0/24", "192.88.99.0/24", "255.255.255.255/32",
    )
)  # fmt: skip


class NotFetched(Exception):
    """This medium is not to be had. The reason is for the log: a caller would learn of our network."""


@dataclass(frozen=True, slots=True)
class Medium:
    """What stood at an address: base64, and the media type its sender named, if any."""

    data: str
    declared: str


class _CheckedDialler(Dialler):
    """Connects to public addresses only, and to no other than the ones that were looked at."""

    async def _addresses(self, host: str, port: int) -> list[Address]:
        if _NAMES.fullmatch(host.rstrip(".")):
            raise NotFetched(f"{host} is a name for something inside.")
        found = await look_up(host, port)
        if not found or not all(is_public(str(address[0])) for _, address in found):
            raise NotFetched(f"{host} has an address that is not public.")
        return found


async def look_up(host: str, port: int) -> list[Address]:
    """Ask for a name's addresses; the system's resolver knows every notation of an address, too."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


async def fetch(address: str) -> Medium:
    """Return the medium at an address; raise `NotFetched` for everything that is not as it must be."""
    body, declared = await _fetched(address, _MEDIA, settings.PROXY_FETCH_LIMIT)
    return Medium(base64.b64encode(body).decode(), declared)


async def document(address: str, *, limit: int) -> bytes:
    """Return what stands at an address, at most `limit` bytes of it; raise `NotFetched`."""
    body, _ = await _fetched(address, _DOCUMENT, limit)
    return body


async def _fetched(address: str, headers: HeaderList, limit: int) -> tuple[bytes, str]:
    if settings.UPSTREAM_PROXY_URL:
        raise NotFetched("Through a proxy nobody knows where a connection ends.")
    try:
        async with asyncio.timeout(SECONDS):
            return await _follow(address, headers, limit)
    except (httpx.HTTPError, OSError, UnicodeError, ValueError, ReplyTooLarge) as fault:  # a TimeoutError is an OSError
        raise NotFetched(f"{type(fault).__name__}: {fault}") from None


def is_public(text: str) -> bool:
    """Tell whether an IP address leads to the public network, whatever it is wrapped in."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if any(address in network for network in _ALSO_INSIDE if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def _follow(address: str, headers: HeaderList, limit: int) -> tuple[bytes, str]:
    url = checked(address)
    for _ in range(REDIRECTS + 1):
        transport = _transport(url)
        try:
            response = await transport.exchange(UpstreamRequest("GET", url, list(headers), b"", TIMEOUTS))
            if response.status not in _MOVED:
                return await _body(response, limit)
            url = checked(str(url.join(response.headers.get("location", ""))))
        finally:
            await transport.aclose()
    raise NotFetched("Too many redirects.")


def checked(address: str) -> httpx.URL:
    """Parse an address once; what is checked here is the object that is sent. Raise `ValueError` or `NotFetched`."""
    if len(address) > LONGEST:
        raise NotFetched("The address is too long.")
    url: httpx.URL = client.url.__wrapped__(address)  # not kept: callers could push the upstreams' addresses out
    if url.scheme != "https" and not _is_listed(url):
        raise NotFetched("Only https is fetched.")
    return url


def checking_dialler() -> Dialler:
    """Return what connects to public addresses only; it raises `NotFetched` for others."""
    return _CheckedDialler(asyncio.get_running_loop(), client.trust)


def _transport(url: httpx.URL) -> Transport:
    """Return a way of its own: a connection that was opened for one address is never used for another."""
    checking = None if _is_listed(url) else checking_dialler()
    return Transport(client.trust, dialler=checking)


def _is_listed(url: httpx.URL) -> bool:
    listed = (client.url(text) for text in settings.PROXY_FETCH_ORIGINS)
    return any((url.scheme, url.host, url.port) == (one.scheme, one.host, one.port) for one in listed)


async def _body(response: UpstreamResponse, limit: int) -> tuple[bytes, str]:
    if response.status != 200:
        raise NotFetched(f"The answer was {response.status}.")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NotFetched("The medium came in an encoding nobody asked for.")
    return await response.read(limit), response.headers.get("content-type", "")
