"""Requests that only load or unload a model are answered here where nobody could be told."""

import json

import pytest

from tests.clients.asking import five_upstreams, upstream
from tests.live import LiveProxx


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    five_upstreams(module_proxx)
    return module_proxx


@pytest.mark.parametrize(("keep_alive", "reason"), [({}, "load"), ({"keep_alive": 0}, "unload")])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_loading_is_answered_without_asking_a_foreign_upstream(
    proxx: LiveProxx, path: str, keep_alive: dict[str, int], reason: str, stream: bool
) -> None:
    proxx.provider.reset()
    body = {"model": upstream("anthropic", "claude-x"), "stream": stream, **keep_alive}
    status, _, answer = proxx.request("POST", path, body)
    last = json.loads(answer.splitlines()[-1])
    assert (status, last["done"], last["done_reason"]) == (200, True, reason)
    assert len(proxx.provider.journal) == 0


@pytest.mark.parametrize("stream", [True, False])
def test_an_ollama_upstream_is_told_itself(proxx: LiveProxx, stream: bool) -> None:
    proxx.provider.reset()
    body = {"model": upstream("ollama", "sim-say"), "messages": [], "stream": stream}
    status, _, answer = proxx.request("POST", "/api/chat", body)
    assert (status, json.loads(answer)["done_reason"]) == (200, "load")
    assert len(proxx.provider.journal) == 1
