"""Ports for servers under test: below those that the system hands out by itself, and no two test workers share any."""

import itertools
import os
import socket

FIRST = 10_000
EACH = 1_300  # ports of one worker
WORKERS = 16


def free_port() -> int:
    """Return a port that nobody listens on and nobody else will be given soon."""
    for port in itertools.islice(_ports, EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("No port is free.")


def _own() -> "itertools.cycle[int]":
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    begin = os.getpid() % EACH  # another run beside this one begins elsewhere
    first = FIRST + worker * EACH
    return itertools.cycle([*range(first + begin, first + EACH), *range(first, first + begin)])


_ports = _own()
