"""The end of background tasks: also of those that miss that they were cancelled."""

import asyncio
import contextlib

import pytest

from analytics import ending
from analytics import writer as writers
from tests.analytics.records import record
from tests.analytics.test_writer import SOON, Store, left_on_disk, make, until


@pytest.fixture
def store():
    return Store()


async def test_a_task_that_swallows_its_cancellation_is_ended_all_the_same(tmp_path, store, monkeypatch):
    writer, swallowed = make(tmp_path, store), []

    async def deaf(batch):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append(batch)

    monkeypatch.setattr(writers.live, "publish", deaf)
    writer.start()
    writer.put(first := record())
    await store.holds([first])
    writer.put(second := record())
    await asyncio.sleep(0)
    monkeypatch.setattr(ending, "AGAIN", 0.001)
    draining = asyncio.create_task(writer.drain(SOON))
    await until(lambda: swallowed)
    monkeypatch.setattr(writers.live, "publish", _heard)
    await draining
    assert {first.id, second.id} <= store.rows.keys()
    assert left_on_disk(tmp_path) == []


async def _heard(batch):
    """Tell nobody."""


async def test_a_task_that_does_not_end_costs_no_more_than_the_time_there_is(tmp_path, store):
    never, deaf = asyncio.Event(), True

    async def stubborn():
        while deaf:
            with contextlib.suppress(asyncio.CancelledError):
                await never.wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    assert not await ending.end(task, 0.05)
    deaf = False
    assert await ending.end(task, SOON)


def test_a_writer_is_not_started_twice_by_another_loop(tmp_path, store):
    writer = make(tmp_path, store)

    async def first():
        writer.start()
        served = writer._task
        await asyncio.to_thread(lambda: asyncio.run(second()))
        assert writer._task is served
        await writer.drain(SOON)

    async def second():
        writer.start()

    asyncio.run(first())
