"""Fetching what a client only gave the address of (security E1 to E3): everything that leads inside is refused."""

import asyncio
import base64
import re
import socket
from types import SimpleNamespace

import pytest

from proxx.upstream import client, fetch
from proxx.upstream.transport import dial
from tests.upstream.raw import Peer

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

NOT_PUBLIC = re.findall(
    r"\S+",
    """
127.0.0.1 127.255.255.254 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255
192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
192.88.99.1 ::
::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 2001::1 2001:db8::1 2002:7f00:1::
fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 100::1 nonsense
""",
)

# Every one of them means the own machine or network to some parser. Nothing is ever asked.
HOSTS = re.findall(
    r"\S+",
    """
127.0.0.1 2130706433 0177.0.0.1 0x7f.0.0.1 0x7f000001 127.1 127.0.1 017700000001 0 [::1] [::ffff:127.0.0.1] [::]
[::ffff:7f00:1] localhost LOCALHOST localhost. foo.localhost printer.local metadata.google.internal metadata
169.254.169.254 2852039166 0xa9fea9fe 127.0.0.1. ①②⑦.⓪.⓪.①
""",
)

UNCLEAN = (
    "http://8.8.8.8/",
    "ftp://8.8.8.8/a",
    "file:///etc/passwd",
    "gopher://8.8.8.8/",
    "https://user@8.8.8.8/",
    "https://user:secret@8.8.8.8/",
    "https://8.8.8.8\\@127.0.0.1/",
    "https://8.8.8.8/\r\nhost: inside",
    "https://8.8.8.8/a b",
    "https:///path",
    "https://",
    "//8.8.8.8/",
    "https://8.8.8.8/" + "a" * 5000,
    "https://8.8.8.8:99999/",
    "",
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_leads_inside_is_not_public(address):
    assert not fetch.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"])
def test_an_address_of_the_public_network_is(address):
    assert fetch.is_public(address)


@pytest.mark.parametrize("host", HOSTS)
async def test_no_notation_of_an_own_address_is_fetched(host, monkeypatch):
    connected = []
    monkeypatch.setattr(dial, "socket", SimpleNamespace(SOCK_STREAM=1, socket=connected.append))
    with pytest.raises(fetch.NotFetched):
        await fetch.fetch(f"https://{host}/a.png")
    assert connected == []


@pytest.mark.parametrize("address", UNCLEAN)
async def test_an_unclean_address_is_not_fetched(address):
    with pytest.raises(fetch.NotFetched):
        await fetch.fetch(address)


def resolving(monkeypatch, *answers):
    """Let each look-up give the next answer; return the list of names that were looked up."""
    looked_up, left = [], list(answers)

    async def look_up(host, port):
        looked_up.append(host)
        return [(socket.AF_INET, (one, port)) for one in left.pop(0)]

    monkeypatch.setattr(fetch, "look_up", look_up)
    return looked_up


async def test_one_bad_address_among_good_ones_is_enough(monkeypatch):
    resolving(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(fetch.NotFetched, match="not public"):
        await fetch.fetch("https://pictures.example/a.png")


async def test_a_name_is_looked_up_once_and_the_connection_goes_there(serve, monkeypatch):
    server = await serve(answering(found(PNG)))
    looked_up = resolving(monkeypatch, ["127.0.0.1"])
    monkeypatch.setattr(fetch, "is_public", lambda text: text == "127.0.0.1")
    loop = asyncio.get_running_loop()
    dialler = fetch._CheckedDialler(loop, client.trust)
    sock = await dialler._connect("pictures.example", server.port, 5.0)
    assert (looked_up, sock.getpeername()) == (["pictures.example"], ("127.0.0.1", server.port))
    sock.close()


async def test_each_request_looks_its_name_up_anew(monkeypatch):
    looked_up = resolving(monkeypatch, ["10.0.0.1"], ["10.0.0.2"])
    for _ in range(2):
        with pytest.raises(fetch.NotFetched):
            await fetch.fetch("https://pictures.example/a.png")
    assert looked_up == ["pictures.example"] * 2


def answering(*answers):
    async def script(peer: Peer) -> None:
        for answer in answers:
            await peer.request()
            await peer.send(answer)

    return script


def found(body, *lines):
    head = [f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


def moved(location):
    return f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()


async def test_a_listed_origin_may_be_inside(serve, settings):
    server = await serve(answering(found(PNG, "content-type: image/png")))
    settings.PROXY_FETCH_ORIGINS = [server.url("")]
    medium = await fetch.fetch(server.url("/a.png"))
    assert (base64.b64decode(medium.data), medium.declared) == (PNG, "image/png")


async def test_a_redirect_is_checked_like_an_address(serve, settings):
    server = await serve(answering(moved("https://127.0.0.1:1/secret")))
    settings.PROXY_FETCH_ORIGINS = [server.url("")]
    with pytest.raises(fetch.NotFetched, match="not public"):
        await fetch.fetch(server.url("/a.png"))


async def test_a_redirect_may_not_leave_https(serve, settings):
    server = await serve(answering(moved("http://8.8.8.8/")))
    settings.PROXY_FETCH_ORIGINS = [server.url("")]
    with pytest.raises(fetch.NotFetched, match="https"):
        await fetch.fetch(server.url("/a.png"))


async def test_three_redirects_are_followed_and_no_fourth(serve, settings):
    server = await serve(answering(moved("/b")))
    settings.PROXY_FETCH_ORIGINS = [server.url("")]
    with pytest.raises(fetch.NotFetched, match="redirects"):
        await fetch.fetch(server.url("/a.png"))
    assert len(server.peers) == 4


@pytest.mark.parametrize(
    "answer",
    [
        found(PNG * 20),
        found(PNG, "content-encoding: gzip"),
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_not_as_it_must_be_is_not_fetched(serve, settings, answer):
    settings.PROXY_FETCH_LIMIT = 1024
    server = await serve(answering(answer))
    settings.PROXY_FETCH_ORIGINS = [server.url("")]
    with pytest.raises(fetch.NotFetched):
        await fetch.fetch(server.url("/a.png"))


async def test_no_credentials_and_no_cookies_are_sent(serve, settings):
    heads = []

    async def script(peer: Peer) -> None:
        head, _ = await peer.request()
        heads.append(head.lower())
        await peer.send(found(PNG))

    server = await serve(script)
    settings.PROXY_FETCH_ORIGINS = [server.url("")]
    await fetch.fetch(server.url("/a.png"))
    assert not any(name in heads[0] for name in (b"authorization", b"cookie", b"referer", b"x-forwarded"))


async def test_nothing_is_fetched_through_a_proxy(settings):
    settings.UPSTREAM_PROXY_URL = "http://127.0.0.1:1"
    with pytest.raises(fetch.NotFetched, match="proxy"):
        await fetch.fetch("https://8.8.8.8/")


async def test_addresses_of_callers_do_not_push_out_those_of_upstreams():
    before = client.url.cache_info().currsize
    for number in range(20):
        with pytest.raises(fetch.NotFetched):
            await fetch.fetch(f"https://127.0.0.1/{number}")
    assert client.url.cache_info().currsize == before
