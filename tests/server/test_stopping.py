"""SIGTERM, SIGHUP: no new calls; running answers end well or honestly, half-sent requests are dropped, exit code 0."""

import signal
import struct
import time

import pytest

from tests.server.conftest import KINDS, eventually, everything, parsed, running, until
from tests.server.test_sockets import opened

pytestmark = pytest.mark.slow


def asked(served, path):
    sock = served.connect(10)
    sock.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
    return sock


def listens(served):
    try:
        served.connect().close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_treats_everybody_as_it_should(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="1.5", PROXY_READER_TIMEOUT="60") as served:
        idle = asked(served, b"/echo")
        until(idle, b"}")
        half_head = served.connect()
        half_head.sendall(b"GET /ec")
        half_body = served.connect()
        half_body.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        streams = [asked(served, b"/stream?count=8&pause=0.1") for _ in range(5)]
        endless = asked(served, b"/stubborn?begin=1")
        mute = asked(served, b"/stubborn")
        unread = asked(served, b"/flood")
        unread.recv(1)
        socket = opened(served, "/chat") if kind.startswith("daphne") else None
        for stream in streams:
            until(stream, b"data: 0")
        until(endless, b"begun")
        assert served.get("/echo")[0] == 200, "all requests above have been read"

        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        for dropped in (idle, half_head, half_body):
            assert not everything(dropped).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 1.4, "nobody waited for them"
        assert not listens(served)
        if socket is not None:
            assert until(socket, struct.pack("!H", 1012)), "service restart"
        for stream in streams:
            answer = everything(stream)
            assert b"data: 7" in answer
            assert answer.endswith(b"0\r\n\r\n")
        last = everything(endless)
        assert b" last words" in last
        assert not last.endswith(b"0\r\n\r\n"), "nobody may take it for a whole answer"
        status, headers, body = parsed(everything(mute))
        assert (status, headers["connection"]) == (503, "close")
        assert b"gateway_stopping" in body
        assert served.process.wait(10) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_terminal_is_a_stop_like_any_other(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="5") as served:
        stream = asked(served, b"/stream?count=3&pause=0.1")
        until(stream, b"data: 0")
        served.process.send_signal(signal.SIGHUP)
        assert b"data: 2" in everything(stream)
        assert served.process.wait(10) == 0


def test_who_told_us_to_ignore_a_lost_terminal_is_obeyed():
    ours = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does; a child inherits it
    try:
        with running("daphne-fast") as served:
            served.process.send_signal(signal.SIGHUP)
            assert served.get("/echo")[0] == 200
    finally:
        signal.signal(signal.SIGHUP, ours)


@pytest.mark.parametrize("kind", ["daphne-fast", "uvicorn-fast", "uvicorn-stock"])
def test_a_second_signal_hurries(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="60") as served:
        sock = asked(served, b"/stubborn?begin=1")
        until(sock, b"begun")
        served.process.send_signal(signal.SIGTERM)
        eventually(lambda: not listens(served))
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(10) == 0
        assert b" last words" in everything(sock)
