"""Requests that are none: refused with 4xx by every server, never with 5xx, and nobody else notices."""

import random

import pytest

from tests.server.conftest import parsed, until

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

# What two parsers could read differently (security D5), and what no parser should read at all.
SMUGGLED = {
    "both lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length with a sign": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
    "a length in words": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: one\r\n\r\na",
    "a list of lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na",
    "an unknown coding": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "obsolete folding": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
    "a blank before the colon": b"GET / HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n",
    "a blank first header": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "a NUL in a value": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n",
    "a control character in a name": b"GET / HTTP/1.1\r\nHost: x\r\nX\x01A: b\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: x\r\nwhatever\r\n\r\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\rX-B: c\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a size that is no number": CHUNKED + b"zz\r\nab\r\n0\r\n\r\n",
    "a negative size": CHUNKED + b"-1\r\nab\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "a huge size": CHUNKED + b"f" * 40 + b"\r\nab\r\n0\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 40,
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an upgrade with a body": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Content-Length: 4\r\n\r\nbody",
    "an upgrade with chunks": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    "no version": b"GET /\r\nHost: x\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
}

# Servers differ here, and all readings are safe: a 4xx, or the plain meaning.
STRICTER = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "a coding in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "a host with a blank": b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
    "a tunnel": b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target of another kind": b"GET x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown expectation": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n\0",
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_could_be_read_in_two_ways_is_refused(server, name):
    answer = server.ask(SMUGGLED[name], 3)
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert answer.count(b"HTTP/1.1") == 1, "nothing that follows is taken for a request"


@pytest.mark.parametrize("name", [name for name in STRICTER if "expectation" not in name])
def test_the_fast_plane_refuses_more(fast, name):
    assert fast.ask(STRICTER[name], 3).startswith(b"HTTP/1.1 4")


def test_what_follows_a_refused_request_is_not_read(strict):
    smuggled = b"GET /echo?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = strict.ask(SMUGGLED["two lengths"] + smuggled)
    assert b"smuggled" not in answer


def test_500_malformed_or_oversized_requests_cause_no_5xx_and_disturb_nobody(server):
    """The seed is fixed: a failure can be repeated."""
    chance = random.Random(20_261_121)
    seeds = [*SMUGGLED.values(), *STRICTER.values()]
    with server.connect(20) as steady:
        for number in range(500):
            data = mutated(chance, chance.choice(seeds))
            with server.connect() as sock:
                sock.settimeout(0.05)
                try:
                    sock.sendall(data)
                    answer = sock.recv(65536)
                except (TimeoutError, ConnectionError):
                    answer = b""
            assert not answer or parsed(answer)[0] < 500, data
            if number % 50 == 0:
                steady.sendall(b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsteady")
                assert until(steady, b"steady").startswith(b"HTTP/1.1 200")


def mutated(chance, data):
    """Return a request with a few random faults, some of them large."""
    data = bytearray(data)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 8)]
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
            case 3:
                data[at:at] = chance.choice([b"\r\n", b"\n", b":", b"\0", b"%zz", b"\xff\xfe", b" ", b"\t"])
            case _:
                data[at:at] = chance.choice([b"X-Y: z\r\n", b"a"]) * chance.choice([300, 70_000])
        if not data:
            return b"\r\n"
    return bytes(data)
