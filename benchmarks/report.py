"""Results as a table for people and as JSON for comparisons."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")

# What is promised for now, per server; the product's goal under Daphne is 160 µs a request.
GOAL_CPU = {"daphne": 450.0, "uvicorn": 280.0}
GOAL_CHUNK = 60.0
GOAL_EXTRA = 0.6
GOAL_PSS = 140.0
GOAL_START = 3.0

NOISY = 0.1  # of two cores


def markdown(result: dict[str, Any]) -> str:
    """Return the whole report."""
    return "\n".join([*_head(result), *(line for one in result["servers"] for line in _server(one))]) + "\n"


def write(result: dict[str, Any]) -> Path:
    """Write results/<date>-<commit>.json and .md; return the path of the second."""
    RESULTS.mkdir(exist_ok=True)
    stem = f"{datetime.now(UTC):%Y-%m-%d}-{result['machine']['commit']}{'-quick' if result['quick'] else ''}"
    (RESULTS / f"{stem}.json").write_text(json.dumps(result, indent=1) + "\n")
    path = RESULTS / f"{stem}.md"
    path.write_text(markdown(result))
    return path


def _head(result: dict[str, Any]) -> Iterator[str]:
    facts = result["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    yield f"# Benchmark of {facts['commit']}, {facts['at']}"
    yield ""
    yield f"- Machine: {facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, Linux {facts['kernel']}"
    noisy = " (too much: repeat it on a quiet machine)" if result["others"] > NOISY else ""
    yield f"- Meanwhile others used {result['others']:.2f} of the two cores{noisy}"
    yield f"- Python {facts['python']}; {packages}"
    yield f"- proxx on core {result['cores'][0]}, provider and load on core {result['cores'][1]}; Celery not started"
    if result["quick"]:
        yield "- A quick run: fewer and shorter blocks, so take ±20 %"
    yield ""


def _server(one: dict[str, Any]) -> Iterator[str]:
    name = one["server"]
    yield f"## {name}"
    yield ""
    yield "| whole requests | at once | requests/s | p50 ms | p99 ms | CPU µs/request | least to most | failed |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in one["requests"]["medians"]:
        cost = "–" if row["cpu_us"] is None else f"{row['cpu_us']:.0f}"
        span = "–" if row["cpu_us"] is None else f"{row['cpu_us_least']:.0f} to {row['cpu_us_most']:.0f}"
        yield (
            f"| {row['target']} | {row['concurrency']} | {row['rps']:,.0f} | {row['p50_ms']:.2f} | {row['p99_ms']:.2f} "
            f"| {cost} | {span} | {row['failed']} |"
        )
    yield ""
    yield "| figure | measured | goal | |"
    yield "|---|---|---|---|"
    for label, value, goal, good in _figures(one):
        yield f"| {label} | {value} | {goal} | {'' if good is None else 'met' if good else '**missed**'} |"
    yield ""


def _figures(one: dict[str, Any]) -> Iterator[tuple[str, str, str, bool | None]]:
    rows = one["requests"]["medians"]
    cost = next(row["cpu_us"] for row in rows if (row["target"], row["concurrency"]) == ("proxx", 32))
    trivial = next(row["cpu_us"] for row in rows if (row["target"], row["concurrency"]) == ("health", 32))
    goal = GOAL_CPU.get(one["server"])
    yield "CPU per request at 32", f"{cost:.0f} µs", f"≤ {goal:.0f}" if goal else "", cost <= goal if goal else None
    yield "  of it above the trivial endpoint", f"{cost - trivial:.0f} µs", "", None
    chunk, flood = one["chunks"], one["streams"]
    value = chunk["cpu_us_per_chunk"]
    yield "CPU per chunk, 8 streams, 5 ms apart", f"{value:.1f} µs", f"≤ {GOAL_CHUNK:.0f}", value <= GOAL_CHUNK
    through = flood["proxx"]
    rate = 1000 // 50
    label = f"{flood['streams']} streams x {rate}/s for {flood['seconds']:g} s"
    told = f"{through['delivered']:,.0f} of {through['offered']:,.0f} in {through['wall_s']:.2f} s"
    yield label, told, f"{through['due_s']:.1f} s", bool(through["on_time"])
    extra = flood["extra_p50_ms"]
    yield "  latency p50 / p99", f"{through['p50_ms']:.2f} / {through['p99_ms']:.2f} ms", "", None
    direct = flood["direct"]
    yield "  latency direct p50 / p99", f"{direct['p50_ms']:.2f} / {direct['p99_ms']:.2f} ms", "", None
    yield "  extra p50 / p99", f"{extra:.2f} / {flood['extra_p99_ms']:.2f} ms", f"≤ {GOAL_EXTRA}", extra <= GOAL_EXTRA
    yield "  first chunk p50 / p99", f"{through['first_p50_ms']:.1f} / {through['first_p99_ms']:.1f} ms", "", None
    yield (
        "  CPU per chunk",
        f"{through['cpu_us_per_chunk']:.1f} µs ({through['cpu_percent']:.0f} % of a core)",
        "",
        None,
    )
    yield "memory per open stream", f"{flood['kib_per_stream']:.0f} KiB", "", None
    idle = one["idle_pss_mib"]
    yield "memory idle (PSS)", f"{idle:.0f} MiB", f"≤ {GOAL_PSS:.0f}", idle <= GOAL_PSS
    yield "memory after all of it (PSS)", f"{one['after_pss_mib']:.0f} MiB", "", None
    yield "CPU while idle", f"{one['idle_cpu_ms_per_s']:.1f} ms/s", "", None
    start = one["start"]
    yield "start to /health", f"{start['healthy_s']:.2f} s", "", None
    yield (
        "start to first answer",
        f"{start['answered_s']:.2f} s",
        f"≤ {GOAL_START:.0f}",
        start["answered_s"] <= GOAL_START,
    )
    if one["records"] is not None:
        good = one["records"] == one["calls"]
        yield "records written of calls made", f"{one['records']:,} of {one['calls']:,}", "all", good
