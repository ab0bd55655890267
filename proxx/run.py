"""`make run`: prepare, then keep the server and one Celery worker running, and stop them together.

The supervisor itself knows no Django. It runs proxx/prepare.py once (.env, database, static files, first operator
and key), starts the server and, as soon as that answers, the worker with its clock inside. Ctrl-C,
SIGTERM or SIGHUP stops all gracefully and ends with 0; a second one ends all at once. The server's death ends
everything with its exit code; a dead worker comes back.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxx import demo, env_file, place
from proxx.child import Child, say
from proxx.env_file import ROOT

BEGAN = time.monotonic()
BACK_OFF = (1, 2, 4, 8, 16, 32, 60)  # seconds before a dead worker comes back
STEADY = 60  # a worker that lived this many seconds has earned a quick return
STOP_MARGIN = 10  # seconds that the server may need beyond its own drain
LOOK_EVERY = 0.05  # seconds between two looks whether the server answers
CODE = ("proxx", "accounts", "oauth", "routing", "analytics", "templates")
WORKER = ("celery", "-A", "proxx.celery", "-q", "worker", "-B", "--pool", "solo", "--loglevel", "WARNING")
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # there is nobody to talk to
NOT_AGAIN = "ignore:You're running the worker with superuser"  # in a container or on a test machine that is known


@dataclass(frozen=True, slots=True)
class House:
    """What the children are given, and what the supervisor must know itself. `drain` is in seconds, `data` a folder."""

    environment: dict[str, str]
    host: str
    port: int
    drain: float
    data: Path = ROOT / "data"


def main() -> None:
    """Read the command line and supervise until the end."""
    parser = argparse.ArgumentParser(prog="python -m proxx.run", description="Start proxx: server, worker, console.")
    parser.add_argument("--reload", action="store_true", help="start again whenever the code changes")
    parser.add_argument("--demo", action="store_true", help="beside a simulated provider, on data of its own")
    parser.add_argument("--log", metavar="PATH", help="write all that is said into this file (docs/telemetry.md)")
    options = parser.parse_args()
    if options.log:
        os.environ["PROXY_TRAFFIC_LOG"] = str(Path(options.log).absolute())  # the children live in another folder
    try:
        sys.exit(asyncio.run(run(reload=options.reload, in_demo=options.demo)))
    except ValueError as fault:
        sys.exit(f"proxx cannot start: {fault}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


async def run(*, reload: bool, in_demo: bool) -> int:
    """Prepare and supervise; return the exit code. In a demo a simulated provider and callers live beside it."""
    if not in_demo:
        house = furnish(dict(os.environ), reload=reload)
        with place.alone(house.data):
            failed = prepare(house, "proxx.prepare", "complete")
            return failed or await Supervisor(house, server=server(house), worker=worker(house), reload=reload).run()
    port = place.claim("127.0.0.1", 0)
    house = furnish(demo.environment(os.environ, port), reload=reload)
    beside = demo.provider(house.environment, port)
    with place.alone(house.data):
        beside.start()
        try:
            await _answering("127.0.0.1", port)
            failed = prepare(house, "proxx.prepare", "complete") or prepare(house, "proxx.demo")
            if failed:
                return failed
            say(f"Simulated provider: http://127.0.0.1:{port}/v1 (help at /sim/help)")
            callers = demo.callers(house.environment, f"http://{place.reachable(house.host)}:{house.port}", port)
            parts = Supervisor(house, server=server(house), worker=worker(house), visitors=callers, reload=reload)
            return await parts.run()
        finally:
            beside.kill()


def prepare(house: House, *step: str) -> int:
    """Run a preparing step to its end and return its exit code."""
    return subprocess.run([sys.executable, "-m", *step], cwd=ROOT, env=house.environment).returncode  # noqa: S603


def furnish(environment: dict[str, str], *, reload: bool) -> House:
    """Settle host, port and data folder; a `ValueError` says in one sentence what is in the way. Nothing is written."""
    known = {**env_file.read(env_file.path(environment)), **environment}
    host = known.get("PROXY_HOST", known.get("HOST", "")).strip() or "127.0.0.1"
    port = place.claim(host, place.port(known.get("PROXY_PORT", known.get("PORT", ""))))
    drain = place.number("PROXY_DRAIN_TIMEOUT", known.get("PROXY_DRAIN_TIMEOUT", ""), default=1 if reload else 25)
    ours = {
        "DJANGO_SETTINGS_MODULE": environment.get("DJANGO_SETTINGS_MODULE") or _settings(reload=reload),
        "PYTHONUNBUFFERED": "1",  # a child's line appears when it is written
        "PROXY_HOST": host,
        "PROXY_PORT": str(port),
        "PROXY_DRAIN_TIMEOUT": f"{drain:g}",
    }
    return House({**environment, **ours}, host, port, drain, ROOT / known.get("PROXY_DATA_DIR", "data").strip())


def server(house: House) -> Child:
    """Return the server, not yet started."""
    return Child("server", (sys.executable, "-m", "proxx.server"), house.environment, ROOT)


def worker(house: House) -> Child:
    """Return the Celery worker with its clock inside, not yet started."""
    command = (sys.executable, "-W", NOT_AGAIN, "-m", *WORKER, *ALONE)
    return Child("worker", command, house.environment, ROOT, unsaid="worker: Warm shutdown")


class Supervisor:
    """Two children and who may live: the server until told otherwise, the worker as long as the server does."""

    def __init__(
        self, house: House, *, server: Child, worker: Child, visitors: Sequence[Child] = (), reload: bool = False
    ) -> None:
        self._house, self._server, self._worker, self._reload = house, server, worker, reload
        self._visitors = visitors  # started when the server answers, and ended without ceremony
        self._told_to_stop = asyncio.Event()
        self._forced = False
        self._began = BEGAN

    async def run(self) -> int:
        """Live until told to stop, or once only without --reload; return the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, self._stop_or_force)
        while True:
            code = await self._live()
            if not self._reload or self._told_to_stop.is_set():
                return code
            say("The code changed: starting again.")
            self._began = time.monotonic()

    async def _live(self) -> int:
        """Start both, wait for a reason to end, stop both; return the server's exit code, or 0 if it was told to."""
        self._server.start()
        server_end = asyncio.create_task(self._server.ended(), name="server's end")
        keeping = asyncio.create_task(self._keep_worker(), name="keeping the worker")
        told: list[asyncio.Task[Any]] = [asyncio.create_task(self._told_to_stop.wait(), name="told to stop")]
        if self._reload:
            told.append(asyncio.create_task(_code_changed(), name="change of the code"))
        await asyncio.wait({server_end, *told}, return_when=asyncio.FIRST_COMPLETED)
        died = not any(task.done() for task in told)
        if died:
            say(f"The server ended by itself with exit code {server_end.result()}.")
        await self._stop_all(server_end, keeping)
        if died and self._reload:
            await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
        for task in told:
            task.cancel()
        return server_end.result() if died else int(self._forced)

    async def _keep_worker(self) -> None:
        """Once the server answers, keep a worker running, more patiently after each early death."""
        await _answering(self._house.host, self._house.port)
        say(f"Ready after {time.monotonic() - self._began:.1f} s. Ctrl-C stops everything.")
        for visitor in self._visitors:
            visitor.start()
        deaths = 0
        while True:
            began = time.monotonic()
            self._worker.start()
            code = await self._worker.ended()
            deaths = 0 if time.monotonic() - began > STEADY else deaths
            pause = BACK_OFF[min(deaths, len(BACK_OFF) - 1)]
            say(f"The worker ended with exit code {code}; serving goes on, it comes back in {pause} s.")
            await asyncio.sleep(pause)
            deaths += 1

    async def _stop_all(self, server_end: asyncio.Task[int], keeping: asyncio.Task[None]) -> None:
        """Ask both to stop, wait as long as the server may drain, then insist."""
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        for visitor in self._visitors:
            visitor.kill()
        ends = {server_end}
        if self._worker.alive:
            ends.add(asyncio.create_task(self._worker.ended(), name="worker's end"))
        self._server.ask_to_stop()
        if self._reload:
            self._worker.kill()  # its jobs are safe to repeat, and a developer is waiting
        self._worker.ask_to_stop()
        _, late = await asyncio.wait(ends, timeout=self._house.drain + STOP_MARGIN)
        if late:
            say("Still busy after its time to drain: ending it by force.")
            self._force()
            await asyncio.wait(late)

    def _stop_or_force(self) -> None:
        if self._told_to_stop.is_set():
            self._force()
            return
        say(f"Stopping: calls in flight, if there are any, have {self._house.drain:g} s to finish.")
        self._told_to_stop.set()

    def _force(self) -> None:
        self._forced = True
        self._server.kill()
        self._worker.kill()


async def _answering(host: str, port: int) -> None:
    """Return as soon as a request is answered there: the port is open earlier, while the server still prepares."""
    for pause in itertools.repeat(LOOK_EVERY):
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(place.reachable(host), port)
            with contextlib.closing(writer):
                writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if await reader.read(1):
                    return
        await asyncio.sleep(pause)


async def _code_changed() -> None:
    """Return after the next change of the code (watchfiles is a development package: imported only here)."""
    from watchfiles import DefaultFilter, awatch

    folders = [folder for name in CODE if (folder := ROOT / name).is_dir()]
    async for _ in awatch(*folders, watch_filter=DefaultFilter()):
        return


def _settings(*, reload: bool) -> str:
    return "proxx.settings.dev" if reload else "proxx.settings.prod"


if __name__ == "__main__":
    main()
