"""The door of the room: addresses, loops, the choice of a transport."""

import asyncio
from typing import Any

import httpx
import pytest

from proxx.upstream import client, stock
from proxx.upstream.message import Timeouts
from proxx.upstream.transport import Transport
from tests.upstream.certificates import Authority
from tests.upstream.conftest import Serve, ask, pool
from tests.upstream.raw import Peer, always, answer, chunked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com/v1",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://@example.com/",
        "https://example.com\\@evil.example/",
        "https://example.com/a b",
        "https://example.com/a\tb",
        "https://example.com/\r\nx: y",
        "https://example.com/\x00",
        "https://exa\u00a0mple.com/",
        "https://example.com:port/",
        "https://[::1/",
        " https://example.com/",
    ],
)
def test_an_address_that_two_parsers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        client.url(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://api.example.com/v1/chat", "https://api.example.com/v1/chat"),
        ("HTTP://LOCALHOST:11434", "http://localhost:11434"),
        ("https://example.com/v1?x=a@b#part", "https://example.com/v1?x=a@b"),
        ("http://10.0.0.2:11434/api", "http://10.0.0.2:11434/api"),
        ("http://[::1]:1/", "http://[::1]:1/"),
    ],
)
def test_an_address_of_the_operators_is_kept_as_it_is(text: str, kept: str) -> None:
    assert str(client.url(text)) == kept
    assert client.url(str(client.url(text))) == client.url(text)


def test_what_a_request_carries_does_not_show_when_printed() -> None:
    shown = repr(ask("https://example.com/", headers=[(b"authorization", b"Bearer s3cret")], body=b"prompt"))
    assert "s3cret" not in shown
    assert "prompt" not in shown


def test_each_loop_has_its_own_pool_and_a_dead_loop_leaves_none() -> None:
    async def one() -> int:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        server.close()
        with pytest.raises(httpx.ConnectError):
            await client.send(ask(f"http://127.0.0.1:{server.sockets or 1}/".replace("()", "1")))
        return len(client._ways)

    assert [asyncio.run(one()) for _ in range(3)] == [1, 1, 1]
    client._ways.clear()


async def test_a_redirect_is_an_answer_like_any_other(serve: Serve) -> None:
    elsewhere = await serve(always(answer()))
    location = b"location: " + elsewhere.url().encode() + b"\r\n"
    server = await serve(always(answer(b"", status="302 Found", headers=location)))
    response = await client.send(ask(server.url(), headers=[(b"authorization", b"Bearer s3cret")]))
    assert response.status == 302
    await response.aclose()
    assert not elsewhere.peers


# A proxy of the operator's.


def forwarding(seen: list[bytes]) -> Any:
    """An HTTP proxy: CONNECT is tunnelled, anything else answered on the spot."""

    async def script(peer: Peer) -> None:
        head, _ = await peer.request()
        seen.append(head)
        if not head.startswith(b"CONNECT "):
            await peer.send(chunked(b"through ", b"proxy"))
            await peer.gone()
            return
        host, _, port = head.split(b" ")[1].partition(b":")
        reader, writer = await asyncio.open_connection(host.decode(), int(port))
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        back = asyncio.create_task(pipe(reader, peer.writer))
        await pipe(peer.reader, writer)
        await back
        writer.close()

    return script


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
        writer.write_eof()
    except (OSError, NotImplementedError, RuntimeError):
        pass


async def test_with_a_proxy_configured_requests_go_through_it(serve: Serve, settings: Any) -> None:
    seen: list[bytes] = []
    proxy = await serve(forwarding(seen))
    settings.UPSTREAM_PROXY_URL = proxy.url("").replace("://", "://user:pass@")
    response = await client.send(ask("http://api.example.test/v1/chat", headers=[(b"x-a", b"1")]))
    assert (response.status, response.http_version) == (200, "HTTP/1.1")
    assert await response.read(100) == b"through proxy"
    assert seen[0].startswith(b"POST http://api.example.test/v1/chat HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic" in seen[0]
    await client.close_all()


async def test_tls_goes_through_the_proxy_as_a_tunnel(serve: Serve, settings: Any, tmp_path: Any) -> None:
    authority = Authority(tmp_path, "ours")
    settings.UPSTREAM_CA_FILE = str(authority.file)
    client._tls.cache_clear()
    server = await serve(always(answer()), tls=authority.server("127.0.0.1"))
    seen: list[bytes] = []
    proxy = await serve(forwarding(seen))
    settings.UPSTREAM_PROXY_URL = proxy.url("")
    response = await client.send(ask(server.url(), headers=[(b"authorization", b"Bearer s3cret")]))
    assert await response.read(100) == b"hello"
    assert seen[0].startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % server.port)
    assert b"s3cret" not in seen[0]
    await client.close_all()
    client._tls.cache_clear()


async def test_without_a_proxy_setting_the_environment_changes_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server = await serve(always(answer()))
    assert await (await client.send(ask(server.url()))).read(100) == b"hello"


async def silent_proxy(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
    await peer.gone()


@pytest.mark.parametrize("how", ["aclose", "abandon", "cancel", "finish"])
async def test_giving_up_behind_a_proxy_closes_too(serve: Serve, settings: Any, how: str) -> None:
    proxy = await serve(silent_proxy)
    settings.UPSTREAM_PROXY_URL = proxy.url("")
    response = await client.send(ask("http://api.example.test/"))
    assert await anext(aiter(response)) == b"hello"
    if how == "aclose":
        await response.aclose()
    elif how == "abandon":
        response.abandon()
    elif how == "finish":
        response.finish_later(0.02)
    else:
        task = asyncio.create_task(response.read(100))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(1):
        await proxy.peers[0].left.wait()
    await client.close_all()


async def test_silence_behind_a_proxy_times_out_by_the_idle_time(serve: Serve, settings: Any) -> None:
    proxy = await serve(silent_proxy)
    settings.UPSTREAM_PROXY_URL = proxy.url("")
    response = await client.send(ask("http://api.example.test/", timeouts=Timeouts(connect=5, headers=5, idle=0.05)))
    async with asyncio.timeout(2):
        with pytest.raises(httpx.ReadTimeout):
            await response.read(100)
    await client.close_all()


# HTTP/2.


async def test_http2_without_its_package_says_what_is_missing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "find_spec", lambda _: None)
    settings.UPSTREAM_HTTP2 = ("https://api.example.test",)
    with pytest.raises(httpx.UnsupportedProtocol, match="h2 package"):
        await client.send(ask("https://api.example.test/v1"))
    assert client.configuration_fault() == stock.NEEDS_H2
    await client.close_all()


async def test_only_the_listed_origins_leave_our_own_transport(serve: Serve, settings: Any) -> None:
    settings.UPSTREAM_HTTP2 = ("https://api.example.test",)
    server = await serve(always(answer()))
    await (await client.send(ask(server.url()))).read(100)
    assert pool().idle == 1


def test_settings_that_cannot_be_used_are_named(settings: Any, tmp_path: Any, monkeypatch: Any) -> None:
    client._tls.cache_clear()
    assert client.configuration_fault() is None
    settings.UPSTREAM_PROXY_URL = "gopher://user:s3cret@host"
    assert "UPSTREAM_PROXY_URL" in str(client.configuration_fault())
    assert "s3cret" not in str(client.configuration_fault())
    settings.UPSTREAM_PROXY_URL = ""
    settings.UPSTREAM_HTTP2 = ("api.example.test",)
    monkeypatch.setattr(stock, "find_spec", lambda name: name)
    assert "UPSTREAM_HTTP2" in str(client.configuration_fault())
    settings.UPSTREAM_HTTP2 = ()
    settings.UPSTREAM_CA_FILE = str(tmp_path / "missing.pem")
    client._tls.cache_clear()
    assert "UPSTREAM_CA_FILE" in str(client.configuration_fault())
    client._tls.cache_clear()


# httpx's own door.


async def test_an_httpx_client_works_on_top(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            seen.append((head, body))
            await peer.send(chunked(b'{"a":', b"1}"))

    seen: list[tuple[bytes, bytes]] = []
    server = await serve(script)
    async with httpx.AsyncClient(transport=Transport(client._tls)) as plain:
        got = await plain.post(server.url("/x?y=1"), json={"q": 1})
        assert (got.status_code, got.json(), got.http_version) == (200, {"a": 1}, "HTTP/1.1")
        async with plain.stream("GET", server.url("/s")) as stream:
            assert [part async for part in stream.aiter_bytes()] == [b'{"a":1}']
        with pytest.raises(httpx.ConnectError) as caught:
            await plain.get("http://127.0.0.1:1/")
        assert caught.value.request.url.port == 1
    assert seen[0][0].startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert seen[0][0].lower().count(b"host:") == seen[0][0].lower().count(b"content-length:") == 1
    assert seen[0][1] == b'{"q":1}'
    assert len(server.peers) == 1


async def test_the_timeouts_of_an_httpx_client_are_kept(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.gone()

    server = await serve(script)
    async with httpx.AsyncClient(transport=Transport(client._tls), timeout=httpx.Timeout(None, read=0.05)) as plain:
        with pytest.raises(httpx.ReadTimeout):
            await plain.get(server.url())


async def test_another_scheme_is_refused() -> None:
    async with httpx.AsyncClient(transport=Transport(client._tls)) as plain:
        with pytest.raises(httpx.UnsupportedProtocol):
            await plain.get("ftp://example.com/")
