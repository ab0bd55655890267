"""What limits cost: `python -m benchmarks.limits` says how much CPU a call needs more under every limit there is.

Two servers of this tree on one core, one counting limits in its memory, one in a Redis of this measurement's own. Each
is asked with a key without limits and with one that has all eleven kinds, in turns of a second or less: whatever else
the machine does strikes all alike. CPU time is the scheduler's own, of all threads of the server, the ledger's writing
included; Redis is another process and not in it.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import redis

from benchmarks import load, machine, serving, upstream
from benchmarks.serving import Serving
from benchmarks.versus import LAG, ran

BLOCK = 0.7
GOALS = {"local": 60, "redis": 150}  # µs
LIMITED = """
from accounts import keys
from accounts.limit import Limit
from accounts.models import Tenant
from routing.models import FactSetting
FactSetting.objects.create(model="bench", price_input=1, price_output=1)
row, token = keys.issue(Tenant.objects.get(slug="default"), label="limited")
for kind in Limit.Kind.values:
    Limit.objects.create(key=row, kind=kind, amount=10**15)
print(token)
"""


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("--server", choices=serving.SERVERS, default="daphne")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 32])
    options = parser.parse_args()
    cores = machine.cores()
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="proxx-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        provider = stack.enter_context(upstream.running(cores[-1]))
        url = stack.enter_context(own_redis(folder))
        prepared = serving.prepare(folder / "prepared")
        limited = serving.manage(serving.environment("daphne", 0, 0, folder / "prepared"), "shell", "-c", LIMITED)
        servers = {}
        for where, more in (("local", {}), ("redis", {"PROXY_LIMITS": "redis", "REDIS_URL": url})):
            running = serving.running(options.server, cores[0], provider.port, folder / where, prepared, more=more)
            servers[where] = stack.enter_context(running)
        print("| limits | at a time | without µs | with µs | more µs (middle half) | goal |\n|---|---|---|---|---|---|")
        for concurrency in options.concurrency:
            _compare(servers, limited.split()[-1], concurrency, options.rounds)


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """Run a Redis for a `with` block, and return its address."""
    path = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(500):
            if path.exists():
                break
            time.sleep(0.01)
        with redis.Redis.from_url(f"unix://{path}") as client:
            client.ping()
        yield f"unix://{path}"
    finally:
        process.terminate()
        process.wait()


def _compare(servers: Mapping[str, Serving], limited: str, concurrency: int, rounds: int) -> None:
    sides = {where: (one, replace(one, key=limited)) for where, one in servers.items()}
    costs: dict[str, list[tuple[float, float]]] = {where: [] for where in servers}
    for pair in sides.values():  # warm up
        for side in pair:
            _cost(side, concurrency)
    for number in range(rounds):
        for where, (without, under) in sides.items():
            if number % 2:
                low, high = _cost(without, concurrency), _cost(under, concurrency)
            else:
                high, low = _cost(under, concurrency), _cost(without, concurrency)
            costs[where].append((low, high))
    for where, found in costs.items():
        more = sorted(high - low for low, high in found)
        quarter, middle, third = (more[len(more) * part // 4] for part in (1, 2, 3))
        low, high = (statistics.median(side) for side in zip(*found, strict=True))
        told = f"{low:.0f} | {high:.0f} | {middle:.0f} ({quarter:.0f} to {third:.0f}) | {GOALS[where]}"
        print(f"| {where} | {concurrency} | {told} |", flush=True)


def _cost(one: Serving, concurrency: int) -> float:
    """Return µs of CPU for a call."""
    before = ran(one.pid)
    found = load.ask_for(one.port, one.payload(), concurrency=concurrency, seconds=BLOCK)
    time.sleep(LAG)
    if found.failed or not found.done:
        raise RuntimeError(f"{found.failed} calls failed, {found.done} were answered.")
    return (ran(one.pid) - before) / found.done / 1000


if __name__ == "__main__":
    main()
