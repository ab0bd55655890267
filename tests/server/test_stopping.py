"""SIGTERM: no new calls, running answers finish or end honestly, half-sent requests are dropped, exit code 0."""

import signal
import time

import pytest

from tests.server.conftest import eventually, everything, parsed, running, until

KINDS = ("daphne-fast", "daphne-stock", "uvicorn")
GET = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"


def asked(served, path):
    sock = served.connect(10)
    sock.sendall(GET % path)
    return sock


def listens(served):
    try:
        served.connect().close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_lets_streams_finish_and_drops_what_is_half_sent(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="8") as served:
        idle = asked(served, b"/echo")
        until(idle, b"}")
        half_head = served.connect()
        half_head.sendall(b"GET /ec")
        half_body = served.connect()
        half_body.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        streams = [asked(served, b"/stream?count=8&pause=0.1") for _ in range(5)]
        for stream in streams:
            until(stream, b"data: 0")
        served.process.send_signal(signal.SIGTERM)
        for dropped in (idle, half_head, half_body):
            assert not everything(dropped).startswith(b"HTTP/1.1 200")
        for stream in streams:
            answer = everything(stream)
            assert b"data: 7" in answer
            assert answer.endswith(b"0\r\n\r\n")
        assert not listens(served)
        assert served.process.wait(10) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_outlives_the_drain_ends_honestly(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="0.3") as served:
        streaming = asked(served, b"/stubborn?begin=1")
        until(streaming, b"begun")
        waiting = asked(served, b"/stubborn")
        eventually(lambda: served.get("/echo")[0] == 200)
        served.process.send_signal(signal.SIGTERM)
        rest = everything(streaming)
        assert b" last words" in rest
        assert not rest.endswith(b"0\r\n\r\n"), "nobody may take it for a whole answer"
        status, headers, body = parsed(everything(waiting))
        assert (status, headers["connection"]) == (503, "close")
        assert b"gateway_stopping" in body
        assert served.process.wait(10) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_that_does_not_read_does_not_hold_up_the_end(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="0.2", PROXY_READER_TIMEOUT="60") as served:
        sock = asked(served, b"/flood")
        until(sock, b"x" * 1000)
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_signal_hurries(kind):
    with running(kind, PROXY_DRAIN_TIMEOUT="60") as served:
        sock = asked(served, b"/stubborn?begin=1")
        until(sock, b"begun")
        served.process.send_signal(signal.SIGTERM)
        eventually(lambda: not listens(served))
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(10) == 0
        assert b" last words" in everything(sock)
