"""How a background task is ended: for certain, and in time."""

import asyncio
from typing import Any, Final

AGAIN: Final = 0.1  # seconds before a task is told once more


async def end(task: "asyncio.Task[Any] | None", seconds: float) -> bool:
    """Cancel a task until it has ended, for at most that long; tell whether it has.

    Once is not enough: what a task waits for may swallow a cancellation, as Python 3.11's own `wait_for` does if
    what it waits for comes at the same moment.
    """
    if task is None or task.done():
        return True
    loop = asyncio.get_running_loop()
    if task.get_loop() is not loop:
        return not is_alive(task)  # another loop's to end; where that one is gone, nothing of the task runs
    deadline = loop.time() + seconds
    while not task.done() and (left := deadline - loop.time()) > 0:
        task.cancel()
        await asyncio.wait([task], timeout=min(AGAIN, left))
    return task.done()


def is_alive(task: "asyncio.Task[Any] | None") -> bool:
    """Tell whether a task goes on, on this loop or another that runs."""
    return task is not None and not task.done() and task.get_loop().is_running()
