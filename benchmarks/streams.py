"""What a streamed chunk costs, and whether 500 streams arrive on time.

Every event carries the moment it was written (CLOCK_MONOTONIC, the same for all processes of a machine); its age at
the reader is its latency. Direct and through proxx alternate; what proxx adds is the difference of the two.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import load
from benchmarks.overhead import percentile
from benchmarks.serving import Serving

RECORDS_LAG = 0.5
PACED = "bench-100x5"  # 100 chunks, 5 ms apart
AT_ONCE = 8
GAP_MS = 50  # 20 chunks a second
RAMP = 0.002


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to measure: `blocks` of `streams` for the cost, `rounds` of `many` streams of `seconds` each."""

    blocks: int
    streams: int
    rounds: int
    many: int
    seconds: float


def chunk_cost(serving: Serving, upstream_port: int, sizes: Sizes, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure CPU per chunk, eight streams at a time, 5 ms between two chunks of one."""
    through, direct = serving.payload(f"openai/{PACED}"), serving.payload(PACED)
    costs, ages, direct_ages, failed = [], [], [], 0
    load.stream_from(serving.port, through, count=AT_ONCE, at_once=AT_ONCE)
    for number in range(sizes.blocks):
        say(f"chunks, block {number + 1} of {sizes.blocks}")
        bare = load.stream_from(upstream_port, direct, count=AT_ONCE, at_once=AT_ONCE)
        before = serving.cpu()
        block = load.stream_from(serving.port, through, count=sizes.streams, at_once=AT_ONCE)
        time.sleep(RECORDS_LAG)
        costs.append((serving.cpu() - before) / max(1, len(block.ages)) * 1e6)
        ages += block.ages
        direct_ages += bare.ages
        failed += block.failed + bare.failed
    return {
        "cpu_us_per_chunk": statistics.median(costs),
        "cpu_us_least": min(costs),
        "cpu_us_most": max(costs),
        "chunks": len(ages),
        "calls": AT_ONCE + sizes.blocks * sizes.streams,
        "failed": failed,
        "p50_ms": percentile(ages, 0.50) / 1e6,
        "p99_ms": percentile(ages, 0.99) / 1e6,
        "direct_p50_ms": percentile(direct_ages, 0.50) / 1e6,
    }


def many(serving: Serving, upstream_port: int, sizes: Sizes, say: Callable[[str], None]) -> dict[str, Any]:
    """Run many paced streams at once, direct and through proxx in turns; say what proxx adds."""
    chunks = round(sizes.seconds * 1000 / GAP_MS)
    model = f"bench-{chunks}x{GAP_MS}"
    rounds: dict[str, list[dict[str, Any]]] = {"direct": [], "proxx": []}
    memory: list[float] = [serving.pss_mib()]
    for number in range(sizes.rounds):
        say(f"{sizes.many} streams, round {number + 1} of {sizes.rounds}")
        rounds["direct"].append(_flood(upstream_port, serving.payload(model), sizes, chunks))
        # In the first round alone: later ones find the pools and buffers of the one before, and looking disturbs.
        midway = None if number else lambda: memory.append(serving.pss_mib())
        before = serving.cpu()
        found = _flood(serving.port, serving.payload(f"openai/{model}"), sizes, chunks, midway)
        found["cpu_us_per_chunk"] = (serving.cpu() - before) / max(1, found["delivered"]) * 1e6
        found["cpu_percent"] = (serving.cpu() - before) / found["wall_s"] * 100
        rounds["proxx"].append(found)
        time.sleep(RECORDS_LAG)
    return {
        "streams": sizes.many,
        "seconds": sizes.seconds,
        "direct": _middle(rounds["direct"]),
        "proxx": _middle(rounds["proxx"]),
        "extra_p50_ms": _difference(rounds, "p50_ms"),
        "extra_p99_ms": _difference(rounds, "p99_ms"),
        "kib_per_stream": (memory[-1] - memory[0]) * 1024 / sizes.many,
        "pss_mib_during": memory[-1],
        "rounds": rounds,
        "calls": sizes.rounds * sizes.many,
        "failed": sum(one["failed"] for side in rounds.values() for one in side),
    }


def _flood(
    port: int, payload: bytes, sizes: Sizes, chunks: int, midway: Callable[[], None] | None = None
) -> dict[str, Any]:
    found = load.stream_from(port, payload, count=sizes.many, at_once=sizes.many, ramp=RAMP, midway=midway)
    due = sizes.many * RAMP + chunks * GAP_MS / 1000
    return {
        "wall_s": found.seconds,
        "due_s": due,
        "delivered": len(found.ages),
        "offered": sizes.many * chunks,
        "failed": found.failed,
        "p50_ms": percentile(found.ages, 0.50) / 1e6,
        "p99_ms": percentile(found.ages, 0.99) / 1e6,
        "first_p50_ms": percentile(found.first, 0.50) / 1e6,
        "first_p99_ms": percentile(found.first, 0.99) / 1e6,
        "on_time": found.failed == 0 and len(found.ages) == sizes.many * chunks and found.seconds < due * 1.02 + 0.2,
    }


def _middle(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of all figures; on time only if every round was."""
    middle: dict[str, Any] = {}
    for name, value in rounds[0].items():
        values = [one[name] for one in rounds]
        middle[name] = all(values) if isinstance(value, bool) else statistics.median(values)
    return middle


def _difference(rounds: dict[str, list[dict[str, Any]]], name: str) -> float:
    pairs = zip(rounds["proxx"], rounds["direct"], strict=True)
    return statistics.median(float(through[name]) - float(bare[name]) for through, bare in pairs)
