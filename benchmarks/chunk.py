"""What one paced chunk costs our own code, without a system call: `python -m benchmarks.chunk`.

The whole application runs in this process, from the upstream connection's `data_received` to the client line's
`write`; the sockets at both ends are replaced by objects that do nothing. So the figure holds no kernel, no waking up
and no other process, and repeats to a few per cent even on a busy machine. `--profile` prints where it goes.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks import load, serving, upstream

STREAMS = 8
WARM_UP = 200


class Nowhere:
    """A transport whose far end takes everything and says nothing."""

    def __init__(self) -> None:
        self.pair = socket.socketpair()
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep what is written until somebody looks."""
        self.written.append(data)

    def get_extra_info(self, name: str) -> Any:
        """Return an address, or a socket that is never readable."""
        return self.pair[0] if name == "socket" else ("127.0.0.1", 1)

    def get_write_buffer_size(self) -> int:
        """Everything has left."""
        return 0

    def is_closing(self) -> bool:
        """Tell that it is open."""
        return False

    def is_reading(self) -> bool:
        """Tell that it reads."""
        return True

    def ignore(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    set_write_buffer_limits = pause_reading = resume_reading = close = abort = ignore


class Stream:
    """One streamed answer on its way: feeds the upstream's side, looks at the client's."""

    def __init__(self, application: Any, connections: Any, request: bytes) -> None:
        from proxx.server.line import Line

        loop = asyncio.get_running_loop()
        self.client = Nowhere()
        self.line = Line(application, connections, loop, cast(Any, None))
        self.line.connection_made(self.client)
        self.line.get_buffer(-1)[: len(request)] = request
        self.line.buffer_updated(len(request))


async def measure(request: bytes, turns: int, rounds: int, profile: cProfile.Profile | None) -> list[float]:
    """Return µs per chunk of each round."""
    from proxx.asgi import application
    from proxx.server.connections import Connections
    from proxx.server.limits import Limits

    asked = _without_sockets()
    connections = Connections(Limits.from_settings())
    connections.start()
    streams = [Stream(application, connections, request) for _ in range(STREAMS)]
    while len(asked) < STREAMS:  # noqa: ASYNC110 - the code under measurement knows no event of ours
        await asyncio.sleep(0.001)
    for connection in asked:
        connection.data_received(upstream.HEAD)
    feeds = [connection.data_received for connection in asked]
    event = upstream.event(usage=True)
    await _run(feeds, WARM_UP, event)
    before = [len(stream.client.written) for stream in streams]
    await _run(feeds, WARM_UP, event)
    if [len(stream.client.written) for stream in streams] != [number + WARM_UP for number in before]:
        raise RuntimeError("one chunk in was not one write out")
    figures = []
    for _ in range(rounds):
        for stream in streams:
            stream.client.written.clear()
        idle = await _run((), turns, event)
        if profile:
            profile.enable()
        figures.append(await _run(feeds, turns, event) - idle)
        if profile:
            profile.disable()
    return figures


async def _run(feeds: Sequence[Callable[[bytes], None]], turns: int, event: bytes) -> float:
    """Give every stream one event a turn; return µs for each stream and turn."""
    before = time.process_time()
    for _ in range(turns):
        for feed in feeds:
            feed(event)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return (time.process_time() - before) / turns / STREAMS * 1e6


def _without_sockets() -> list[Any]:
    """Let upstream connections lead nowhere; return the list that will hold them."""
    from proxx.upstream.transport.dial import Dialler

    opened: list[Any] = []

    async def open_nowhere(_: Any, origin: Any, make: Callable[[], Any], seconds: float) -> Any:
        connection = make()
        connection.connection_made(Nowhere())
        opened.append(connection)
        return connection

    cast(Any, Dialler).open = open_nowhere
    return opened


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chunk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turns", type=int, default=1500)
    parser.add_argument("--profile", action="store_true", help="print the functions that take most")
    options = parser.parse_args()
    profile = cProfile.Profile() if options.profile else None
    with tempfile.TemporaryDirectory(prefix="proxx-bench-") as name:
        folder = Path(name) / "data"
        key = serving.prepare(folder).key
        os.environ.update(serving.environment("daphne", 0, 1, folder))
        import django

        django.setup()
        request = load.post("/v1/chat/completions", serving.body("openai/bench-1x1"), key=key)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(measure(request, options.turns, options.rounds, profile))
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    print(
        f"{statistics.median(figures):.2f} µs a chunk (least {min(figures):.2f}, most {max(figures):.2f})", flush=True
    )
    os._exit(0)  # the streams are open still, and nobody waits for their end


if __name__ == "__main__":
    main()
