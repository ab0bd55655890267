"""A running server, without a worker, lists the models of an account that was added meanwhile."""

import json
import time
from collections.abc import Callable

from tests.live import LOOK_EVERY, LiveProxx
from tests.upstreams.server import SimulatedProvider

ADD = """
from accounts.models import Credential
Credential.objects.create(provider_id="groq", secret="sk-sim-good", base_url=%r)
"""
PATIENCE = 15.0


def listed(proxx: LiveProxx) -> list[str]:
    return [model["id"] for model in json.loads(proxx.request("GET", "/v1/models")[2])["data"]]


def test_an_added_accounts_models_are_listed_within_seconds(
    start_proxx: Callable[..., LiveProxx], provider: SimulatedProvider
) -> None:
    proxx = start_proxx(env={"PROXY_LIST_WATCH": "on", "OPENAI_API_KEY": ""})
    assert listed(proxx) == []
    proxx.run(ADD % provider.base_url)
    deadline = time.monotonic() + PATIENCE
    while not listed(proxx):
        assert time.monotonic() < deadline, proxx.log
        time.sleep(LOOK_EVERY)
    assert "List of models of groq" in proxx.log
    assert "ollama" not in proxx.log  # nobody configured it
