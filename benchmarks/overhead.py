"""CPU and time per whole request: direct, through proxx, and a trivial endpoint of the same server, in turns.

Two more go through proxx: *failover*, where the first account asked fails in every call, and *resting*, where one of
two accounts rests. Blocks alternate, so that a disturbance of the machine strikes all alike; the median block counts.
A block's CPU is read a little after its end: the records of its calls are written by then, and belong to it.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import load
from benchmarks.serving import FAILING_MODEL, RESTING_MODEL, Serving, body

CONCURRENCY = (1, 32)
# What is measured, and which of it are calls of models through proxx.
TARGETS = ("direct", "proxx", "failover", "resting", "health")
CALLS = ("proxx", "failover", "resting")
RECORDS_LAG = 0.5  # seconds: two turns of the record writer


@dataclass(frozen=True, slots=True)
class Block:
    """One block of one target."""

    target: str
    concurrency: int
    done: int
    failed: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None  # per request, of the server's process tree


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to measure."""

    blocks: int
    seconds: float


def measure(serving: Serving, upstream_port: int, sizes: Sizes, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure all targets at both concurrencies; return medians and every block."""
    direct = load.post("/v1/chat/completions", body("bench"), key="sk-benchmark-0123456789")
    targets = (
        ("direct", upstream_port, direct),
        ("proxx", serving.port, serving.payload()),
        ("failover", serving.port, serving.payload(FAILING_MODEL)),
        ("resting", serving.port, serving.payload(RESTING_MODEL)),
        ("health", serving.port, load.get("/health")),
    )
    blocks: list[Block] = []
    warm = 0
    for concurrency in CONCURRENCY:
        for name, port, payload in targets:  # warm up
            found = load.ask_for(port, payload, concurrency=concurrency, seconds=min(1.0, sizes.seconds))
            warm += found.done if name in CALLS else 0
        time.sleep(RECORDS_LAG)
        for number in range(sizes.blocks):
            say(f"requests, concurrency {concurrency}, block {number + 1} of {sizes.blocks}")
            blocks += [
                _block(name, port, payload, concurrency, sizes.seconds, None if name == "direct" else serving)
                for name, port, payload in targets
            ]
    return {
        "medians": _medians(blocks),
        "blocks": [asdict(block) for block in blocks],
        "calls": warm + sum(block.done for block in blocks if block.target in CALLS),
        "failed": sum(block.failed for block in blocks),
    }


def _block(name: str, port: int, payload: bytes, concurrency: int, seconds: float, serving: Serving | None) -> Block:
    before = serving.cpu() if serving else 0.0
    found = load.ask_for(port, payload, concurrency=concurrency, seconds=seconds)
    cpu = None
    if serving:
        time.sleep(RECORDS_LAG if name in CALLS else 0)
        cpu = (serving.cpu() - before) / max(1, found.done) * 1e6
    return Block(
        name,
        concurrency,
        found.done,
        found.failed,
        found.done / found.seconds,
        percentile(found.times, 0.50) / 1e6,
        percentile(found.times, 0.99) / 1e6,
        cpu,
    )


def _medians(blocks: list[Block]) -> list[dict[str, Any]]:
    rows = []
    for concurrency in CONCURRENCY:
        for target in TARGETS:
            mine = [block for block in blocks if (block.target, block.concurrency) == (target, concurrency)]
            costs = [block.cpu_us for block in mine if block.cpu_us is not None]
            rows.append(
                {
                    "target": target,
                    "concurrency": concurrency,
                    "requests": sum(block.done for block in mine),
                    "failed": sum(block.failed for block in mine),
                    "rps": statistics.median(block.rps for block in mine),
                    "p50_ms": statistics.median(block.p50_ms for block in mine),
                    "p99_ms": statistics.median(block.p99_ms for block in mine),
                    "cpu_us": statistics.median(costs) if costs else None,
                    "cpu_us_least": min(costs, default=None),
                    "cpu_us_most": max(costs, default=None),
                }
            )
    return rows


def percentile(values: list[int], share: float) -> float:
    """Return the value below which that share lies; 0 for nothing measured."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0
