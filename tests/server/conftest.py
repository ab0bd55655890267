"""Servers in processes of their own, and sockets that speak to them byte by byte."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "pxx_" + "k" * 43
MIB = 1024 * 1024
PROXY = "127.0.0.2"  # an address of this machine that the servers take for a reverse proxy

# Short deadlines: the tests of deadlines wait for them, all others are much faster.
SHORT = {
    "PROXY_HEADER_TIMEOUT": "0.8",
    "PROXY_BODY_TIMEOUT": "0.8",
    "PROXY_READER_TIMEOUT": "0.8",
    "PROXY_KEEP_ALIVE": "1.5",
    "PROXY_DRAIN_TIMEOUT": "1",
    "PROXY_BODIES_IN_FLIGHT_LIMIT": str(64 * MIB),
    "PROXY_TRUSTED_PROXIES": PROXY,
    "PYTHONMALLOC": "malloc",
    "MALLOC_ARENA_MAX": "1",
}


@dataclass
class Served:
    """A server process under test."""

    process: subprocess.Popen
    port: int
    opened: list = field(default_factory=list)

    def connect(self, timeout=5):
        """Open a connection."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        self.opened.append(sock)
        return sock

    def ask(self, request, timeout=5):
        """Send bytes, return everything that comes until the server closes."""
        with self.connect(timeout) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(request)
            return everything(sock)

    def get(self, path, *headers):
        """Return status, headers and body of a GET on a connection of its own."""
        lines = "".join(f"{line}\r\n" for line in headers)
        return parsed(self.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n".encode()))

    def facts(self):
        """Return what the test application knows: memory in KiB, and counted departures."""
        return json.loads(self.get("/memory")[2])

    def stop(self):
        """Ask it to stop; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


def start(kind, **environment):
    """Start one of our servers and wait until it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.launch", kind],
        cwd=ROOT,
        env={**os.environ, **SHORT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    line = process.stdout.readline()
    found = re.search(r":(\d+)$", line.strip())
    if not found:
        process.kill()
        process.wait()
        process.stdout.close()
        raise AssertionError(line)
    return Served(process, int(found[1]))


def everything(sock):
    """Read until the end of the connection, however it ends."""
    pieces = []
    with contextlib.suppress(ConnectionError, TimeoutError):
        while piece := sock.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def until(sock, mark):
    """Read until these bytes have come."""
    data = b""
    while mark not in data:
        piece = sock.recv(65536)
        if not piece:
            raise AssertionError(f"the connection ended after {data!r}")
        data += piece
    return data


def parsed(answer):
    """Return status, headers (lower-case) and body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return int(first.split()[1]), headers, body


def eventually(condition, seconds=5):
    """Wait until something becomes true."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it never became true"
        time.sleep(0.01)


@contextlib.contextmanager
def running(kind, **environment):
    """Have a server for a while; it must end well, unless the test ended it."""
    served = start(kind, **environment)
    try:
        yield served
        if served.process.poll() is None:
            assert served.stop() == 0
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
        served.process.stdout.close()
        for sock in served.opened:
            sock.close()


@pytest.fixture(scope="session")
def servers():
    """Return a running server of each kind, started when first asked for."""
    with contextlib.ExitStack() as stack:
        started = {}

        def of(kind):
            if kind not in started:
                started[kind] = stack.enter_context(running(kind))
            return started[kind]

        yield of


KINDS = ["daphne-fast", "daphne-stock", "uvicorn-fast", "uvicorn-stock"]


@pytest.fixture(params=KINDS)
def server(request, servers):
    """Each of our servers in turn."""
    return servers(request.param)


@pytest.fixture(params=["daphne-fast", "daphne-stock"])
def daphne(request, servers):
    """Each data plane of Daphne in turn: the ones with WebSockets."""
    return servers(request.param)


@pytest.fixture(params=["daphne-fast", "daphne-stock", "uvicorn-fast"])
def strict(request, servers):
    """Each that keeps deadlines."""
    return servers(request.param)


@pytest.fixture(params=["daphne-fast", "uvicorn-fast"])
def fast(request, servers):
    """The default data plane, in either server."""
    return servers(request.param)
