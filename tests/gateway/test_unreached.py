"""Accounts that the network keeps a call from."""

import json

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
