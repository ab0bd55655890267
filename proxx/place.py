"""Where the house stands: host, port and data folder, read and claimed before anything is started.

Runs before any package is imported, so the standard library must do. A `ValueError` says in one sentence what is in
the way.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

HIGHEST_PORT = 65535  # getaddrinfo takes larger ones, and means another


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the data folder for a `with` block; raise `ValueError` if another supervisor has it.

    Two on one folder would follow two environments: the second would remove the accounts that the first was given.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as fault:
        raise ValueError(
            f"the data folder {folder} cannot be used ({fault.strerror}). PROXY_DATA_DIR names it."
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ValueError(
            f"another proxx runs with the data folder {folder}. Stop it first, or name another one in PROXY_DATA_DIR."
        ) from None
    except OSError:  # a file system without locks
        pass
    try:
        yield
    finally:
        os.close(handle)


def claim(host: str, port: int) -> int:
    """Return the port if it is free, any free one for 0; raise `ValueError` if it is taken or the host is not ours."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            return int(trial.getsockname()[1])
    except (OSError, OverflowError) as fault:
        raise ValueError(
            f"cannot listen on {host} port {port} ({fault}). PROXY_HOST and PROXY_PORT say where."
        ) from None


def reachable(host: str) -> str:
    """Return the address under which a host that means all addresses is reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def port(text: str) -> int:
    """Read a port; raise `ValueError` for what is none."""
    found = number("PROXY_PORT", text, default=8789)
    if found not in range(HIGHEST_PORT + 1):
        raise ValueError(f"PROXY_PORT must be a whole number from 0 to {HIGHEST_PORT}.")
    return int(found)


def number(name: str, text: str, *, default: float) -> float:
    """Read a number; raise `ValueError` with the name for what is none."""
    try:
        return float(text) if text.strip() else default
    except ValueError:
        raise ValueError(f"{name} must be a number.") from None
