import asyncio
import os
from pathlib import Path

import pytest

from analytics import queue
from analytics.journal import records_in
from proxx.kit import metrics
from tests.analytics.records import record


@pytest.fixture
def door(tmp_path, settings, monkeypatch):
    """The queue as a new process has it, with a data folder of its own and a database that takes everything."""
    settings.PROXY_DATA_DIR = str(tmp_path)
    settings.PROXY_RECORD_FLUSH = 0.002
    monkeypatch.setattr(queue, "_writer", None)
    stored = []
    queue._the_writer()._store = lambda batch: stored.extend(batch) or 0
    yield stored
    queue._the_writer().close()


def on_disk():
    return [each for path in Path(queue._the_writer()._root).rglob("*.log") for each in records_in(path)]


async def test_what_is_offered_is_on_disk_at_once_and_stored_soon(door):
    queue.start()
    queue.start()
    queue.offer(only := record())
    assert on_disk() == [only]
    assert queue.state() == queue.State(1, 0, None)
    await queue.drain(5)
    assert door == [only]
    assert queue.state().waiting == 0


async def test_a_drained_queue_can_be_started_again(door):
    queue.start()
    await queue.drain(5)
    queue.start()
    queue.offer(only := record())
    await queue.drain(5)
    assert door == [only]


async def test_what_is_offered_after_the_drain_stays_in_the_journal(door):
    queue.start()
    await queue.drain(5)
    queue.offer(late := record())
    await asyncio.sleep(0)
    assert on_disk() == [late]
    assert door == []


async def test_offering_never_raises(door, monkeypatch):
    def broken(record):
        raise RuntimeError("unforeseen")

    before = metrics.value("proxx_records_lost", reason="fault")
    monkeypatch.setattr(queue._the_writer(), "put", broken)
    queue.offer(record())
    assert metrics.value("proxx_records_lost", reason="fault") == before + 1


def test_a_forked_child_has_a_queue_of_its_own(door):
    queue.offer(record())
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, b"none" if queue._writer is None else b"same")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 4) == b"none"
    os.close(reader)
    os.close(writer)


async def test_draining_what_never_began_is_nothing(monkeypatch):
    monkeypatch.setattr(queue, "_writer", None)
    await queue.drain(1)
    assert queue.state() == queue.State(0, 0, None)
