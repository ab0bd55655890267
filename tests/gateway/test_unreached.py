"""Accounts that the network keeps a call from."""

import json
import socket

import pytest

from tests.live import LiveProxx
from tests.upstreams.server import SimulatedProvider


def keys(*names: str) -> dict[str, str]:
    return {"PROXY_KEYS_JSON": json.dumps({"providers": {"openai": list(names)}}), "OPENAI_API_KEY": ""}


def test_an_account_that_was_passed_over_for_its_neighbours_is_asked_at_the_end(start_proxx, provider):
    bad = [f"sk-sim-fault-close.{number}" for number in range(3)]
    proxx: LiveProxx = start_proxx(env=keys(*bad, "sk-sim-good"))
    for number in range(8):
        assert proxx.chat("gpt-x", f"talk {number}")[0] == 200


def test_a_conversation_stops_after_four_candidates_that_broke_off(start_proxx, provider: SimulatedProvider):
    cut = [f"sk-sim-fault-head-only.{number}" for number in range(8)]
    proxx: LiveProxx = start_proxx(env={**keys(*cut), "UPSTREAM_TRANSIENT_RETRY_COUNT": "0"})
    assert proxx.chat("gpt-x", "A talk.")[0] == 502
    assert len(provider.journal) == 4


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/openai/v1/anything"])
def test_the_client_is_told_who_could_not_be_reached_and_how_but_not_where(start_proxx, path):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # taken, and nobody listens
        port = sock.getsockname()[1]
        env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "PROXY_BREAKER_FAILURES": "1"}
        proxx: LiveProxx = start_proxx(env=env)
        body = {"model": "openai/gpt-x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
        status, _, answer = proxx.request("POST", path, body)
        later = proxx.request("POST", path, body)[2].decode()
    said = json.loads(answer)["error"]["message"]
    assert status == 502
    assert "OpenAI refused the connection" in said
    assert not any(secret in said for secret in ("127.0.0.1", str(port), "Errno"))
    assert path.startswith("/openai/") or "too often just now: openai could not be reached." in later
