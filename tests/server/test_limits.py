"""Too much, too slow, too many: memory stays flat, the connection ends, others are served meanwhile."""

import json
import socket
import threading
import time

import pytest

from tests.server.conftest import KEY, MIB, PROXY, eventually, everything, parsed, running, until
from tests.server.test_sockets import opened

pytestmark = pytest.mark.slow


def error_of(answer):
    status, headers, body = parsed(answer)
    return status, json.loads(body)["error"]["code"], headers


def pour(server, framing):
    """Send 200 MB whatever the server says; return its answer and the most memory it held meanwhile, in KiB."""
    piece, peak = b"x" * MIB, 0
    with server.connect(20) as sock:
        head = b"POST /mirror HTTP/1.1\r\nHost: x\r\nx-api-key: %b\r\n" % KEY.encode()
        if framing == "length":
            sock.sendall(head + b"Content-Length: %d\r\n\r\n" % (200 * MIB))
        else:
            sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            piece = b"%x\r\n%b\r\n" % (MIB, piece)
        for number in range(200):
            sock.sendall(piece)
            if number in (20, 60, 120, 199):
                peak = max(peak, server.facts()["kib"])
        return error_of(everything(sock)), peak


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_200_mb_body_is_refused_while_memory_stays_flat(server, framing):
    server.get("/echo")
    before = server.facts()["kib"]
    for _ in range(3):  # what one of them left behind would add up
        (status, code, headers), peak = pour(server, framing)
        assert (status, code, headers["connection"]) == (413, "request_too_large", "close")
        assert peak - before < 48 * 1024, "at most the limit of 32 MiB and a little"


def test_without_a_key_a_body_may_have_64_kib(server):
    head = b"POST /mirror HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%bContent-Length: %d\r\n\r\n"
    body = b"x" * 65536
    assert parsed(server.ask(head % (b"", len(body)) + body))[0] == 200
    status, code, headers = error_of(server.ask(head % (b"", len(body) + 1) + body + b"x"))
    assert (status, code, headers["x-should-retry"]) == (401, "invalid_api_key", "false")
    bearer = b"Authorization: Bearer %b\r\n" % KEY.encode()
    assert parsed(server.ask(head % (bearer, len(body) + 1) + body + b"x"))[0] == 200


def test_a_browser_is_refused_in_plain_text(server):
    status, headers, body = parsed(
        server.ask(b"POST /x HTTP/1.1\r\nHost: x\r\nAccept: text/html,*/*\r\nContent-Length: 99999999\r\n\r\n")
    )
    assert (status, headers["content-type"]) == (413, "text/plain; charset=utf-8")
    assert body.startswith(b"The request's body is larger")


def test_a_body_that_expects_to_be_too_large_is_refused_before_it_is_sent(server):
    request = b"POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    assert server.ask(request).startswith(b"HTTP/1.1 413")


def test_all_bodies_together_have_a_limit(server):
    """Two bodies of 30 MiB fit into 64 MiB, a third one does not; when they are gone it does."""
    head = b"POST /wait HTTP/1.1\r\nHost: x\r\nx-api-key: %b\r\nContent-Length: %d\r\n\r\n" % (KEY.encode(), 30 * MIB)
    holders = [server.connect() for _ in range(2)]
    for holder in holders:
        holder.sendall(head + b"x" * (30 * MIB))
    before = server.facts()["seen"]["left"]
    third = head.replace(b"/wait", b"/echo") + b"x" * (30 * MIB)

    def answer():
        with server.connect() as sock:
            sock.sendall(third)
            return until(sock, b"}")

    eventually(lambda: b"503 Service Unavailable" in answer())
    status, code, headers = error_of(answer())
    assert (status, code) == (503, "overloaded")
    assert int(headers["retry-after"]) > 0
    for holder in holders:
        holder.close()
    eventually(lambda: server.facts()["seen"]["left"] == before + 2)
    eventually(lambda: answer().startswith(b"HTTP/1.1 200"))


def test_a_reader_that_never_reads_fills_no_memory(server):
    server.get("/echo")
    before = server.facts()["kib"]
    sockets = []
    for _ in range(8):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.connect(("127.0.0.1", server.port))
        sock.sendall(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        sockets.append(sock)
    peak = max(server.facts()["kib"] for _ in range(20))
    assert peak - before < 8 * 1536, "a write buffer each"
    for sock in sockets:
        sock.close()


def test_a_reader_that_never_reads_is_cut(strict):
    with strict.connect() as sock:
        sock.sendall(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2)  # the deadline itself is under test: 0.8 s and a beat
        sock.settimeout(5)
        assert len(everything(sock)) < 64 * MIB, "what was under way, then the end"


def test_a_slow_reader_that_does_read_is_not_cut(strict):
    """Slower than the server writes, but never still for as long as the deadline."""
    with strict.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.sendall(b"GET /flood?size=16777216 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        size, last = 0, time.monotonic()
        while piece := sock.recv(262144):
            size += len(piece)
            if size < 8 * MIB:
                time.sleep(0.03)
    assert size > 16 * MIB
    assert time.monotonic() - last > 1


def test_half_a_head_ends_at_its_deadline_however_it_drips(strict):
    began = time.monotonic()
    with strict.connect() as sock:
        sock.sendall(b"GET /echo HTTP/1.1\r\nX-Slow: ")
        dripping = threading.Thread(target=_drip, args=(sock,))
        dripping.start()
        answer, took = everything(sock), time.monotonic() - began
    dripping.join()
    assert error_of(answer)[:2] == (408, "request_timeout")
    assert 0.7 < took < 2.5


def _drip(sock):
    try:
        while True:
            time.sleep(0.05)
            sock.sendall(b"x")
    except OSError:
        return


def test_a_silent_connection_is_closed(strict):
    with strict.connect() as sock:
        assert everything(sock) == b""


def test_an_idle_connection_is_closed(strict):
    with strict.connect() as sock:
        sock.sendall(b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        until(sock, b"hello")
        began = time.monotonic()
        assert everything(sock) == b""
        assert 1 < time.monotonic() - began < 3.5


def test_a_body_that_stands_still_ends_at_its_deadline(strict):
    with strict.connect() as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        dripping = threading.Thread(target=_drip, args=(sock,))
        dripping.start()
        answer = everything(sock)
    dripping.join()
    assert error_of(answer)[:2] == (408, "request_timeout")


def test_a_body_that_keeps_coming_is_heard_out(strict):
    with strict.connect() as sock:
        sock.sendall(b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\nConnection: close\r\n\r\n")
        for _ in range(6):
            time.sleep(0.3)
            sock.sendall(b"x" * 1000)
        assert everything(sock).endswith(b"x" * 6000)


def test_300_headers_are_refused_and_200_are_not(server):
    def request(count):
        lines = b"".join(b"X-%d: y\r\n" % number for number in range(count - 2))
        return b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n" % lines

    assert parsed(server.ask(request(200)))[0] == 200
    assert parsed(server.ask(request(300)))[0] == 431


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_a_header_of_1_mb_is_refused(server, end):
    before = server.facts()["kib"]
    answer = server.ask(b"GET /echo HTTP/1.1\r\nHost: x\r\nX-Big: " + b"y" * MIB + end)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    assert server.facts()["kib"] - before < 4 * 1024


def test_a_head_of_60_kb_is_not_too_large(server):
    assert server.get("/echo", "X-Big: " + "y" * 60_000)[0] == 200


@pytest.mark.parametrize("kind", ["daphne-fast", "daphne-stock"])
def test_connections_beyond_the_limit_are_turned_away(kind):
    with running(kind, PROXY_CONNECTION_LIMIT="3", PROXY_HEADER_TIMEOUT="10") as served:
        for _ in range(4):
            opened(served, "/chat").close()
            eventually(lambda: served.get("/echo")[0] == 200)
        held = [opened(served, "/chat"), served.connect(), served.connect()]
        held[1].sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
        until(held[1], b"}")
        assert error_of(served.ask(b""))[:2] == (503, "too_many_connections")
        held.pop().close()
        eventually(lambda: served.get("/echo")[0] == 200)


def test_the_client_behind_a_trusted_proxy_is_the_one_it_names(server):
    chain = b"X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.2\r\nX-Forwarded-Proto: https\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 5, (PROXY, 0)) as sock:
        sock.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n" % chain)
        facts = json.loads(parsed(everything(sock))[2])
    assert (facts["client"][0], facts["scheme"]) == ("203.0.113.9", "https")


def test_a_stranger_can_name_no_client(server):
    facts = json.loads(server.get("/echo", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")[2])
    assert (facts["client"][0], facts["scheme"]) == ("127.0.0.1", "http")
