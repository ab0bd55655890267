"""The way of bodies into the database: never in a call's way, and never silent about what is given up."""

import asyncio
from uuid import uuid4

import pytest
from django.db import DataError, OperationalError

from accounts.keeping import ALL, ERRORS
from analytics.bodies import parts, writer
from analytics.bodies.parts import ASKED, Bodies
from analytics.bodies.writer import Writer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(parts, "room", parts.Room())
    monkeypatch.setattr(writer, "GATHER", 0)
    monkeypatch.setattr(writer, "FIRST_DELAY", 0.001)
    losses = []
    monkeypatch.setattr(writer.rows, "note_loss", lambda *one: losses.append(one))
    monkeypatch.setattr(writer.pruning, "to_size", lambda limit: 0)
    return losses


def bodies(size=10, share=ALL):
    call = Bodies(uuid4(), uuid4(), share)
    call.part(ASKED, 0, b"x" * size)
    call.end()
    return call


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  the thread has no event of ours
            await asyncio.sleep(0.001)


def test_batches_are_bounded_and_their_room_is_given_back(monkeypatch):
    monkeypatch.setattr(writer, "BATCH_CALLS", 3)
    batches = []

    async def walk():
        keeper = Writer(lambda batch: batches.append(len(batch)))
        for _ in range(7):
            keeper.put(bodies())
        await until(lambda: keeper.waiting == 0)
        await keeper.drain(1)

    asyncio.run(walk())
    assert batches == [3, 3, 1]
    assert parts.room.held == 0


def test_a_database_that_is_away_is_waited_for(monkeypatch):
    answers = iter([OperationalError("away"), OperationalError("away"), None])
    written = []

    def write(batch):
        if (fault := next(answers)) is not None:
            raise fault
        written.extend(batch)

    async def walk():
        keeper = Writer(write)
        keeper.put(bodies())
        await until(lambda: written)
        await keeper.drain(1)

    asyncio.run(walk())
    assert len(written) == 1


def test_what_the_database_refuses_is_given_up_and_told(quick, caplog):
    def write(batch):
        raise DataError("no")

    async def walk():
        keeper = Writer(write)
        keeper.put(bodies())
        await until(lambda: quick)
        await keeper.drain(1)

    asyncio.run(walk())
    assert quick == [(1, "bodies: refused")]
    assert parts.room.held == 0
    assert "given up" in caplog.text


def test_one_that_cannot_be_stored_takes_none_of_its_batch_along(quick, caplog):
    poison, written = bodies(size=13), []

    def write(batch):
        if poison in batch:
            raise DataError("no")
        written.extend(batch)

    async def walk():
        keeper = Writer(write)
        good = [bodies() for _ in range(5)]
        for one in (*good[:2], poison, *good[2:]):
            keeper.put(one)
        await until(lambda: quick)
        await keeper.drain(1)
        assert written == good

    asyncio.run(walk())
    assert quick == [(1, "bodies: refused")]
    assert parts.room.held == 0
    assert "The bodies of 1 calls" in caplog.text


def test_calls_that_found_no_room_are_told(quick):
    async def walk():
        keeper = Writer(lambda batch: None)
        parts.room.full = 4
        keeper.put(bodies())
        await until(lambda: quick)
        await keeper.drain(1)

    asyncio.run(walk())
    assert quick == [(4, "bodies: memory full")]


def test_at_the_end_what_waits_is_written_while_there_is_time(monkeypatch):
    monkeypatch.setattr(writer, "GATHER", 60)
    written = []

    async def walk():
        keeper = Writer(written.extend)
        keeper.put(bodies())
        await asyncio.sleep(0)
        await keeper.drain(5)

    asyncio.run(walk())
    assert len(set(written)) == 1  # what was under way is written again: that changes nothing


def test_a_call_that_is_not_to_be_kept_gives_its_room_back_at_once(monkeypatch):
    kept = []
    monkeypatch.setattr(writer, "_the_writer", lambda: type("W", (), {"put": staticmethod(kept.append)}))
    writer.offer(bodies(share=ERRORS), "ok", 200)
    assert (kept, parts.room.held) == ([], 0)
    writer.offer(bodies(share=ERRORS), "error", 502)
    assert len(kept) == 1
