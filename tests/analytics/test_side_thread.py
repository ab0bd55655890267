import asyncio
import contextlib
import threading

import pytest

from analytics import side_thread
from analytics.side_thread import SideThread


@pytest.fixture
def closed(monkeypatch):
    """How often the thread's connection was closed; no test here has a database."""
    times = []

    class Connection:
        def close(self):
            times.append(threading.current_thread().name)

    monkeypatch.setattr(side_thread, "connection", Connection())
    return times


@pytest.fixture
def thread(closed):
    made = SideThread("aside")
    yield made
    made.stop()


async def test_it_runs_in_order_in_one_thread_of_its_own(thread):
    seen = []
    await asyncio.gather(*(thread.run(lambda n=n: seen.append((n, threading.current_thread().name))) for n in range(9)))
    assert seen == [(n, "aside") for n in range(9)]


async def test_a_fault_reaches_the_one_who_asked_and_the_next_begins_afresh(thread, closed):
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    assert await thread.run(lambda: 7) == 7
    assert closed == ["aside"]


async def test_giving_up_waiting_stops_neither_job_nor_thread(thread):
    release, done = threading.Event(), []
    task = asyncio.create_task(thread.run(lambda: (release.wait(5), done.append(1))))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    release.set()
    assert await thread.run(len, done) in {0, 1}  # cancelled before it began, or finished: never half
    assert await thread.run(lambda: "on") == "on"


async def test_after_a_stop_it_begins_anew(thread):
    await thread.run(int)
    thread.stop()
    assert await thread.run(lambda: 3) == 3
