import asyncio
import contextlib

import pytest
from django.db import OperationalError

from analytics import writer as writers
from analytics.journal import Journal, line_of, records_in
from analytics.writer import Writer
from tests.analytics.records import record

SOON = 5.0  # seconds; only a failing test waits that long


async def until(condition):
    """Let the writer work until something is so."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110  what is waited for happens in a thread
            await asyncio.sleep(0.001)


class Store:
    """A database in a dictionary: it keeps each id once, and it can be away."""

    def __init__(self):
        self.rows, self.batches, self.away, self.refuse = {}, [], False, set()

    def __call__(self, batch):
        if self.away:
            raise OperationalError("the database is away")
        self.batches.append(len(batch))
        refused = [each for each in batch if each.id in self.refuse]
        self.rows.update((each.id, each) for each in batch if each not in refused)
        return len(refused)

    async def holds(self, records):
        await until(lambda: {each.id for each in records} <= self.rows.keys())


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def losses(monkeypatch):
    noted = []
    monkeypatch.setattr(writers.rows, "note_loss", lambda count, reason: noted.append((count, reason)))
    return noted


@pytest.fixture
def quick(monkeypatch):
    """Patience of milliseconds, so that an outage of a test is short."""
    monkeypatch.setattr(writers, "FIRST_DELAY", 0.002)
    monkeypatch.setattr(writers, "LONGEST_DELAY", 0.01)


def make(root, store, **changes):
    return Writer(root, **{"batch": 10, "flush": 0.002, "limit": 1024 * 1024, "store": store, **changes})


@contextlib.asynccontextmanager
async def writing(root, store, **changes):
    writer = make(root, store, **changes)
    writer.start()
    yield writer
    await writer.drain(SOON)


def left_on_disk(root):
    return [each for path in sorted(root.rglob("*.log")) for each in records_in(path)]


async def test_a_record_is_in_the_database_within_a_flush_and_leaves_the_journal(tmp_path, store):
    async with writing(tmp_path, store) as writer:
        writer.put(only := record())
        assert left_on_disk(tmp_path) == [only]
        await store.holds([only])
    assert list(tmp_path.iterdir()) == []


async def test_records_go_in_batches_and_a_full_batch_does_not_wait(tmp_path, store):
    async with writing(tmp_path, store, flush=60) as writer:
        offered = [record() for _ in range(20)]
        for each in offered:
            writer.put(each)
        await store.holds(offered)
        await until(lambda: not writer.waiting)
    assert store.batches == [10, 10]


async def test_putting_starts_the_writer_by_itself(tmp_path, store):
    writer = make(tmp_path, store)
    writer.put(only := record())
    await store.holds([only])
    await writer.drain(SOON)


def test_without_a_loop_the_journal_keeps_the_record(tmp_path, store):
    writer = make(tmp_path, store)
    writer.put(only := record())
    writer.close()
    assert left_on_disk(tmp_path) == [only]


@pytest.mark.usefixtures("quick")
async def test_everything_offered_during_an_outage_arrives_afterwards_and_once(tmp_path, store):
    store.away = True
    async with writing(tmp_path, store) as writer:
        offered = [record() for _ in range(500)]  # memory holds 200 of them
        for each in offered:
            writer.put(each)
        await until(lambda: writer.fault)
        assert writer.fault == "OperationalError"
        assert len(writer._waiting) + len(writer._batch) <= 10 * writers.ROOM + 10
        assert writer.waiting == 500
        store.away = False
        await store.holds(offered)
    assert writer.fault is None
    assert writer.lost == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
async def test_a_database_that_comes_and_goes_loses_nothing(tmp_path, store):
    async with writing(tmp_path, store) as writer:
        offered = []
        for turn in range(30):
            store.away = turn % 3 == 0
            offered += (batch := [record() for _ in range(37)])
            for each in batch:
                writer.put(each)
            await asyncio.sleep(0.002)
        store.away = False
        await store.holds(offered)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
async def test_a_full_journal_drops_the_oldest_and_every_operator_is_told(tmp_path, store, losses):
    store.away = True
    async with writing(tmp_path, store, limit=40_000, batch=1) as writer:
        offered = [record() for _ in range(300)]  # 150 kB
        for each in offered:
            writer.put(each)
        store.away = False
        await store.holds(offered[-1:])
        await store.holds(offered[:10])
        await until(lambda: losses)
    missing = 300 - len(store.rows)
    assert missing > 0
    assert sum(count for count, _ in losses) == missing == writer.lost
    assert {reason for _, reason in losses} == {"journal full"}


async def test_a_disk_that_refuses_leaves_records_in_memory(tmp_path, store):
    (tmp_path / "root").write_text("a file where a folder should be")
    async with writing(tmp_path / "root", store) as writer:
        writer.put(only := record())
        await store.holds([only])
    assert writer.lost == 0


async def test_without_disk_and_memory_a_record_is_lost_and_counted(tmp_path, store, losses):
    (tmp_path / "root").write_text("a file where a folder should be")
    writer = make(tmp_path / "root", store, batch=1)
    for _ in range(writers.ROOM + 3):
        writer.put(record())
    await writer.drain(SOON)
    assert (writer.lost, losses) == (3, [(3, "disk full")])


async def test_a_journal_that_opens_late_settles_only_what_is_stored(tmp_path, store, monkeypatch):
    monkeypatch.setattr(writers, "REOPEN", 0.0)
    store.away = True
    root = tmp_path / "root"
    root.write_text("in the way")
    writer = make(root, store)
    writer.put(record())
    root.unlink()
    writer.put(second := record())
    await writer.drain(0.01)
    assert left_on_disk(tmp_path) == [second]


async def test_a_refused_record_is_told_and_the_others_are_stored(tmp_path, store, losses):
    bad = record()
    store.refuse = {bad.id}
    async with writing(tmp_path, store) as writer:
        writer.put(bad)
        writer.put(good := record())
        await store.holds([good])
    assert losses == [(1, "refused")]


async def test_what_the_dead_left_is_replayed_at_start(tmp_path, store):
    dead = Journal(tmp_path, limit=10**6)
    left = [record() for _ in range(25)]
    for each in left:
        dead.append(line_of(each), in_memory=True)
    dead.close()
    async with writing(tmp_path, store):
        await store.holds(left)
        await until(lambda: not dead.folder.exists())


@pytest.mark.usefixtures("quick")
async def test_what_the_dead_left_survives_an_outage_at_start(tmp_path, store):
    store.away = True
    dead = Journal(tmp_path, limit=10**6)
    dead.append(line_of(left := record()), in_memory=True)
    dead.close()
    async with writing(tmp_path, store) as writer:
        await until(lambda: writer.fault)
        store.away = False
        await store.holds([left])


async def test_two_writers_share_a_folder_and_each_record_arrives(tmp_path, store):
    async with writing(tmp_path, store) as one, writing(tmp_path, store) as two:
        offered = [record() for _ in range(100)]
        for place, each in enumerate(offered):
            (one, two)[place % 2].put(each)
        await store.holds(offered)
        await until(lambda: not (one.waiting or two.waiting))
    assert sum(store.batches) == 100


async def test_a_drain_with_the_database_away_ends_in_time_and_leaves_the_journal(tmp_path, store):
    store.away = True
    writer = make(tmp_path, store)
    writer.start()
    offered = [record() for _ in range(30)]
    for each in offered:
        writer.put(each)
    await writer.drain(0.01)
    assert left_on_disk(tmp_path) == offered
    writer.put(late := record())
    assert late in left_on_disk(tmp_path)
    writer.close()
    store.away = False
    async with writing(tmp_path, store):
        await store.holds([*offered, late])


async def test_a_record_that_is_not_unicode_is_mended(tmp_path, store):
    async with writing(tmp_path, store) as writer:
        writer.put(odd := record(user_agent="\ud800"))
        await store.holds([odd])
        writer.put(long := record(model_requested="x" * 100_000))
        await store.holds([long])


async def test_an_unforeseen_fault_does_not_end_the_writer(tmp_path, store, monkeypatch):
    monkeypatch.setattr(writers, "FIRST_DELAY", 0.001)
    faults = [RuntimeError("unforeseen")]

    def shaky(batch):
        if faults:
            raise faults.pop()
        return store(batch)

    async with writing(tmp_path, shaky) as writer:
        writer.put(only := record())
        await store.holds([only])


async def test_a_layer_that_fails_does_not_fail_the_batch(tmp_path, store, monkeypatch):
    class Broken:
        async def group_send(self, group, message):
            raise ConnectionError("Redis is away")

    monkeypatch.setattr(writers.live, "get_channel_layer", Broken)
    monkeypatch.setattr(writers.live, "_resting_until", 0.0)
    async with writing(tmp_path, store) as writer:
        writer.put(only := record())
        await store.holds([only])
    assert writers.live._resting_until > 0
