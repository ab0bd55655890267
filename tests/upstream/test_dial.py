"""Opening connections: addresses, refusals, TLS."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from proxx.upstream import client
from proxx.upstream.message import Timeouts
from proxx.upstream.transport import dial
from tests.upstream.certificates import Authority
from tests.upstream.conftest import Serve, ask, pool
from tests.upstream.raw import Peer, always, answer, chunked

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture
def trusted(authority: Authority, settings: pytest.FixtureRequest) -> Iterator[Authority]:
    """The operator has named our authority in UPSTREAM_CA_FILE."""
    settings.UPSTREAM_CA_FILE = str(authority.file)
    client._tls.cache_clear()
    yield authority
    client._tls.cache_clear()


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def test_a_refused_connection_is_a_connect_error() -> None:
    with pytest.raises(httpx.ConnectError, match="No connection to"):
        await client.send(ask(f"http://127.0.0.1:{closed_port()}/"))
    assert len(pool()) == 0
    await client.close_all()


async def test_a_connection_that_leads_back_to_this_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        monkeypatch.setattr(dial, "_own_ports", frozenset({port}))
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(httpx.ConnectError, match="proxx itself"):
                await client.send(ask(f"http://{host}:{port}/v1/chat/completions"))
    await client.close_all()


async def test_a_name_without_address_is_a_connect_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(dial.Dialler, "_look_up", look_up)
    with pytest.raises(httpx.ConnectError, match="no address"):
        await client.send(ask("http://nowhere.invalid/"))
    await client.close_all()


async def test_a_handshake_that_never_ends_is_a_connect_timeout(serve: Serve) -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    server = await serve(script)
    with pytest.raises(httpx.ConnectTimeout):
        await client.send(ask(server.url(scheme="https"), timeouts=Timeouts(connect=0.05, headers=5, idle=5)))
    await server.peers[0].left.wait()


async def test_cancelling_a_handshake_closes_at_once(serve: Serve) -> None:
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        arrived.set()
        await peer.gone()

    server = await serve(script)
    task = asyncio.create_task(client.send(ask(server.url(scheme="https"))))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1):
        await server.peers[0].left.wait()


async def test_an_address_that_refuses_gives_way_to_the_next(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await serve(always(answer()))
    dead = closed_port()
    asked = 0

    async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
        nonlocal asked
        asked += 1
        return [(socket.AF_INET, 0, 0, "", ("127.0.0.1", port)) for port in (dead, server.port)]

    monkeypatch.setattr(dial, "_literal", lambda *_: None)
    dialler = dial.Dialler(asyncio.get_running_loop(), client._tls)
    monkeypatch.setattr(dialler, "_loop", Loop(found))
    for _ in range(2):
        sock = await dialler._connect("name", 80, 5.0)
        assert sock.getpeername()[1] == server.port
        sock.close()
    assert asked == 1
    assert dialler._names[("name", 80)][1][0][1] == ("127.0.0.1", server.port)


async def test_many_who_ask_for_a_name_share_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, gate = 0, asyncio.Event()

    async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
        nonlocal asked
        asked += 1
        await gate.wait()
        return [(socket.AF_INET, 0, 0, "", ("127.0.0.1", 80))]

    dialler = dial.Dialler(asyncio.get_running_loop(), client._tls)
    monkeypatch.setattr(dialler, "_loop", Loop(found))
    tasks = [asyncio.create_task(dialler._addresses("name.example", 80)) for _ in range(10)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [[(socket.AF_INET, ("127.0.0.1", 80))]] * 9
    assert asked == 1


class Loop:
    """The running loop with a name service of the test's own."""

    def __init__(self, getaddrinfo: object) -> None:
        self.getaddrinfo = getaddrinfo

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio.get_running_loop(), name)


async def test_an_address_that_swallows_packets_gets_only_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    dialler = dial.Dialler(asyncio.get_running_loop(), client._tls)
    tried = []

    class Silent(Loop):
        async def sock_connect(self, sock: socket.socket, address: tuple[str, int]) -> None:
            tried.append(address[0])
            if address[0] == "192.0.2.1":
                await asyncio.Event().wait()

    async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 0, 0, "", (host, 80)) for host in ("192.0.2.1", "192.0.2.2")]

    monkeypatch.setattr(dialler, "_loop", Silent(found))
    (await dialler._connect("name", 80, 0.1)).close()
    (await dialler._connect("name", 80, 0.1)).close()
    assert tried == ["192.0.2.1", "192.0.2.2", "192.0.2.2"]


# TLS.


async def test_an_authority_of_the_operators_is_trusted(serve: Serve, trusted: Authority) -> None:
    server = await serve(always(chunked(b"hello ", b"world")), tls=trusted.server("127.0.0.1"))
    for _ in range(3):
        assert await (await client.send(ask(server.url()))).read(100) == b"hello world"
    assert len(server.peers) == 1


async def test_an_unknown_authority_is_refused(serve: Serve, authority: Authority) -> None:
    server = await serve(always(answer()), tls=authority.server("127.0.0.1"))
    with pytest.raises(httpx.ConnectError, match="TLS certificate"):
        await client.send(ask(server.url()))
    assert not any(peer.requests for peer in server.peers)


async def test_a_certificate_for_another_host_is_refused(serve: Serve, trusted: Authority) -> None:
    server = await serve(always(answer()), tls=trusted.server("elsewhere.example"))
    with pytest.raises(httpx.ConnectError, match="TLS certificate"):
        await client.send(ask(server.url()))
    assert not any(peer.requests for peer in server.peers)


async def test_an_expired_certificate_is_refused(serve: Serve, trusted: Authority) -> None:
    server = await serve(always(answer()), tls=trusted.server("127.0.0.1", days=-1))
    with pytest.raises(httpx.ConnectError, match="TLS certificate"):
        await client.send(ask(server.url()))


async def test_the_server_is_told_the_name_it_is_asked_for(serve: Serve, trusted: Authority) -> None:
    names = []
    context = trusted.server("localhost")
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    server = await serve(always(answer()), tls=context)
    assert await (await client.send(ask(f"https://localhost:{server.port}/"))).read(100) == b"hello"
    assert names == ["localhost"]


async def test_large_bodies_pass_through_tls_both_ways(serve: Serve, trusted: Authority) -> None:
    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            await peer.send(answer(body))

    server = await serve(script, tls=trusted.server("127.0.0.1"))
    body = bytes(range(256)) * (16 * 1024)
    for _ in range(2):
        response = await client.send(ask(server.url(), body=body))
        await asyncio.sleep(0.02)  # long enough for the pause to happen
        assert await response.read(8 * MIB) == body
    assert len(server.peers) == 1


async def test_a_stale_tls_connection_is_replaced(serve: Serve, trusted: Authority) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        if peer is server.peers[0]:
            await peer.request()
            return
        await peer.gone()

    server = await serve(script, tls=trusted.server("127.0.0.1"))
    for _ in range(2):
        assert await (await client.send(ask(server.url()))).read(100) == b"hello"
    assert [peer.requests for peer in server.peers] == [2, 1]


def test_an_authority_file_that_is_missing_says_so(settings: pytest.FixtureRequest, tmp_path: Path) -> None:
    settings.UPSTREAM_CA_FILE = str(tmp_path / "missing.pem")
    client._tls.cache_clear()
    with pytest.raises(OSError, match="No such file"):
        client._tls()
    client._tls.cache_clear()
