"""The demo's traffic is bounded, mixed, and survives a server that is not there."""

import subprocess
import sys
from pathlib import Path
from random import Random

from tests.upstreams import demo_traffic
from tests.upstreams.demo_traffic import Traffic
from tests.upstreams.server import closed_port

ROOT = Path(__file__).parents[2]


def straight(provider, **options):
    """Traffic that asks the simulated provider itself: it speaks the same dialect."""
    return Traffic(provider.base_url, "sk-sim-1", prefix="", dice=Random(1), **options)


def test_the_mix_has_good_and_bad_ends(provider):
    ended = demo_traffic.run(straight(provider), seconds=60, count=60, rate=1000)
    kinds = {what.partition(":")[0] for what in ended}
    assert sum(ended.values()) == 60
    assert {"whole", "streamed", "tools", "reasoning"} <= kinds
    assert ended["whole: 200"] > 5
    assert ended["streamed: complete"] > 5
    assert ended["tools: 200"] > 0


def test_every_kind_of_call_ends_as_it_should(provider):
    traffic = straight(provider, provider_url=provider.origin)
    ends = {kind.__name__: demo_traffic._one(traffic, kind) for kind, _ in demo_traffic._MIX}
    assert ends["_refused"] == "refused: 400"
    assert ends["_broken"] in {"broken: error in the stream", "broken: cut"}
    assert ends["_left"] == "left: left"
    assert ends["_cached"] == "cached: 200"
    assert ends["_failed_over"].startswith("failed_over: ")  # nobody fails over here: the refusal itself is seen
    assert ends["_failed_over"] != "failed_over: 200"


def test_time_bounds_the_calls(provider):
    assert sum(demo_traffic.run(straight(provider), seconds=0.1, count=1000, rate=20).values()) == 2


def test_a_server_that_is_not_there_is_told_apart():
    traffic = Traffic(f"http://127.0.0.1:{closed_port()}/v1", "k")
    ended = demo_traffic.run(traffic, seconds=1, count=3, rate=100)
    assert all(what.endswith("ConnectionRefusedError") for what in ended)


def test_the_command_says_how_the_calls_ended(provider):
    command = [sys.executable, "-m", "tests.upstreams.demo_traffic", "--base-url", provider.base_url]
    command += ["--key", "sk-sim-1", "--prefix", "", "--count", "3", "--rate", "50"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert sum(int(line.split()[0]) for line in done.stdout.splitlines()) == 3
