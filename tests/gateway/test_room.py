"""Accounts of which some are full, some broken, some resting: who could be served is, and nobody gets more at once."""

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live import LiveProxx
from tests.upstreams.script import FOREVER, say, stall
from tests.upstreams.server import SimulatedProvider

SECONDS = 0.15  # what an answer takes at least
WAITS = {"OPENAI_API_KEY": "", "PROXY_BUSY_WAIT": "50"}
CHAT = {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}


def opened(proxx: LiveProxx, *accounts: tuple[str, str, int]) -> None:
    """Give the server accounts: provider, key and calls at once."""
    proxx.run(
        f"""
from accounts.models import Credential
for number, (provider, secret, at_once) in enumerate({accounts!r}):
    Credential.objects.create(provider_id=provider, secret=secret, label=f"c-{{number}}", at_once=at_once)
"""
    )
    proxx.stop()
    proxx.start()


def all_at_once(proxx: LiveProxx, calls: int, path: str = "/v1/chat/completions") -> list[int]:
    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(lambda _: proxx.request("POST", path, CHAT)[0], range(calls)))


def most_at_once(provider: SimulatedProvider, key: str) -> int:
    began = sorted(entry.arrived for entry in provider.journal if entry.header("authorization") == f"Bearer {key}")
    return max((sum(one - SECONDS < other <= one for other in began) for one in began), default=0)


def test_a_dead_address_beside_a_full_account_refuses_nobody(start_proxx, provider: SimulatedProvider):
    gone = {"OPENROUTER_BASE_URL": "http://127.0.0.1:9"}
    proxx: LiveProxx = start_proxx(env={**WAITS, **gone})
    opened(proxx, ("openai", "sk-sim-1", 2), ("openrouter", "sk-sim-2", 0))
    provider.script(stall(SECONDS), say("hi"), times=FOREVER)
    assert all_at_once(proxx, 8) == [200] * 8
    assert most_at_once(provider, "sk-sim-1") == 2


def test_below_a_providers_path_no_account_gets_more_at_once(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env=WAITS)
    opened(proxx, ("openai", "sk-sim-1", 1), ("openai", "sk-sim-2", 1))
    provider.script(stall(SECONDS), say("hi"), times=FOREVER)
    assert all_at_once(proxx, 8, "/openai/v1/chat/completions") == [200] * 8
    assert [most_at_once(provider, key) for key in ("sk-sim-1", "sk-sim-2")] == [1, 1]


def test_below_a_providers_path_who_finds_no_room_is_told_so(start_proxx, provider: SimulatedProvider):
    proxx: LiveProxx = start_proxx(env={**WAITS, "PROXY_BUSY_WAIT": "0"})
    opened(proxx, ("openai", "sk-sim-1", 1))
    provider.script(stall(2), say("hi"), times=FOREVER)
    assert sorted(all_at_once(proxx, 3, "/openai/v1/chat/completions")) == [200, 429, 429]
    assert len(provider.journal) == 1


@pytest.mark.parametrize("seed", range(3))
def test_whatever_else_is_wrong_who_can_be_served_is(start_proxx, provider: SimulatedProvider, seed: int):
    lot = random.Random(seed)
    fine = {f"sk-sim-{number}": lot.randint(1, 3) for number in range(lot.randint(1, 2))}
    faults = ["500", "401", "429-after-60", "503"]
    broken = {f"sk-sim-fault-{lot.choice(faults)}.{number}": lot.choice([0, 1, 2]) for number in range(3)}
    mixed = [("openai", key, at_once) for key, at_once in (fine | broken).items()]
    lot.shuffle(mixed)
    proxx: LiveProxx = start_proxx(env={**WAITS, "PROXY_MAX_ATTEMPTS": "12"})
    opened(proxx, *mixed)
    for key in fine:
        provider.script(stall(SECONDS), say("hi"), key=key, times=FOREVER)
    calls = lot.randint(8, 40)
    assert all_at_once(proxx, calls) == [200] * calls, mixed
    for key, at_once in fine.items():
        assert most_at_once(provider, key) <= at_once


def test_all_waits_of_a_held_call_end_with_the_hold(start_proxx, provider: SimulatedProvider):
    slow = {"UPSTREAM_TRANSIENT_RETRY_BACKOFF_MS": "1500", "UPSTREAM_TRANSIENT_RETRY_COUNT": "5"}
    keys = {"PROXY_KEYS_JSON": json.dumps({"providers": {"openai": ["sk-sim-1", "sk-sim-2"]}}), "OPENAI_API_KEY": ""}
    hold = {"PROXY_HOLD_SECONDS": "4", "PROXY_BREAKER_FAILURES": "0", "PROXY_MAX_ATTEMPTS": "50"}
    proxx: LiveProxx = start_proxx(env={**keys, **slow, **hold})
    provider.script(times=FOREVER, fault="500")
    assert proxx.chat("gpt-x")[0] == 502
    waits = re.findall(r"(?:retry \d+ at .*? in|is held for) ([\d.]+) s", proxx.log)
    assert waits
    assert sum(map(float, waits)) <= 4
