"""Two trees side by side: `python -m benchmarks.versus OTHER_TREE` says by what factor this one is cheaper or dearer.

Both serve at once, on the same core, and are asked in turns of a second or less: whatever else the machine does
strikes both alike, so a ratio holds where a figure would not. OTHER_TREE is another checkout, say
`git worktree add /tmp/before HEAD~3`. CPU time is the scheduler's own, in nanoseconds, of all threads of the server.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import load, machine, serving, upstream
from benchmarks.serving import Serving

LAG = 0.3  # seconds: the records of a block belong to it
BLOCK = 0.7
Block = Callable[[Serving], int]  # asks for some time; how many it got


def paced(one: Serving) -> int:
    """Eight streams at a time, 5 ms between two chunks of one."""
    return len(load.stream_from(one.port, one.payload("openai/bench-100x5"), count=16, at_once=8).ages)


def many(one: Serving) -> int:
    """300 streams, 20 chunks a second each."""
    return len(load.stream_from(one.port, one.payload("openai/bench-20x50"), count=300, at_once=300, ramp=0.001).ages)


def requests(one: Serving) -> int:
    """Whole requests, 32 at a time."""
    return load.ask_for(one.port, one.payload(), concurrency=32, seconds=BLOCK).done


def health(one: Serving) -> int:
    """GET /health, 32 at a time."""
    return load.ask_for(one.port, load.get("/health"), concurrency=32, seconds=BLOCK).done


BLOCKS: dict[str, Block] = {"paced": paced, "many": many, "requests": requests, "health": health}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versus", description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout of proxx")
    parser.add_argument("--server", nargs="+", choices=serving.SERVERS, default=["daphne"])
    parser.add_argument("--what", nargs="+", choices=BLOCKS, default=list(BLOCKS))
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    cores = machine.cores()
    os.sched_setaffinity(0, {cores[1]})
    print("| server | what | other µs | this µs | this / other (middle half) |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="proxx-bench-") as name, upstream.running(cores[1]) as provider:
        for server in options.server:
            with ExitStack() as stack:
                sides = []
                for side, root in (("other", options.other.resolve()), ("this", machine.ROOT)):
                    folder = Path(name) / f"{server}-{side}"
                    prepared = serving.prepare(folder / "prepared", root)
                    running = serving.running(server, cores[0], provider.port, folder / "served", prepared, root)
                    sides.append(stack.enter_context(running))
                for what in options.what:
                    _compare(server, what, sides, options.rounds)


def _compare(server: str, what: str, sides: list[Serving], rounds: int) -> None:
    costs: tuple[list[float], list[float]] = ([], [])
    for side in sides:
        BLOCKS[what](side)  # warm up
    for number in range(rounds):
        turn = (0, 1) if number % 2 else (1, 0)
        for index in turn:
            costs[index].append(_cost(sides[index], BLOCKS[what]))
    ratios = sorted(this / other for other, this in zip(*costs, strict=True))
    low, middle, high = (ratios[len(ratios) * quarter // 4] for quarter in (1, 2, 3))
    other, this = map(statistics.median, costs)
    print(f"| {server} | {what} | {other:.1f} | {this:.1f} | {middle:.2f} ({low:.2f} to {high:.2f}) |", flush=True)


def _cost(one: Serving, block: Block) -> float:
    before = ran(one.pid)
    done = block(one)
    time.sleep(LAG)
    return (ran(one.pid) - before) / max(1, done) / 1000


def ran(pid: int) -> int:
    """Return for how many nanoseconds the living threads of a process have run."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


if __name__ == "__main__":
    main()
