"""`make bench`: measure proxx against a direct connection, write benchmarks/results/. How to read it: README.md."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, overhead, report, serving, streams, upstream

SETTLE = 2.0  # seconds before idle figures are read
RECORDS_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to measure."""

    requests: overhead.Sizes
    streams: streams.Sizes
    starts: int


FULL = Sizes(overhead.Sizes(5, 3.0), streams.Sizes(5, 48, 3, 500, 10.0), 3)
QUICK = Sizes(overhead.Sizes(2, 0.5), streams.Sizes(2, 16, 1, 500, 2.0), 1)


def main() -> int:
    """Read the command line, measure, report; 1 if a call failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute a server instead of three and a half")
    parser.add_argument("--server", nargs="+", choices=serving.SERVERS, default=["daphne", "uvicorn"])
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    facts = machine.describe()
    cores = machine.cores()
    os.sched_setaffinity(0, {cores[1]})
    neighbours = machine.Neighbours(cores)
    with tempfile.TemporaryDirectory(prefix="proxx-bench-") as folder, upstream.running(cores[1]) as provider:
        prepared = serving.prepare(Path(folder) / "prepared")
        place = _Place(cores[0], provider.port, Path(folder), prepared)
        measured = [_server(name, place, sizes) for name in options.server]
    result = {
        "quick": options.quick,
        "machine": facts,
        "cores": cores,
        "others": neighbours.share(),
        "servers": measured,
    }
    print(report.markdown(result))
    if not options.no_write:
        print(f"Written: {report.write(result).relative_to(machine.ROOT)}")
    return 1 if any(one["failed"] for one in measured) else 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where servers run and what they talk to."""

    core: int
    upstream_port: int
    folder: Path
    prepared: serving.Prepared

    def running(self, name: str, folder: str) -> AbstractContextManager[serving.Serving]:
        return serving.running(name, self.core, self.upstream_port, self.folder / folder, self.prepared)


def _server(name: str, place: _Place, sizes: Sizes) -> dict[str, Any]:
    say, upstream_port = _teller(name), place.upstream_port
    starts = []
    for number in range(sizes.starts - 1):
        say(f"start {number + 1} of {sizes.starts}")
        with place.running(name, f"{name}-{number}") as one:
            starts.append(one.start)
    say("start")
    with place.running(name, name) as one:
        starts.append(one.start)
        idle_cpu = _idle_cpu(one)
        idle_pss = one.pss_mib()
        # Streams before requests: memory per stream is only seen while pools and buffers are still small.
        flood = streams.many(one, upstream_port, sizes.streams, say)
        chunks = streams.chunk_cost(one, upstream_port, sizes.streams, say)
        requests = overhead.measure(one, upstream_port, sizes.requests, say)
        calls = 1 + flood["calls"] + chunks["calls"] + requests["calls"]
        say("records")
        records = _records(one, calls)
        after = one.pss_mib()
    return {
        "server": name,
        "start": {
            "healthy_s": statistics.median(start.healthy for start in starts),
            "answered_s": statistics.median(start.answered for start in starts),
            "all": [asdict(start) for start in starts],
        },
        "idle_pss_mib": idle_pss,
        "idle_cpu_ms_per_s": idle_cpu,
        "after_pss_mib": after,
        "requests": requests,
        "chunks": chunks,
        "streams": flood,
        "calls": calls,
        "records": records,
        "failed": requests["failed"] + chunks["failed"] + flood["failed"],
    }


def _idle_cpu(one: serving.Serving) -> float:
    before = one.cpu()
    time.sleep(SETTLE)
    return (one.cpu() - before) / SETTLE * 1000


def _records(one: serving.Serving, calls: int) -> int | None:
    """Wait until the writer has caught up; return what it wrote."""
    deadline = time.monotonic() + RECORDS_WITHIN
    while (found := one.records()) is not None and found < calls and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _teller(name: str) -> Callable[[str], None]:
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {name}: {what}", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
