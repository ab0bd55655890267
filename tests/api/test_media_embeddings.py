"""Embeddings: OpenAI's, Ollama's and Gemini's clients, each served by an upstream of each kind."""

import base64
import http.client
import json
import struct
from typing import Any

import openai
import pytest

from tests.api.media_upstreams import media_upstreams
from tests.live import LiveProxx
from tests.upstreams.openai_media_vectors import vector
from tests.upstreams.server import SimulatedProvider

UPSTREAMS = ("embed-openai", "embed-ollama", "embed-gemini")
TEXTS = ["first", "second", "third"]
SIZE = 64


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    media_upstreams(module_proxx)
    return module_proxx


def by_openai(proxx: LiveProxx, model: str, texts: list[str]) -> list[list[float]]:
    with proxx.openai() as client:  # asks for base64 by itself
        made = client.embeddings.create(model=model, input=texts, dimensions=SIZE)
    assert [one.index for one in made.data] == list(range(len(texts)))
    assert made.usage.prompt_tokens > 0
    return [one.embedding for one in made.data]


def by_ollama(proxx: LiveProxx, model: str, texts: list[str]) -> list[list[float]]:
    return post(proxx, "/api/embed", {"model": model, "input": texts, "dimensions": SIZE})["embeddings"]


def by_gemini(proxx: LiveProxx, model: str, texts: list[str]) -> list[list[float]]:
    requests = [
        {"model": f"models/{model}", "content": {"parts": [{"text": text}]}, "outputDimensionality": SIZE}
        for text in texts
    ]
    made = post(proxx, f"/v1beta/models/{model}:batchEmbedContents", {"requests": requests})
    return [one["values"] for one in made["embeddings"]]


CLIENTS = {"openai": by_openai, "ollama": by_ollama, "gemini": by_gemini}


def expected(provider: SimulatedProvider, upstream: str, text: str) -> list[float]:
    """Return the numbers that the provider itself has for a text; the simulated Gemini has others than the rest."""
    if upstream != "embed-gemini":
        return vector(text, SIZE)
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=5)
    body = {"content": {"parts": [{"text": text}]}, "outputDimensionality": SIZE}
    headers = {"x-goog-api-key": "sk-sim-1", "content-type": "application/json"}
    connection.request("POST", "/v1beta/models/sim-embed:embedContent", json.dumps(body), headers)
    found: list[float] = json.loads(connection.getresponse().read())["embedding"]["values"]
    connection.close()
    return found


def post(proxx: LiveProxx, path: str, body: Any) -> Any:
    status, _, answer = proxx.request("POST", path, body)
    assert status == 200, answer
    return json.loads(answer)


def refused(proxx: LiveProxx, path: str, body: Any) -> tuple[int, Any]:
    status, _, answer = proxx.request("POST", path, body)
    return status, json.loads(answer)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_gets_every_upstreams_numbers_in_order(proxx: LiveProxx, module_provider, client, upstream):
    """D178."""
    found = CLIENTS[client](proxx, f"{upstream}/sim-embed", TEXTS)
    assert len(found) == len(TEXTS)
    for text, numbers in zip(TEXTS, found, strict=True):
        assert len(numbers) == SIZE
        assert numbers == pytest.approx(expected(module_provider, upstream, text), abs=1e-6)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_base64_is_little_endian_float32_wherever_it_comes_from(proxx: LiveProxx, module_provider, upstream):
    """D178."""
    body = {"model": f"{upstream}/sim-embed", "input": "first", "encoding_format": "base64", "dimensions": SIZE}
    packed = base64.b64decode(post(proxx, "/v1/embeddings", body)["data"][0]["embedding"])
    assert list(struct.unpack(f"<{SIZE}f", packed)) == pytest.approx(
        expected(module_provider, upstream, "first"), abs=1e-6
    )


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_one_text_the_old_way_and_the_short_way(proxx: LiveProxx, upstream):
    """F-020."""
    model = f"{upstream}/sim-embed"
    old = post(proxx, "/api/embeddings", {"model": model, "prompt": "first"})["embedding"]
    single = {"content": {"parts": [{"text": "first"}]}}
    one = post(proxx, f"/v1/models/{model}:embedContent", single)["embedding"]["values"]
    assert len(old) == len(one) > SIZE


def test_the_same_dialect_passes_in_its_own_bytes(proxx: LiveProxx, module_provider: SimulatedProvider):
    raw = b'{ "input":["h\\u00e9"], "user":"u",  "model" : "embed-openai/sim-embed", "encoding_format": "float" }'
    status, _, answer = proxx.request("POST", "/embeddings", raw)
    assert (status, answer) == (200, bytes(module_provider.journal.last.answer))
    assert module_provider.journal.last.body == raw.replace(b"embed-openai/", b"")


def test_token_numbers_stay_with_openai(proxx: LiveProxx):
    """D178."""
    tokens = [[1, 2], [3]]
    found = post(proxx, "/v1/embeddings", {"model": "embed-openai/sim-embed", "input": tokens})
    assert len(found["data"]) == 2
    for upstream in ("embed-ollama", "embed-gemini"):
        status, body = refused(proxx, "/v1/embeddings", {"model": f"{upstream}/sim-embed", "input": tokens})
        assert (status, body["error"]["code"]) == (400, "unsupported_parameter")
        assert "input" in body["error"]["message"]


def test_more_texts_than_one_request_holds_become_several(proxx: LiveProxx, module_provider: SimulatedProvider):
    """D178."""
    texts = [f"text {number}" for number in range(230)]
    before = len(module_provider.journal)
    found = by_openai(proxx, "embed-gemini/sim-embed", texts)
    assert [len(one.json["requests"]) for one in list(module_provider.journal)[before:]] == [100, 100, 30]
    assert found[229] == pytest.approx(expected(module_provider, "embed-gemini", "text 229"), abs=1e-6)


def test_reported_usage_is_recorded_and_nothing_is_guessed(proxx: LiveProxx):
    by_openai(proxx, "embed-ollama/sim-embed", TEXTS)
    by_openai(proxx, "embed-gemini/sim-embed", TEXTS)
    query = """SELECT DISTINCT provider_id, usage_state FROM analytics_requestlog WHERE dialect = 'openai_embeddings'
        AND provider_id IN ('embed-ollama', 'embed-gemini') AND status = 200 ORDER BY provider_id"""
    assert proxx.wait_for_rows(query, 2) == [("embed-gemini", "none"), ("embed-ollama", "reported")]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/embeddings", {"input": 7}, "input"),
        ("/v1/embeddings", {"input": []}, "input"),
        ("/v1/embeddings", {"input": "a", "dimensions": "many"}, "dimensions"),
        ("/v1/embeddings", {"input": "a", "encoding_format": "int8"}, "encoding_format"),
    ],
)
def test_what_is_no_request_is_refused_by_name(proxx: LiveProxx, path, body, param):
    status, answer = refused(proxx, path, {"model": "embed-ollama/sim-embed", **body})
    assert (status, answer["error"]["param"]) == (400, param)


def test_what_only_one_vendor_knows_is_dropped_by_name(proxx: LiveProxx):
    content = {"content": {"parts": [{"text": "first"}]}, "taskType": "CLUSTERING", "title": "t"}
    path = "/v1beta/models/embed-openai/sim-embed:embedContent"
    _, headers, _ = proxx.request("POST", path, content)
    assert "taskType;" in headers["x-proxx-warnings"]
    assert proxx.request("POST", path, content, {"x-proxx-strict": "true"})[0] == 400


def test_errors_are_in_the_askers_own_words(proxx: LiveProxx):
    said = refused(proxx, "/api/embed", {"model": "embed-openai/no-such-model", "input": "a"})[1]
    assert "embed-openai/no-such-model" in said.get("error", ""), said
    status, body = refused(
        proxx, "/v1beta/models/embed-openai/no-such-model:embedContent", {"content": {"parts": [{"text": "a"}]}}
    )
    assert (status, body["error"]["status"]) == (404, "NOT_FOUND")
    with proxx.openai() as client, pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="embed-openai/no-such-model", input="a")
