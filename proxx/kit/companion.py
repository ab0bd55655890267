"""A task that goes along with an event loop, beside everything else: at most one of a kind, ended with the loop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any


class Companion:
    """Work that has no end of its own; `name` is the task's name."""

    def __init__(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name, self._work = name, work
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin on the running loop; again only if the work has ended, or belongs to another loop."""
        loop, task = asyncio.get_running_loop(), self._task
        if task is None or task.done() or task.get_loop() is not loop:
            self._task = loop.create_task(self._work(), name=self._name)

    async def stop(self) -> None:
        """End the work, if it runs on the running loop."""
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
