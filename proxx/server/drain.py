"""The end of the process: who asked for it, and what is put in order after the last answer.

The first SIGTERM, SIGINT or SIGHUP asks to stop, a second one to hurry. Which connections close when is connections.py.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

RECORDS: Final = 5.0  # seconds in which waiting records may reach the database; the journal keeps the rest

_log = logging.getLogger("proxx.server")


class Orders:
    """The signals that arrived: `stop` after the first, `hurry` after the second."""

    def __init__(self) -> None:
        self.stop, self.hurry = asyncio.Event(), asyncio.Event()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take SIGTERM, SIGINT and SIGHUP from now on; whoever had SIGHUP ignored (nohup) keeps that."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.give)

    def give(self) -> None:
        """Ask to stop, or to hurry."""
        (self.hurry if self.stop.is_set() else self.stop).set()


async def put_in_order() -> None:
    """Write what is still to be written and hang up on the upstreams; a fault in one does not spare the other."""
    from analytics import queue, traces
    from analytics.traffic_log import writer as traffic_log
    from oauth import refresh
    from proxx.upstream import client
    from routing import health_sharing

    await _try("keeping the tokens that are being renewed", refresh.finish)
    await _try("writing the last records", lambda: queue.drain(RECORDS))
    await _try("sending the last traces", traces.drain)
    await _try("writing the traffic log", traffic_log.drain)
    await _try("keeping the last rests", health_sharing.keep_last)
    await _try("closing the upstream connections", client.close_all)


def leave(code: int) -> NoReturn:
    """End the process now: everything that matters is written, and a thread stuck in a driver must not hold it up."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _try(what: str, action: Callable[[], Awaitable[None]]) -> None:
    try:
        await asyncio.wait_for(action(), RECORDS + 1)
    except Exception:
        _log.exception("Stopping: %s failed.", what)
