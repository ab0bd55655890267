"""No door leads around a limit (security H2), what failed attempts used is charged, and who counts alone is alone."""

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.clients.asking import five_upstreams, upstream
from tests.gateway.test_limits import ALONE, ask, prepare, spent
from tests.live import LiveProxx, running
from tests.ports import free_port
from tests.protocols.matrix.cell import MODELS
from tests.until import until
from tests.upstreams.script import ReportUsage, Say, finish
from tests.upstreams.server import SimulatedProvider

BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {},
    "/v1/responses": {"input": "x"},
    "/v1/responses/compact": {"input": "x"},
    "/v1/messages": {},
    "/v1/models/gpt-x:generateContent": {"contents": [{"parts": [{"text": "x"}]}]},
    "/v1beta/models/gpt-x:streamGenerateContent": {"contents": [{"parts": [{"text": "x"}]}]},
    "/api/chat": {"stream": False},
    "/api/generate": {"prompt": "x", "stream": False},
    "/v1/embeddings": {"input": "x"},
    "/v1/models/gpt-x:embedContent": {"content": {"parts": [{"text": "x"}]}},
    "/v1/models/gpt-x:batchEmbedContents": {"requests": [{"content": {"parts": [{"text": "x"}]}}]},
    "/api/embed": {"input": "x"},
    "/api/embeddings": {"prompt": "x"},
    "/v1/completions": {"prompt": "x"},
    "/v1/images/generations": {"prompt": "x"},
    "/v1/images/edits": {"prompt": "x", "images": [{"image_url": "data:image/png;base64,iVBORw0KGgo="}]},
    "/v1/audio/speech": {"input": "x", "voice": "alloy"},
    "/v1/moderations": {"input": "x"},
    "/openai/v1/chat/completions": {},
    "/openai/v1/responses": {"input": "x"},
    "/openai/v1/embeddings": {"input": "x"},
}
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-x\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n'
)


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider, env=ALONE, real=False) as started:
        five_upstreams(started)
        prepare(started)
        yield started


@pytest.mark.parametrize("path", BODIES)
def test_no_path_leads_around_a_limit(proxx: LiveProxx, module_provider: SimulatedProvider, path: str):
    module_provider.reset()
    status, _, body = ask(proxx, "one", path, **BODIES[path])
    assert status == 429, body
    assert not module_provider.journal


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/translations"])
def test_no_form_leads_around_a_limit(proxx: LiveProxx, path: str):
    headers = {"authorization": f"Bearer {proxx.tokens['one']}", "content-type": "multipart/form-data; boundary=b"}
    assert proxx.request("POST", path, FORM, headers)[0] == 429


def test_no_socket_leads_around_a_limit(proxx: LiveProxx):
    headers = {"authorization": f"Bearer {proxx.tokens['one']}", "openai-beta": "responses_websockets=2026-02-06"}
    with connect(f"ws://127.0.0.1:{proxx.port}/v1/responses", additional_headers=headers) as socket:
        socket.send(json.dumps({"type": "response.create", "model": "gpt-x", "input": "x"}))
        told = json.loads(socket.recv(timeout=10))
    assert (told["type"], told.get("status")) == ("error", 429)


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_provider_reported_before_it_failed_is_charged(proxx: LiveProxx, module_provider, stream: bool):
    module_provider.reset()
    gemini = MODELS["gemini"]
    module_provider.script(ReportUsage(50, 0), finish("malformed"), model=gemini)  # it is asked once more
    module_provider.script(Say("x"), ReportUsage(7, 10), model=gemini)
    before = spent(proxx, "tokens")
    options = {"stream_options": {"include_usage": True}} if stream else {}
    model = upstream("gemini", gemini)
    assert ask(proxx, "tokens", model=model, max_tokens=100, stream=stream, **options)[0] == 200
    until(lambda: spent(proxx, "tokens")[0] == before[0] + 1, seconds=10)
    assert spent(proxx, "tokens")[2] == before[2] + 50 + 17


def test_a_second_process_on_the_same_data_lets_no_budget_in_until_the_first_is_gone(start_proxx, provider, tmp_path):
    first: LiveProxx = start_proxx(env=ALONE, real=False)
    prepare(first)
    provider.always(Say("x"), ReportUsage(7, 1000))
    second = LiveProxx(tmp_path / "second", first.database, provider, "daphne", first.environment)
    second.folder.mkdir()
    second.environment |= {"PROXY_PORT": str(free_port()), "PROXY_DATA_DIR": str(first.folder)}
    second.port = int(second.environment["PROXY_PORT"])
    second.tokens = first.tokens
    second.start()
    try:
        assert ask(first, "money")[0] == 200
        assert ask(second, "money")[2]["error"]["code"] == "limits_unavailable"
        assert ask(second, "free")[0] == 200
        assert "Another process counts budgets" in second.log
        first.stop()
        until(lambda: ask(second, "money")[0] == 200, seconds=30)
        until(lambda: spent(second, "money")[0] == 2, seconds=10)
    finally:
        second.stop()
