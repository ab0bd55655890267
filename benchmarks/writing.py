"""Does the writer keep up with a pace, and what do replies feel of it that are paced by the same loop?

Records have an attempt and a bill of two budgets each, so that rows of the log, attempts, ledger and windows are all
written. Used by benchmarks.database.
"""

import asyncio
import time
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

TICK = 0.01  # seconds between two pieces of the reply that is watched
WATCHED_ALONE = 5.0  # seconds
GOAL_CORE, GOAL_LATER = 0.60, 0.002
MONEY = 3  # its slot (accounts/limit.py)
BUDGETS = (UUID(int=1), UUID(int=2))


async def kept_up(folder: Path, pace: int, seconds: int) -> bool:
    """Offer records at a pace, say the figures, and tell whether the writer kept up within its goals."""
    from analytics.writer import Writer

    writer = Writer(folder, batch=500, flush=0.25, limit=512 * 2**20)
    writer.start()
    alone = _p95(await _lateness(WATCHED_ALONE))
    watched = asyncio.ensure_future(_lateness(seconds))
    begin, cpu, offered, waiting = time.monotonic(), time.process_time(), 0, []
    while (passed := time.monotonic() - begin) < seconds:
        due = int(passed * pace)
        for _ in range(due - offered):
            writer.put(_record())
        offered = due
        waiting.append(writer.waiting)
        await asyncio.sleep(0.005)
    used, later = (time.process_time() - cpu) / (time.monotonic() - begin), _p95(await watched) - alone
    await writer.drain(30)
    half = len(waiting) // 2
    first, second = max(waiting[:half]), max(waiting[half:])
    print(f"writer: {offered / seconds:,.0f} a second for {seconds} s; {writer.waiting} left after the drain")
    print(f"most waiting: {first:,} in the first half, {second:,} in the second")
    print(f"writer: {used:.0%} of a core, with making the records (goal: {GOAL_CORE:.0%})")
    print(f"a paced reply is {later * 1000:.2f} ms later at the 95th percentile (goal: {GOAL_LATER * 1000:.0f} ms)")
    return second < first + pace and not writer.waiting and used <= GOAL_CORE and later <= GOAL_LATER


def _record() -> Any:
    from accounts.bill import Bill
    from tests.analytics.records import record

    return record(cost_nano=900, price_state="priced", bill=Bill(tokens=150, nano=900, windows=_windows()))


@cache
def _windows() -> Any:
    from accounts.bill import written

    return written((one, 0, MONEY) for one in BUDGETS)


async def _lateness(seconds: float) -> list[float]:
    """Wake every tick; return by how much each came too late."""
    begin, found = time.monotonic(), list[float]()
    while (due := begin + (len(found) + 1) * TICK) < begin + seconds:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        found.append(time.monotonic() - due)
    return found


def _p95(found: list[float]) -> float:
    return sorted(found)[int(len(found) * 0.95)]
