"""Opening connections: names to addresses (remembered for half a minute), TCP, TLS.

What turns out to be a port of this very process is not used: a provider whose base URL leads back to us would have each
call become another, without end.

Addresses are tried one after another, each with its share of the time, so that one that swallows packets cannot use up
the time of those that answer; the one that answered is tried first from then on.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from proxx.upstream import reaching
from proxx.upstream.transport.connection import Connection, Origin

NAMES_SECONDS = 30.0
NAMES_LIMIT = 512

Address = tuple[int, Any]  # family, what connect() takes for it

_own_ports: frozenset[int] = frozenset()


def note_own_ports(ports: Iterable[int]) -> None:
    """Hear at which ports this process listens: nothing is ever sent there."""
    global _own_ports
    _own_ports = frozenset(ports)


def _is_ours(sock: socket.socket, port: int) -> bool:
    return port in _own_ports and sock.getpeername()[0] == sock.getsockname()[0]


class Dialler:
    """Opens connections on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tls: Callable[[], ssl.SSLContext]) -> None:
        self._loop = loop
        self._tls = tls
        self._names: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._lookups: dict[tuple[str, int], asyncio.Task[list[Address]]] = {}

    async def open(self, origin: Origin, make: Callable[[], Connection], seconds: float) -> Connection:
        """Open a connection within `seconds`; raise `httpx.ConnectTimeout` or `httpx.ConnectError`."""
        scheme, raw_host, port = origin
        host = raw_host.decode("ascii")
        limit = None if seconds == float("inf") else seconds
        try:
            async with asyncio.timeout(limit):
                sock = await self._connect(host, port, seconds)
                context = self._tls() if scheme == "https" else None
                _, connection = await self._loop.create_connection(
                    make, sock=sock, ssl=context, server_hostname=host if context else None
                )
        except TimeoutError:
            raise httpx.ConnectTimeout(f"No connection to {host}:{port} in time.") from None
        except OSError as error:
            raise httpx.ConnectError(f"No connection to {host}:{port}. {reaching.sentence(error)}") from error
        return connection

    async def _connect(self, host: str, port: int, seconds: float) -> socket.socket:
        addresses = await self._addresses(host, port)
        until = self._loop.time() + seconds
        fault: OSError = reaching.NoAddress()
        for tried, (family, address) in enumerate(addresses):
            share = (until - self._loop.time()) / (len(addresses) - tried)
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(0)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # NATs forget silent streams
                async with asyncio.timeout(None if share == float("inf") else share):
                    await self._loop.sock_connect(sock, address)
                if _is_ours(sock, port):
                    raise reaching.LeadsBack
            except OSError as error:  # TimeoutError is one of them
                sock.close()
                fault = error
            except BaseException:
                sock.close()
                raise
            else:
                if tried:
                    addresses.insert(0, addresses.pop(tried))
                return sock
        self._names.pop((host, port), None)
        raise fault

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """Look a name up; one question at a time for each name, however many ask."""
        literal = _literal(host, port)
        if literal is not None:
            return [literal]
        key = (host, port)
        known = self._names.get(key)
        if known is not None and known[0] > self._loop.time():
            return known[1]
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = self._loop.create_task(self._look_up(host, port), name="look-up-upstream")
        return await asyncio.shield(task)  # one caller who leaves must not take the answer from the others

    async def _look_up(self, host: str, port: int) -> list[Address]:
        try:
            found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        finally:
            del self._lookups[(host, port)]
        addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
        if len(self._names) >= NAMES_LIMIT:
            self._names.clear()
        self._names[(host, port)] = (self._loop.time() + NAMES_SECONDS, addresses)
        return addresses


def _literal(host: str, port: int) -> Address | None:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if ip.version == 4:
        return (socket.AF_INET, (host, port))
    return (socket.AF_INET6, (host, port, 0, 0))
