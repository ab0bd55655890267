"""Credentials and model wishes from outside become rows, and follow what they came from."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.fields import reveal
from accounts.models import Credential, account_id_of
from routing import revision, seeding
from routing.models import ModelPreference

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(tmp_path: Path, settings: Any) -> Any:
    """Return a function that writes keys.json."""
    path = tmp_path / "keys.json"
    settings.PROXY_KEYS_FILE = str(path)

    def write(data: Any) -> None:
        path.write_text(data if isinstance(data, str) else json.dumps(data))

    return write


@pytest.fixture
def models(tmp_path: Path, settings: Any) -> Any:
    """Return a function that writes models.json."""
    path = tmp_path / "models.json"
    settings.PROXY_MODELS_FILE = str(path)

    def write(data: Any) -> None:
        path.write_text(data if isinstance(data, str) else json.dumps(data))

    return write


def held() -> dict[tuple[str, str], str]:
    return {(row.provider_id, row.source): reveal(row).reveal() for row in Credential.objects.all()}


def test_a_key_from_the_environment_becomes_a_credential(settings: Any) -> None:
    settings.ENVIRONMENT = {"OPENAI_API_KEY": "sk-one", "ZHIPU_API_KEY": "z-two"}
    report = seeding.sync_credentials()
    assert held() == {("openai", "environment"): "sk-one", ("zai", "environment"): "z-two"}
    assert report.created == 2
    assert Credential.objects.get(provider_id="openai").account_id == account_id_of("openai", "sk-one")


def test_a_key_may_come_from_a_file_that_a_variable_names(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sk-from-file\n")
    settings.ENVIRONMENT = {"OPENAI_API_KEY_FILE": str(tmp_path / "secret")}
    seeding.sync_credentials()
    assert held() == {("openai", "environment"): "sk-from-file"}


@pytest.mark.parametrize("token", ["sk-canary-é", "sk-canary\rx", "sk-canary\x7fx", "sk-canary\udce9"])
def test_a_key_that_could_not_travel_is_left_out_and_named_by_its_variable(settings: Any, token: str) -> None:
    settings.ENVIRONMENT = {"OPENAI_API_KEY": token, "GROQ_API_KEY": "gsk-1"}
    report = seeding.sync_credentials()
    assert held() == {("groq", "environment"): "gsk-1"}
    assert [fault.split()[0] for fault in report.faults] == ["OPENAI_API_KEY"]
    assert "canary" not in report.faults[0]


@pytest.mark.parametrize("token", ["sk-canary-é", "sk-canary\rx", "sk-canary\x7fx"])
def test_an_inline_key_that_could_not_travel_is_refused_by_its_place(settings: Any, token: str) -> None:
    settings.PROXY_KEYS_JSON = json.dumps({"providers": {"openai": [token]}})
    report = seeding.sync_credentials()
    assert held() == {}
    assert report.faults[0].startswith("PROXY_KEYS_JSON, provider 1, account 1: ")
    assert "canary" not in report.faults[0]


def test_a_second_synchronisation_changes_nothing_and_raises_no_revision(settings: Any, keys: Any) -> None:
    settings.ENVIRONMENT = {"OPENAI_API_KEY": "sk-one"}
    keys({"providers": {"groq": ["gsk-1", {"id": "b", "token": "gsk-2"}]}})
    seeding.sync_credentials()
    before = revision.number()
    assert seeding.sync_credentials() == seeding.SeedReport()
    assert revision.number() == before


def test_rows_follow_the_environment_and_the_file_without_a_database_url(settings: Any, keys: Any) -> None:
    settings.ENVIRONMENT = {"OPENAI_API_KEY": "sk-one"}
    keys({"providers": {"groq": [{"id": "a", "token": "old"}]}})
    seeding.sync_credentials()
    settings.ENVIRONMENT = {"OPENAI_API_KEY": "sk-new"}
    keys({"providers": {"groq": [{"id": "a", "token": "new"}]}})
    report = seeding.sync_credentials()
    assert held() == {("openai", "environment"): "sk-new", ("groq", "file"): "new"}
    assert (report.created, report.updated, report.removed) == (1, 1, 1)


def test_with_a_database_url_only_absent_providers_are_seeded(settings: Any, keys: Any) -> None:
    settings.DATABASE_URL = "postgres://somewhere/else"
    Credential.objects.create(provider_id="groq", secret="from-console", label="mine")
    settings.ENVIRONMENT = {"GROQ_API_KEY": "from-env", "OPENAI_API_KEY": "sk-one"}
    seeding.sync_credentials()
    settings.ENVIRONMENT = {"OPENAI_API_KEY": "sk-two"}
    report = seeding.sync_credentials()
    assert held() == {("groq", "console"): "from-console", ("openai", "environment"): "sk-one"}
    assert report == seeding.SeedReport()


def test_a_bad_file_keeps_the_credentials_read_before_and_never_shows_its_content(keys: Any) -> None:
    keys({"providers": {"groq": ["gsk-1"]}})
    seeding.sync_credentials()
    for bad in ('{"providers": {"groq": ["gsk-secret"', {"providers": {"groq": [{"auth": "gsk-secret", "key": "x"}]}}):
        keys(bad)
        report = seeding.sync_credentials()
        assert held() == {("groq", "file"): "gsk-1"}
        assert len(report.faults) == 1
        assert "gsk-secret" not in report.faults[0]


def test_what_the_console_made_is_never_touched(keys: Any) -> None:
    mine = Credential.objects.create(provider_id="groq", account_id="a", secret="console-secret", priority=7)
    keys({"providers": {"groq": [{"id": "a", "token": "file-secret"}]}})
    seeding.sync_credentials()
    keys({"providers": {}})
    seeding.sync_credentials()
    mine.refresh_from_db()
    assert reveal(mine).reveal() == "console-secret"
    assert mine.priority == 7


def test_an_operators_switch_survives_a_change_of_the_file(keys: Any) -> None:
    keys({"providers": {"groq": [{"id": "a", "token": "one"}]}})
    seeding.sync_credentials()
    row = Credential.objects.get()
    row.enabled = False
    row.save()
    keys({"providers": {"groq": [{"id": "a", "token": "two"}]}})
    seeding.sync_credentials()
    row.refresh_from_db()
    assert (row.enabled, reveal(row).reveal()) == (False, "two")


def test_one_token_in_several_sources_becomes_one_credential(settings: Any, keys: Any) -> None:
    settings.ENVIRONMENT = {"GROQ_API_KEY": "same"}
    settings.PROXY_KEYS_JSON = '{"providers": {"groq": ["same", "inline"]}}'
    keys({"providers": {"groq": ["same", "inline", "file"]}})
    seeding.sync_credentials()
    found = {(row.source, reveal(row).reveal()) for row in Credential.objects.all()}
    assert found == {("environment", "same"), ("inline", "inline"), ("file", "file")}


def test_old_provider_names_are_stored_under_the_known_one(keys: Any) -> None:
    keys({"providers": {"ZhiPu": ["z-1"]}})
    seeding.sync_credentials()
    assert Credential.objects.get().provider_id == "zai"


def test_a_file_is_read_again_only_when_it_changed(keys: Any) -> None:
    keys({"providers": {"groq": ["gsk-1"]}})
    assert seeding.sync_if_changed() == seeding.SeedReport(created=1)
    assert seeding.sync_if_changed() is None
    keys({"providers": {"groq": ["gsk-1", "gsk-2"]}})
    assert seeding.sync_if_changed() == seeding.SeedReport(created=1)


def test_wishes_on_models_follow_their_file(models: Any) -> None:
    models({"preferred": ["b", "a"], "disabled": ["c"], "aliases": {"fast": "a"}, "models": [{"id": "d"}]})
    seeding.sync_models()
    rows = {row.name: (row.rank, row.disabled, row.alias_of, row.declared) for row in ModelPreference.objects.all()}
    assert rows == {
        "a": (2, False, "", False),
        "b": (1, False, "", False),
        "c": (None, True, "", False),
        "d": (None, False, "", True),
        "fast": (None, False, "a", False),
    }
    models({"preferred": ["a"]})
    assert seeding.sync_models() == seeding.SeedReport(updated=1, removed=4)


def test_a_wish_of_the_console_wins_over_the_file(models: Any) -> None:
    ModelPreference.objects.create(name="A", disabled=True)
    models({"preferred": ["a"]})
    assert seeding.sync_models() == seeding.SeedReport()
    models("not json")
    assert seeding.sync_models().faults[0].startswith("models.json is not valid JSON.")


def test_a_nul_in_a_file_is_told_and_what_was_read_before_stays(keys: Any) -> None:
    keys({"providers": {"groq": ["gsk-1"]}})
    seeding.sync_credentials()
    keys({"providers": {"groq": [{"label": "a\x00", "key": "gsk-2"}]}})
    assert "holds a NUL character" in " ".join(seeding.sync_credentials().faults)
    assert [reveal(row).reveal() for row in Credential.objects.all()] == ["gsk-1"]
