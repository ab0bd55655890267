"""The same picture in every process: renewed when the number moves, kept when it cannot be read."""

import asyncio
from typing import Any

import pytest
from django.db import OperationalError

from accounts import keys
from accounts.models import Credential
from routing import health, reload, revision
from routing.models import ModelPreference
from routing.providers import ProviderFault
from tests.routing.pictures import picture


@pytest.fixture
def contacts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what is asked of the client keys' memory."""
    noted: list[str] = []
    monkeypatch.setattr(keys, "confirm_contact", lambda: noted.append("confirm"))
    monkeypatch.setattr(keys, "refresh_known", lambda: noted.append("refresh"))
    return noted


@pytest.mark.django_db
def test_the_first_asker_gets_a_picture_and_the_next_the_same() -> None:
    first = reload.current()
    assert first.revision == revision.number()
    assert reload.current() is first


@pytest.mark.django_db
def test_a_look_without_change_keeps_the_picture_and_confirms_contact(contacts: list[str]) -> None:
    first = reload.current()
    assert reload.look() == []
    assert reload.current() is first
    assert contacts == ["confirm"]


@pytest.mark.django_db
def test_a_look_after_a_change_renews_keys_and_picture(contacts: list[str]) -> None:
    first = reload.current()
    ModelPreference.objects.create(name="gpt-x", disabled=True)
    reload.look()
    assert contacts == ["refresh", "confirm"]
    assert reload.current() is not first
    assert reload.current().disabled == {"gpt-x"}


@pytest.mark.django_db
def test_a_key_that_ends_while_a_picture_is_built_ends_with_the_next_look(
    monkeypatch: pytest.MonkeyPatch, contacts: list[str]
) -> None:
    """The picture is of the newer number then, the keys are not."""
    reload.current()
    ModelPreference.objects.create(name="gpt-x", disabled=True)
    build = reload.build

    def while_building() -> Any:
        monkeypatch.setattr(reload, "build", build)
        ModelPreference.objects.create(name="gpt-y", disabled=True)  # raises the number as the end of a key does
        return build()

    monkeypatch.setattr(reload, "build", while_building)
    reload.look()
    assert reload.current().revision == revision.number()
    contacts.clear()
    reload.look()
    assert contacts == ["refresh", "confirm"]
    reload.look()
    assert contacts == ["refresh", "confirm", "confirm"]


@pytest.mark.django_db
def test_a_number_that_moves_while_reading_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = 0
    real = reload.build

    def meanwhile() -> Any:
        nonlocal builds
        builds += 1
        found = real()
        if builds == 1:
            ModelPreference.objects.create(name="late", disabled=True)
        return found

    monkeypatch.setattr(reload, "build", meanwhile)
    assert reload.current().disabled == {"late"}
    assert builds == 2


@pytest.mark.django_db
def test_a_picture_that_cannot_be_built_is_refused_and_told(
    monkeypatch: pytest.MonkeyPatch, contacts: list[str]
) -> None:
    first = reload.current()
    ModelPreference.objects.create(name="gpt-x", disabled=True)

    def broken() -> Any:
        raise ProviderFault("The provider registry names 'x' twice.")

    with monkeypatch.context() as patch:
        patch.setattr(reload, "build", broken)
        reload.look()
        assert reload.current() is first
        assert "names 'x' twice" in (reload.last_fault() or "")
        assert f"revision {first.revision} stays in force" in (reload.last_fault() or "")
        # A revoked key must not live on because the picture is broken.
        assert contacts == ["refresh", "confirm"]
    reload.look()
    assert reload.current().disabled == {"gpt-x"}
    assert reload.last_fault() is None


@pytest.mark.django_db
def test_a_database_that_is_away_confirms_nothing(monkeypatch: pytest.MonkeyPatch, contacts: list[str]) -> None:
    first = reload.current()

    def away() -> int:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(revision, "number", away)
    reload.look()
    assert (reload.current(), contacts) == (first, [])
    assert "The database does not answer" in (reload.last_fault() or "")


@pytest.mark.django_db
def test_a_credential_that_expires_leaves_without_any_edit(clock: Any) -> None:
    from datetime import timedelta

    from proxx.kit import clock as clocks

    Credential.objects.create(provider_id="groq", secret="a", expires_at=clocks.now() + timedelta(seconds=60))
    assert "groq" in reload.current().credentials
    clock.advance(61)
    reload.look()
    assert "groq" not in reload.current().credentials


@pytest.mark.django_db
def test_only_credentials_that_changed_lose_their_health_facts() -> None:
    one = Credential.objects.create(provider_id="groq", secret="a")
    Credential.objects.create(provider_id="groq", secret="b")
    reload.current()
    one.secret = "new"
    one.save()
    assert reload.look() == [one.pk]


@pytest.mark.django_db
def test_a_key_of_the_environment_is_there_from_the_first_picture_on(settings: Any) -> None:
    settings.ENVIRONMENT = {"OPENAI_API_KEY": "sk-one"}
    assert reload.current().credentials["openai"][0].secret.reveal() == "sk-one"


@pytest.mark.django_db
def test_a_bad_file_is_told_until_it_is_mended(settings: Any, tmp_path: Any) -> None:
    settings.PROXY_KEYS_FILE, settings.PROXY_KEY_RELOAD = str(tmp_path / "keys.json"), 0.0
    (tmp_path / "keys.json").write_text("{")
    reload.current()
    reload.look()
    assert (reload.last_fault() or "").startswith("keys.json is not valid JSON.")
    (tmp_path / "keys.json").write_text("[ ]")
    reload.look()
    assert reload.last_fault() is None


async def test_an_announcement_wakes_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Queue[None]()
    loop = asyncio.get_running_loop()

    def look() -> list[str]:
        loop.call_soon_threadsafe(looked.put_nowait, None)
        return ["one"]

    monkeypatch.setattr(reload, "look", look)
    monkeypatch.setattr(reload, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr(reload.settings, "PROXY_KEY_RELOAD", 3600.0)
    reload.install(picture())
    health.rest("one", 60)
    reload.start_watching()
    reload.start_watching()
    try:
        await asyncio.wait_for(looked.get(), 5)
        for _ in range(3):
            reload.announce()
            await asyncio.wait_for(looked.get(), 5)
        # What the first look found was dealt with before the second began.
        assert health.rests == {}
        assert [task.get_name() for task in asyncio.all_tasks()].count("routing-watch") == 1
    finally:
        await reload.stop_watching()


async def test_a_look_that_hangs_does_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    release = threading.Event()

    def look() -> list[str]:
        release.wait(10)
        return []

    monkeypatch.setattr(reload, "look", look)
    reload.install(picture())
    reload.start_watching()
    try:
        for _ in range(100):
            await asyncio.sleep(0)
            assert reload.current().revision == 1
    finally:
        await reload.stop_watching()
        release.set()
