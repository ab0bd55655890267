"""A process that records is killed, again and again; nothing that `offer` returned for is lost or counted twice."""

import uuid

import pytest

from tests import forked
from tests.live import base_environment

pytestmark = pytest.mark.slow

EVERY = "SELECT id FROM analytics_requestlog"
ATTEMPTS = "SELECT call_id FROM analytics_requestattempt"


class House:
    """A data folder and a database that many processes share."""

    def __init__(self, folder, templates, real):
        self.folder = folder
        self.database = templates.copy(folder, base_environment(folder), real=real)

    def recorder(self, count):
        """Start a process that offers that many records; -1 offers none and replays until no journal is left."""
        environment = {**base_environment(self.folder), **self.database.environment, "PROXY_RECORD_FLUSH_MS": "20"}
        return forked.start("-m", "tests.analytics.recorder", str(count), env=environment)

    def ids(self, query):
        return sorted(str(uuid.UUID(str(found))) for (found,) in self.database.rows(query))


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.real)], ids=["sqlite", "postgres"])
def house(request, tmp_path, templates):
    made = House(tmp_path, templates, request.param)
    yield made
    made.database.drop()


def killed(process, after):
    """Let a process offer that many records, kill it as it goes on, and return every id it had said by then."""
    said = [process.stdout.readline().strip() for _ in range(after)]
    process.kill()
    rest = process.communicate()[0].splitlines(keepends=True)
    return said + [line.strip() for line in rest if line.endswith("\n")]


def test_every_record_offered_before_a_kill_is_there_once_after_a_restart(house):
    offered = []
    for after in (1, 40, 1500):
        offered += killed(house.recorder(0), after)
    last = house.recorder(-1)
    assert last.communicate(timeout=60)[0] == "done\n"
    assert last.returncode == 0
    stored = house.ids(EVERY)
    assert set(offered) <= set(stored)
    assert len(stored) == len(set(stored)) <= len(offered) + 3  # the one whose id a kill cut off, each time
    assert house.ids(ATTEMPTS) == stored
    assert list((house.folder / "journal").iterdir()) == []


def test_a_process_replays_another_that_is_killed_beside_it(house):
    witness = house.recorder(0)
    doomed = killed(house.recorder(0), 300)
    offered = doomed + killed(witness, 300)
    house.recorder(-1).communicate(timeout=60)
    assert set(offered) <= set(house.ids(EVERY))
    assert house.ids(ATTEMPTS) == house.ids(EVERY)


def test_a_process_that_ends_in_peace_leaves_no_journal(house):
    process = house.recorder(100)
    said = process.communicate(timeout=60)[0].split()
    assert said[-1] == "done"
    assert set(said[:-1]) == set(house.ids(EVERY))
    assert list((house.folder / "journal").iterdir()) == []
