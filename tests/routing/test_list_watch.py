"""Lists of models are asked for by the serving process: soon after a change, patiently after a failure."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from proxx.kit import clock, shared_state
from proxx.kit.sealing import Secret
from routing import list_watch, reload
from routing.catalog import merge, refresh
from routing.list_watch import Due, Schedule
from routing.models import CatalogModel, CatalogState
from tests.routing.catalog.test_refresh import at, upstream
from tests.routing.pictures import credential, picture


@pytest.fixture(autouse=True)
def _no_locks() -> Iterator[None]:
    shared_state.close()
    yield
    shared_state.close()


def test_a_new_account_is_due_at_once_and_an_unchanged_one_is_not_asked_again() -> None:
    schedule, one = Schedule(), credential("openai")
    schedule.follow(picture(one), 0.0)
    asked = schedule.due(0.0)
    assert [(name, due.is_new) for name, due in asked.items()] == [("openai", False)]
    schedule.note(asked, {"openai": ""}, 0.0)
    schedule.follow(picture(one, credential("groq")), 5.0)
    assert [(name, due.is_new) for name, due in schedule.due(5.0).items()] == [("groq", True)]


def test_a_changed_secret_or_a_second_account_makes_the_list_due() -> None:
    schedule, one = Schedule(), credential("openai")
    two = credential("openai")
    for now, held in enumerate([[one], [replace(one, secret=Secret("other"))], [one, two]]):
        schedule.follow(picture(*held), float(now))
        asked = schedule.due(float(now))
        assert set(asked) == {"openai"}
        schedule.note(asked, {"openai": ""}, float(now))
    schedule.follow(picture(replace(one, label="renamed"), two), 9.0)
    assert not schedule.due(9.0)


def test_who_fails_is_asked_again_after_longer_and_longer_pauses_up_to_ten_minutes() -> None:
    schedule, now, pauses = Schedule(), 0.0, []
    schedule.follow(picture(credential("openai")), now)
    for _ in range(7):
        schedule.note(schedule.due(now), {"openai": "away"}, now)
        before, now = now, next(float(t) for t in range(int(now), 100_000) if schedule.due(float(t)))
        pauses.append(now - before)
    assert pauses == [30, 60, 120, 240, 480, 600, 600]
    schedule.note(schedule.due(now), {"openai": ""}, now)
    assert not schedule.due(now + 600)
    assert schedule.due(now + list_watch.CALM_PAUSE)


def test_while_another_process_asks_its_answer_is_awaited() -> None:
    schedule = Schedule()
    schedule.follow(picture(credential("openai")), 0.0)
    schedule.note(schedule.due(0.0), {}, 0.0)
    assert not schedule.due(1.0)
    assert schedule.due(list_watch.ELSEWHERE_PAUSE)


@pytest.mark.django_db
def test_a_young_list_is_not_asked_for_again_unless_the_account_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    async def look_at(_: Any, provider_ids: list[str]) -> list[Any]:
        asked.append(provider_ids)
        return []

    monkeypatch.setattr(refresh, "look_at", look_at)
    CatalogState.objects.create(provider_id="openai", tried_at=clock.now(), fetched_at=clock.now())
    CatalogState.objects.create(provider_id="groq", tried_at=clock.now(), fault="The provider answered 500.")
    snapshot = picture(credential("openai"), credential("groq"))
    wanted = {name: Due("doors", 0.0, is_new=False) for name in ("openai", "groq")}
    assert list_watch.ask(snapshot, wanted) == {"openai": "", "groq": "The provider answered 500."}
    assert asked == []
    wanted["openai"].is_new = True
    list_watch.ask(snapshot, wanted)
    list_watch.ask(snapshot, wanted)  # as another process would, at the same time
    assert asked == [["openai"]]


@pytest.mark.django_db(transaction=True)
async def test_an_account_added_while_serving_has_its_models_listed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_watch, "TICK", 0.01)
    stored, loop, store = asyncio.Event(), asyncio.get_running_loop(), merge.store

    def noted(looks: Any) -> bool:
        changed = store(looks)
        loop.call_soon_threadsafe(stored.set)
        return changed

    monkeypatch.setattr(merge, "store", noted)
    reload.install(picture())
    async with upstream(lambda *_: (200, {"data": [{"id": "m"}]})) as (base, arrived):
        list_watch.start_watching()
        list_watch.start_watching()
        try:
            await asyncio.sleep(0.05)
            assert not arrived
            reload.install(at(base, "openai", credential("openai")))
            async with asyncio.timeout(10):
                await stored.wait()
        finally:
            await list_watch.stop_watching()
    assert len(arrived) == 1
    assert await CatalogModel.objects.filter(provider_id="openai", model_id="m").aexists()


@pytest.mark.django_db(transaction=True)
async def test_a_look_that_breaks_off_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(list_watch, "TICK", 0.01)
    monkeypatch.setattr(list_watch, "FIRST_PAUSE", 0.02)
    calls, twice, loop = [], asyncio.Event(), asyncio.get_running_loop()

    def broken(*_: Any) -> dict[str, str]:
        calls.append("asked")
        if len(calls) == 2:
            loop.call_soon_threadsafe(twice.set)
        raise OSError("away")

    monkeypatch.setattr(list_watch, "ask", broken)
    reload.install(picture(credential("openai")))
    list_watch.start_watching()
    try:
        async with asyncio.timeout(10):
            await twice.wait()
    finally:
        await list_watch.stop_watching()
    assert "could not be kept" in caplog.text
