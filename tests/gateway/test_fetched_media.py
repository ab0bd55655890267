"""Pictures that a client gave by their address, for upstreams that read no addresses (security E5)."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.clients.asking import ask, five_upstreams, send, upstream
from tests.clients.talk import PNG, Talk, User
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.server import SimulatedProvider


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a server with a picture, and with a page that only says it is one."""
    folder: Path = tmp_path_factory.mktemp("pictures")
    (folder / "a.png").write_bytes(base64.b64decode(PNG))
    (folder / "page.png").write_text("<html>inside</html>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider, pictures: str
) -> Iterator[LiveProxx]:
    env = {"PROXY_FETCH_MEDIA": "true", "PROXY_FETCH_ORIGINS": pictures}
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=env) as started:
        five_upstreams(started)
        yield started


@pytest.fixture(autouse=True)
def fresh_scripts(module_provider: SimulatedProvider) -> None:
    module_provider.reset()


def looking(dialect: str, *addresses: str) -> Talk:
    return Talk(model=upstream(dialect, MODELS[dialect]), turns=(User("Look", image_urls=addresses),))


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "anthropic"])
@pytest.mark.parametrize("dialect", ["gemini", "ollama"])
def test_a_picture_is_fetched_for_who_reads_no_address(
    proxx: LiveProxx, pictures: str, client: str, dialect: str
) -> None:
    ask(proxx, client, looking(dialect, f"{pictures}/a.png", f"{pictures}/a.png"))
    sent = proxx.provider.journal.last.body.decode()
    assert sent.count(PNG[:60]) == 2
    assert pictures not in sent


def test_an_address_is_passed_on_to_who_reads_it(proxx: LiveProxx) -> None:
    ask(proxx, "openai_responses", looking("openai_chat", "https://pictures.example/a.png"))
    assert "https://pictures.example/a.png" in proxx.provider.journal.last.body.decode()


@pytest.mark.parametrize("address", ["https://127.0.0.1/a.png", "http://localhost/a.png", "{pictures}/page.png"])
@pytest.mark.parametrize("dialect", ["gemini", "ollama"])
def test_what_may_not_be_fetched_is_refused_without_a_reason(
    proxx: LiveProxx, pictures: str, dialect: str, address: str
) -> None:
    status, _, answer = send(proxx, "openai_chat", looking(dialect, address.format(pictures=pictures)))
    assert status == 400
    said = json.loads(answer)["error"]["message"]
    assert "messages[].image" in said
    assert "127.0.0.1" not in said
    assert len(proxx.provider.journal) == 0


def test_nothing_is_fetched_unless_the_operator_wishes(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider, pictures: str
) -> None:
    env = {"PROXY_FETCH_ORIGINS": pictures}
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=env) as careful:
        five_upstreams(careful)
        status, _, _ = send(careful, "openai_chat", looking("gemini", f"{pictures}/a.png"))
    assert status == 400
