"""Rests are one process's news and every process's knowledge; they outlive a restart."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import FOREVER
from tests.upstreams.server import SimulatedProvider

TWO = {
    "PROXY_KEYS_JSON": json.dumps({"providers": {"openai": ["sk-sim-1", "sk-sim-2"]}}),
    "OPENAI_API_KEY": "",
    "UPSTREAM_TRANSIENT_RETRY_COUNT": "0",
}


def test_a_rest_outlives_a_restart(start_proxx, provider: SimulatedProvider) -> None:
    proxx: LiveProxx = start_proxx(env=TWO)
    provider.script(times=2, fault="429", retry_after=600.0)
    assert proxx.chat("gpt-x")[0] == 429
    assert proxx.stop() == 0
    provider.reset()
    proxx.start()
    status, headers, _ = proxx.chat("gpt-x")
    assert status == 429
    assert 500 < int(headers["retry-after"]) <= 600
    assert len(provider.journal) == 0


@pytest.mark.real
def test_processes_tell_each_other_of_rests_and_recoveries(start_proxx, provider: SimulatedProvider, tmp_path: Path):
    breaker = {**TWO, "PROXY_BREAKER_FAILURES": "1", "PROXY_BREAKER_SECONDS": "5"}
    first: LiveProxx = start_proxx(real=True, env=breaker)
    second = LiveProxx(tmp_path / "second", first.database, provider, "daphne", breaker)
    second.folder.mkdir()
    with ExitStack() as stack:
        stack.callback(second.stop)
        second.start()
        provider.script(times=2, fault="500")
        assert first.chat("gpt-x")[0] == 502
        provider.script(key="sk-sim-1", times=FOREVER, fault="500")
        # The news leaves before the rows do; who asks before it heard finds the good account by itself.
        first.wait_for_rows("SELECT 1 FROM routing_keptrest", 2)
        until(lambda: _refuses(second), seconds=5)
        asked = len(provider.journal)
        # One of them finds that an account is back, and the other knows without asking the broken one.
        until(lambda: first.chat("gpt-x")[0] == 200, seconds=20)
        assert second.chat("gpt-x")[0] == 200
        assert len(provider.journal) > asked


def _refuses(proxx: LiveProxx) -> bool:
    return proxx.chat("gpt-x")[0] == 503
