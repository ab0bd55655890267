"""What a request looks like on the wire, and what never gets there."""

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.transport import head
from tests.upstream.conftest import Serve, ask
from tests.upstream.raw import Peer, answer

URL = httpx.URL("https://api.example.com/v1/chat/completions?beta=true")


def test_a_post_carries_target_host_headers_and_length() -> None:
    written = head.write("POST", URL, [(b"Authorization", b"Bearer x"), (b"accept", b"*/*")], 12)
    assert written == (
        b"POST /v1/chat/completions?beta=true HTTP/1.1\r\nhost: api.example.com\r\n"
        b"Authorization: Bearer x\r\naccept: */*\r\ncontent-length: 12\r\n\r\n"
    )


def test_a_get_has_no_length_and_an_empty_post_has_one() -> None:
    assert b"content-length" not in head.write("GET", URL, [], 0)
    assert b"content-length: 0\r\n" in head.write("POST", URL, [], 0)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://localhost:11434/api", b"localhost:11434"),
        ("https://api.example.com:443/", b"api.example.com"),
        ("http://[::1]:8080/", b"[::1]:8080"),
        ("https://bücher.example/", b"xn--bcher-kva.example"),
    ],
)
def test_the_host_is_the_one_in_the_address(address: str, host: bytes) -> None:
    assert b"\r\nhost: " + host + b"\r\n" in head.write("GET", client.url(address), [], 0)


@pytest.mark.parametrize(
    "name",
    [b"Host", b"content-length", b"Content-Length", b"Transfer-Encoding", b"connection", b"TE", b"Upgrade", b"expect"],
)
def test_framing_headers_of_others_are_left_out(name: bytes) -> None:
    for _ in range(2):  # the second time from memory
        written = head.write("POST", URL, [(name, b"evil"), (b"x-good", b"1")], 2)
        assert b"evil" not in written
        assert b"x-good: 1" in written


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\rb", b"a\0b", b"\r\n\r\nGET / HTTP/1.1"])
def test_a_value_that_could_begin_a_line_is_refused(value: bytes) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        head.write("POST", URL, [(b"x-value", value)], 0)


@pytest.mark.parametrize("name", [b"", b"x y", b"x:", b"x\r\ny", b"x\0", b"\xc3\xa4"])
def test_a_name_that_is_no_token_is_refused(name: bytes) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        head.write("POST", URL, [(name, b"1")], 0)


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\n", "GÄT"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        head.write(method, URL, [], 0)


def test_remembered_names_stay_few() -> None:
    for number in range(3 * head.NAMES_LIMIT):
        head.write("GET", URL, [(b"x-%d" % number, b"1")], 0)
    assert len(head._checked_names) <= head.NAMES_LIMIT


@pytest.mark.parametrize("size", [0, 10, 100_000, 1_000_000])
async def test_what_is_sent_arrives(serve: Serve, size: int) -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(answer())

    server = await serve(script)
    body = bytes(range(256)) * (size // 256 + 1)
    await (await client.send(ask(server.url(), headers=[(b"x-a", b"1")], body=body[:size]))).read(10)
    ((start, got),) = seen
    assert got == body[:size]
    assert b"\r\nhost: 127.0.0.1:%d\r\nx-a: 1\r\n" % server.port in start
