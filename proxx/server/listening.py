"""Where the server listens: the same sockets for every server and data plane."""

import resource
import socket
from contextlib import suppress

from proxx.server.checks import CannotStart

BACKLOG = 1024


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one. Raise `CannotStart` if the address is not to be had."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as fault:
        raise CannotStart(f"PROXY_HOST ({host}) is not an address: {fault.strerror}.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.settimeout(0)
    except OSError as fault:
        listener.close()
        raise CannotStart(f"Cannot listen on {host} port {port}: {fault.strerror}.") from None
    return listener


def url(listener: socket.socket) -> str:
    """Return the address to call, as people write it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(*urls: str) -> None:
    """Say in one line that requests are taken, and where."""
    print(f"proxx listens on {', '.join(urls)}", flush=True)  # noqa: T201 - the one line a starter waits for


def allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: each client takes one, each upstream call another."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
