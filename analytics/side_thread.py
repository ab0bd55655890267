"""A thread of its own for the writer, with one database connection that it keeps.

A daemon, unlike a pool's threads: a database that never answers must not keep the process from ending. It keeps its
connection because opening one for each batch costs more than the batch; after a fault, or a while of silence in which
the other side may have hung up, it begins with a fresh one.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from django.db import close_old_connections, connection

from proxx.kit import clock

SILENCE = 60.0  # seconds

Answer = TypeVar("Answer")
Job = tuple[Callable[..., Any], tuple[Any, ...], "Future[Any]"]


class SideThread:
    """Runs one function at a time, in the order asked. Starts at the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """Return what the function returns or raise what it raises; giving up waiting does not stop it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        future: Future[Answer] = Future()
        self._jobs.put((function, arguments, future))
        return await asyncio.wrap_future(future)

    def stop(self, wait: float = 1.0) -> None:
        """Let it end after what it is doing, for at most `wait` seconds; a later `run` begins anew."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join(wait)
            self._jobs = SimpleQueue()

    def _work(self) -> None:
        jobs = self._jobs
        last = clock.monotonic()
        while (job := jobs.get()) is not None:
            function, arguments, future = job
            if not future.set_running_or_notify_cancel():
                continue
            if clock.monotonic() - last > SILENCE:
                close_old_connections()
            try:
                answer = function(*arguments)
            except BaseException as error:
                future.set_exception(error)
                with suppress(Exception):  # what is broken may break once more when it is closed
                    connection.close()
            else:
                future.set_result(answer)
            # Nothing of a batch may stay referenced while the thread waits for the next.
            job = function = arguments = future = answer = None  # type: ignore[assignment]
            last = clock.monotonic()
        connection.close()
