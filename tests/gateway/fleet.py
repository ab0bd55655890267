"""Several servers on one Postgres, with or without Redis, that a whole module of tests shares.

    with fleet(folder, templates, provider, count=4, rows=ROWS, env={"REDIS_URL": ...}) as four:
        four[0].tokens["money"]

The rows are made before the first server starts, so that nobody waits for a change to arrive.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

from tests.databases import Templates, with_path
from tests.live import LiveProxx, base_environment
from tests.upstreams.server import SimulatedProvider


@contextlib.contextmanager
def fleet(
    folder: Path,
    templates: Templates,
    provider: SimulatedProvider,
    *,
    count: int,
    rows: str,
    env: Mapping[str, str],
    by: str = "",
) -> Iterator[list[LiveProxx]]:
    """Run that many servers under Daphne; `rows` is Python that leaves tokens by name in `result`, `by`
    the address of a relay that leads to the database."""
    database = templates.copy(folder, base_environment(folder), real=True)
    if by:
        env = {**env, "DATABASE_URL": with_path(by, database.environment["DATABASE_URL"].rpartition("/")[2])}
    members = []
    for number in range(count):
        place = folder / f"server-{number}"
        place.mkdir()
        members.append(LiveProxx(place, database, provider, "daphne", env))
    try:
        tokens = members[0].run(rows)
        for one in members:
            one.tokens = tokens
        start(members)
        yield members
        for one in members:
            if one.running:
                one.ask_to_stop()
        codes = [one.wait() for one in members if one.process is not None]
        assert not any(codes), (codes, [one.log for one in members])
    finally:
        for one in members:
            if one.running:
                one.kill()
        database.drop()


def start(members: list[LiveProxx]) -> None:
    """Start them at the same time and wait until all answer."""
    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(LiveProxx.start, members))


class Callers:
    """Sixteen callers in a loop until the block ends; who meets a server that is gone goes on with the next."""

    MARGIN = 0.1  # seconds before a kill inside which an answer may be known to its caller alone

    def __init__(self, members: list[LiveProxx], ask: Callable[[LiveProxx], int]) -> None:
        self._members, self._ask = members, ask
        self._stopping = False
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(16)]
        self._ends: list[tuple[int, float]] = []  # of answers: from whom, and when
        self._gone: dict[int, float] = {}  # when somebody first met a server that is gone
        self._news = threading.Condition()

    def __enter__(self) -> "Callers":
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        for one in self._threads:
            one.join()

    @property
    def answered(self) -> int:
        """Return how many calls were answered with 200."""
        return len(self._ends)

    @property
    def certain(self) -> int:
        """Return how many of them must have been entered: all but those that ended in the moment of a kill."""
        return sum(at < self._gone.get(number, float("inf")) - self.MARGIN for number, at in self._ends)

    def reached(self, answered: int) -> None:
        """Wait until so many calls were answered."""
        with self._news:
            assert self._news.wait_for(lambda: self.answered >= answered, timeout=60)

    def _call(self, turn: int) -> None:
        while not self._stopping:
            turn += 1
            number = turn % len(self._members)
            if number in self._gone:
                continue
            try:
                status = self._ask(self._members[number])
            except (OSError, HTTPException):
                self._gone.setdefault(number, time.monotonic())
                continue
            if status == 200:
                with self._news:
                    self._ends.append((number, time.monotonic()))
                    self._news.notify_all()
