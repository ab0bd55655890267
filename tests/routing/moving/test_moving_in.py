"""import_legacy and export_legacy: the difference, the question, the writing, and back again."""

import json
import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError

from accounts.fields import reveal
from accounts.models import Credential
from routing import revision
from routing.models import ModelExclusion, ModelPreference, PolicyRule, ProviderSetting
from tests.factories import make_credential
from tests.routing.moving.test_readers import CLI_PROXY, MULTICODEX

pytestmark = pytest.mark.django_db
KEYS = {
    "providers": {"groq": [{"id": "work", "key": "gsk-0123456789-abcd", "priority": 7}], "xai": ["xai-0123456789-wxyz"]}
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {
        "keys.json": json.dumps(KEYS),
        "models.json": json.dumps({"preferred": ["b", "a"], "disabled": ["c"], "aliases": {"fast": "a"}}),
        "accounts.json": json.dumps(MULTICODEX),
        "config.yaml": CLI_PROXY,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return {name: str(tmp_path / name) for name in texts}


def moved(*files: str, **options: Any) -> str:
    out = StringIO()
    call_command("import_legacy", *files, stdout=out, **options)
    return out.getvalue()


def exported(shape: str, **options: Any) -> str:
    out = StringIO()
    call_command("export_legacy", shape, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def all_rows() -> list[Any]:
    credentials = Credential.objects.order_by("provider_id", "account_id").values(
        "provider_id", "account_id", "label", "kind", "priority", "enabled", "expires_at", "chatgpt_account_id"
    )
    secrets = sorted(reveal(row).reveal() for row in Credential.objects.all())
    names = ModelPreference.objects.order_by("name").values(
        "name", "rank", "disabled", "alias_of", "declared", "alias_enabled"
    )
    return [*credentials, *secrets, *names]


def test_a_look_writes_nothing_and_shows_only_the_ends_of_secrets(files: dict[str, str]) -> None:
    told = moved(*files.values(), dry_run=True)
    assert "+ credential groq · work (API key ••••abcd): priority 7" in told
    assert "+ model fast: alias of a" in told
    assert "Not taken over, or to do by hand" in told
    assert "0123456789" not in told
    assert not Credential.objects.exists()


def test_all_files_are_written_in_one_go_and_announced(files: dict[str, str]) -> None:
    before = revision.number()
    moved(*files.values(), yes=True)
    row = Credential.objects.get(account_id="work")
    assert (row.provider_id, row.priority, row.source) == ("groq", 7, "console")
    assert reveal(row).reveal() == "gsk-0123456789-abcd"
    assert not Credential.objects.get(account_id="m1").enabled
    assert ModelPreference.objects.get(name="fast").alias_of
    assert ModelPreference.objects.get(name="smart").targets == ("high:gpt-5", "gpt-5-mini")
    assert ModelExclusion.objects.get().pattern == "*-preview"
    assert ProviderSetting.objects.get(provider_id="my-lab").base_url == "https://lab.example.com/api/v4"
    assert revision.number() > before


def test_a_second_time_changes_nothing(files: dict[str, str]) -> None:
    names = [files[name] for name in ("keys.json", "models.json", "config.yaml")]
    moved(*names, yes=True)
    before, number = all_rows(), revision.number()
    assert "Nothing to write: all of it is there already." in moved(*names, yes=True)
    assert (all_rows(), revision.number()) == (before, number)


def test_what_differs_is_told_and_the_rest_stays(files: dict[str, str]) -> None:
    make_credential("groq", account_id="work", label="mine", secret="gsk-older-0123-zzzz", weight=3)
    told = moved(files["keys.json"], yes=True)
    line = next(line for line in told.splitlines() if "mine" in line)
    assert "~ credential groq · mine (API key ••••zzzz)" in line
    assert "priority 100 → 7" in line
    assert "token ••••zzzz → ••••abcd" in line
    assert Credential.objects.get(account_id="work").weight == 3


def test_a_token_that_was_renewed_since_is_kept(files: dict[str, str]) -> None:
    from datetime import UTC, datetime

    later = datetime(2031, 1, 1, tzinfo=UTC)
    make_credential("openai", account_id="a1", kind="oauth_bearer", secret="newer-token-0002", expires_at=later)
    moved(files["accounts.json"], yes=True)
    row = Credential.objects.get(account_id="a1")
    assert (reveal(row).reveal(), row.expires_at, row.priority) == ("newer-token-0002", later, 2)


def test_a_row_that_followed_a_file_belongs_to_the_console_once_it_is_changed(files: dict[str, str]) -> None:
    make_credential("groq", account_id="work", secret="gsk-0123456789-abcd", source="file")
    make_credential("xai", secret="xai-0123456789-wxyz", label="", source="file")
    moved(files["keys.json"], yes=True)
    sources = dict(Credential.objects.values_list("provider_id", "source"))
    assert sources == {"groq": "console", "xai": "file"}, "an unchanged one still follows"


def test_an_account_known_by_its_token_is_not_made_twice(files: dict[str, str]) -> None:
    make_credential("xai", account_id="known", secret="xai-0123456789-wxyz")
    moved(files["keys.json"], yes=True)
    assert Credential.objects.filter(provider_id="xai").count() == 1


def test_one_bad_file_takes_nothing_over_from_the_others(files: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"providers": {"groq": [{"key": "two words"}]}}')
    with pytest.raises(CommandError, match=r"bad\.json.*Nothing was written"):
        moved(files["keys.json"], str(bad), yes=True)
    with pytest.raises(CommandError, match="not there"):
        moved(files["keys.json"], str(tmp_path / "none.json"), yes=True)
    assert not Credential.objects.exists()


def test_a_fault_while_writing_leaves_everything_as_it_was(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, *args: Any, **options: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(ModelPreference, "save", refuse)
    with pytest.raises(RuntimeError):
        moved(files["keys.json"], files["models.json"], yes=True)
    assert not Credential.objects.exists()


@pytest.mark.parametrize(("answer", "rows"), [("y", 2), ("no", 0), ("", 0)])
def test_an_operator_is_asked(files: dict[str, str], monkeypatch: pytest.MonkeyPatch, answer: str, rows: int) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    moved(files["keys.json"])
    assert Credential.objects.count() == rows


def test_with_nobody_to_ask_nothing_is_written(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match="--yes"):
        moved(files["keys.json"])
    assert not Credential.objects.exists()


@pytest.mark.parametrize("shape", ["keys", "models", "policy", "accounts", "cli-proxy", "go-proxx"])
def test_an_export_without_secrets_shows_at_most_their_ends(files: dict[str, str], shape: str) -> None:
    moved(*files.values(), yes=True)
    told = exported(shape)
    assert not any(reveal(row).reveal() in told for row in Credential.objects.all())


def test_an_export_with_secrets_goes_into_a_file_that_only_its_owner_reads(
    files: dict[str, str], tmp_path: Path
) -> None:
    moved(files["keys.json"], yes=True)
    with pytest.raises(CommandError, match="--output"):
        exported("keys", secrets=True)
    path = tmp_path / "out.json"
    exported("keys", secrets=True, output=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="there already"):
        exported("keys", secrets=True, output=str(path))


@pytest.mark.parametrize("sources", [("keys.json", "models.json"), ("accounts.json",), ("config.yaml",)])
def test_what_was_exported_comes_back_as_it_was(files: dict[str, str], tmp_path: Path, sources: tuple[str]) -> None:
    moved(*(files[name] for name in sources), yes=True)
    ModelPreference.objects.filter(name__in=["smart", "kimi"]).delete()  # models.json has no pools
    before = all_rows()
    keys, models = tmp_path / "keys-out.json", tmp_path / "models-out.json"
    exported("keys", secrets=True, output=str(keys))
    exported("models", output=str(models))
    assert "Nothing to write" in moved(str(keys), str(models), dry_run=True)
    Credential.objects.all().delete()
    ModelPreference.objects.all().delete()
    moved(str(keys), str(models), yes=True)
    assert all_rows() == before


def test_a_policy_file_becomes_rules_and_comes_back(tmp_path: Path) -> None:
    rules = [
        {"name": "GLM", "modelPattern": "^glm-", "preferredProviders": ["zai", "groq"], "requiresPaidPlan": True},
        {"name": "Claude", "modelPattern": "claude-*", "accountOrdering": {"kind": "prefer_free"}},
    ]
    path, again = tmp_path / "policy.json", tmp_path / "again.json"
    path.write_text(json.dumps({"modelRouting": {"rules": rules}}))
    told = moved(str(path), yes=True)
    assert "+ rule GLM (^glm-): " in told
    assert "providers zai, then groq" in told
    row = PolicyRule.objects.get(name="GLM")
    assert (row.paid_plans, row.source, row.kind) == (True, "console", "regex")
    exported("policy", output=str(again))
    assert json.loads(again.read_text())["modelRouting"]["rules"] == rules
    assert "Nothing to write" in moved(str(again), yes=True)


@pytest.mark.parametrize(("shape", "name"), [("accounts", "accounts.json"), ("cli-proxy", "config.yaml")])
def test_files_of_other_gateways_come_back_too(files: dict[str, str], tmp_path: Path, shape: str, name: str) -> None:
    moved(files[name], yes=True)
    path = tmp_path / f"again-{name}"
    exported(shape, secrets=True, output=str(path))
    told = moved(str(path), dry_run=True)
    assert "of MultiCodex" in told or "of CLIProxyAPI" in told
    assert not any(sign in told for sign in ("+ credential", "+ model", "~ model"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys.json", r'{"providers": {"openai": [{"id": "a\u0000b", "key": "sk-1"}]}}'),
        ("keys.json", r'{"providers": {"op\u0000enai": ["sk-1"]}}'),
        ("models.json", r'{"aliases": {"fa\u0000st": "a"}}'),
        ("models.json", r'{"aliases": {"fast": "a\u0000"}}'),
        ("policy.json", r'{"modelRouting": {"rules": [{"pattern": "a\u0000*"}]}}'),
        (
            "config.yaml",
            'api-keys: []\nopenai-compatibility:\n  - name: "a\\0b"\n    base-url: https://lab.example.com/v1\n',
        ),
    ],
)
def test_a_nul_anywhere_is_one_sentence_and_writes_nothing(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(
        CommandError, match=r"^\S+ holds a NUL character, which no database keeps\. Nothing was written"
    ):
        moved(str(tmp_path / name), yes=True)


def test_a_provider_with_an_endless_name_is_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"providers": {"p" * 65: ["sk-1"]}}))
    with pytest.raises(CommandError, match=r"name is longer than 64 characters\. Nothing was written"):
        moved(str(path), yes=True)


def test_what_the_database_does_not_take_is_one_sentence(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise DataError("value too long for type character varying(64)")

    monkeypatch.setattr("routing.moving.difference.write", refuse)
    with pytest.raises(CommandError, match=r"does not take one of these values.* Nothing was written\.$"):
        moved(files["keys.json"], yes=True)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    os.mkfifo(path)
    with pytest.raises(CommandError, match=r"is no regular file\. Nothing was written"):
        moved(str(path), yes=True)
