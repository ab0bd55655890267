"""A companion runs once, as long as its loop."""

import asyncio

from proxx.kit.companion import Companion


class Work:
    """Work without an end, which counts its beginnings and its ends."""

    def __init__(self) -> None:
        self.begun = self.ended = 0

    async def __call__(self) -> None:
        self.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_started_twice_it_runs_once() -> None:
    work = Work()
    companion = Companion("work", work)
    companion.start()
    companion.start()
    await turn()
    assert [task.get_name() for task in asyncio.all_tasks()].count("work") == 1
    await companion.stop()
    assert (work.begun, work.ended) == (1, 1)


async def test_stopped_it_may_start_again() -> None:
    work = Work()
    companion = Companion("work", work)
    for _ in range(2):
        companion.start()
        await turn()
        await companion.stop()
        await companion.stop()
    assert (work.begun, work.ended) == (2, 2)


async def test_work_that_ended_is_begun_again() -> None:
    begun = []

    async def brief() -> None:
        begun.append("work")

    companion = Companion("work", brief)
    for _ in range(2):
        companion.start()
        await turn()
    assert len(begun) == 2


def test_another_loop_gets_its_own_and_ends_nobody_elses() -> None:
    work = Work()
    companion = Companion("work", work)

    async def briefly() -> None:
        companion.start()
        await turn()

    async def stop_alone() -> None:
        await companion.stop()

    asyncio.run(briefly())
    asyncio.run(briefly())
    asyncio.run(stop_alone())
    assert (work.begun, work.ended) == (2, 2)
