"""What listening costs: `python -m benchmarks.bodies` says how much CPU a call needs more where all it says is kept.

Two servers of this tree on one core: one is asked with a key that keeps nothing and with one that keeps all, in turns
of half a second; the other writes the traffic log. Whatever else the machine does strikes all alike. CPU time is the
scheduler's own, the event loop's thread apart from the others, which hide secrets, seal and write; each block is over
when these are. At the end every call that was to be kept must be in the database.
"""

import argparse
import contextlib
import os
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import load, machine, serving, upstream
from benchmarks.serving import DATABASE, Serving
from benchmarks.versus import ran

BLOCK = 0.5  # seconds
QUIET, QUIET_NS, LONGEST = 0.4, 3_000_000, 30.0  # a block is over when so long so little has run
SIZES = {"1 kB": 1_000, "8 kB": 8_000, "80 kB": 80_000}  # of a request; answers have 1 kB
ROOM = str(2**28)  # bytes: a block asks faster than one core can keep
KEEPING = """
from accounts import keys
from accounts.models import Tenant
tenant = Tenant.objects.get(slug="default")
print(keys.issue(tenant, label="full", restrictions={"bodies": "full"})[1])
"""

Cost = tuple[float, float]  # µs of CPU for a call: the event loop's thread, all other threads


@dataclass(frozen=True, slots=True)
class Side:
    """A server, and the key it is asked with."""

    server: Serving
    key: str


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bodies", description=__doc__)
    parser.add_argument("--server", choices=serving.SERVERS, default="daphne")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--concurrency", type=int, default=8)
    options = parser.parse_args()
    cores = machine.cores()
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="proxx-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        provider = stack.enter_context(upstream.running(cores[-1]))
        prepared = serving.prepare(folder / "prepared")
        house = serving.environment("daphne", 0, 0, folder / "prepared")
        keeping = serving.manage(house, "shell", "-c", KEEPING).split()[-1]
        servers = []
        surroundings = {"plain": {"PROXY_BODIES_MEMORY": ROOM}, "logging": {"PROXY_TRAFFIC_LOG": f"{folder}/log.jsonl"}}
        for where, more in surroundings.items():
            running = serving.running(options.server, cores[0], provider.port, folder / where, prepared, more=more)
            servers.append(stack.enter_context(running))
        sides = {
            "off": Side(servers[0], prepared.key),
            "full": Side(servers[0], keeping),
            "traffic log": Side(servers[1], prepared.key),
        }
        print("| request | kept | loop, µs a call | other threads | times off (middle half) |\n|---|---|---|---|---|")
        asked = sum(_compare(size, sides, options.concurrency, options.rounds) for size in SIZES)
        if (kept := _kept(servers[0].folder)) != asked:
            raise RuntimeError(f"Of {asked} calls that were to be kept {kept} are.")
        print(f"\nAll {kept} calls that were to be kept are in the database.")


def _compare(size: str, sides: dict[str, Side], concurrency: int, rounds: int) -> int:
    """Print the rows of one size; return how many calls were asked that are kept."""
    costs: dict[str, list[Cost]] = {what: [] for what in sides}
    asked = 0
    for number in range(rounds + 1):
        for what in sides if number % 2 else reversed(sides):
            cost, done = _cost(sides[what], SIZES[size], concurrency)
            asked += done if what == "full" else 0
            if number:  # the first round warms up
                costs[what].append(cost)
    for what, found in costs.items():
        loop, others = (statistics.median(part) for part in zip(*found, strict=True))
        ratios = sorted(sum(one) / sum(off) for one, off in zip(found, costs["off"], strict=True))
        quarter, middle, third = (ratios[len(ratios) * part // 4] for part in (1, 2, 3))
        told = f"{middle:.2f} ({quarter:.2f} to {third:.2f})" if what != "off" else ""
        print(f"| {size} | {what} | {loop:.0f} | {others:.0f} | {told} |", flush=True)
    return asked


def _cost(side: Side, size: int, concurrency: int) -> tuple[Cost, int]:
    pid = side.server.pid
    payload = load.post("/v1/chat/completions", _body(size), key=side.key)
    loop, whole = _loop(pid), ran(pid)
    found = load.ask_for(side.server.port, payload, concurrency=concurrency, seconds=BLOCK)
    _wait_until_quiet(pid)
    if found.failed or not found.done:
        raise RuntimeError(f"{found.failed} calls failed, {found.done} were answered.")
    loop, whole = _loop(pid) - loop, ran(pid) - whole
    return (loop / found.done / 1000, (whole - loop) / found.done / 1000), found.done


@cache
def _body(size: int) -> bytes:
    """Return a request of about that many bytes, in made-up words."""
    body, chance = serving.body(serving.MODEL), random.Random(size)
    letters = "".join(chance.choices("etaoinshrdlu    ", k=max(0, size - len(body))))
    return body.replace(b'"content":"', b'"content":"' + letters.encode(), 1)


def _loop(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])


def _wait_until_quiet(pid: int) -> None:
    deadline = time.monotonic() + LONGEST
    before = ran(pid)
    while time.monotonic() < deadline:
        time.sleep(QUIET)
        now = ran(pid)
        if now - before < QUIET_NS:
            return
        before = now
    raise RuntimeError(f"The server was not quiet after {LONGEST} seconds.")


def _kept(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True, timeout=20)) as connection:
        found: int = connection.execute("SELECT COUNT(*) FROM analytics_requestbody").fetchone()[0]
        return found


if __name__ == "__main__":
    main()
