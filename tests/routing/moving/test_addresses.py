"""Addresses of one's own: each is a provider, keys stay with theirs, and exports lead back to them."""

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from accounts.fields import reveal
from accounts.models import Credential
from routing.models import ModelPreference, ProviderSetting
from tests.factories import make_credential
from tests.routing.moving.test_moving_in import exported, moved

pytestmark = pytest.mark.django_db
ELSEWHERE = "http://127.0.0.1:8473/v1"
TWO_SERVERS = {
    "accounts.json": json.dumps(
        {
            "modelAliases": [],
            "accounts": [
                {"id": "c", "provider": "openai-compatible", "baseUrl": ELSEWHERE, "accessToken": "key-of-chat-0001"}
            ],
        }
    ),
    "config.yaml": """
claude-api-key: [{api-key: key-of-claude-0002, base-url: "http://127.0.0.1:8472"}]
openai-compatibility: [{name: accounts, base-url: "http://127.0.0.1:8474/v1", api-key-entries: [key-of-name-0003]}]
""",
    "more.yaml": """
openai-compatibility: [{name: accounts, base-url: "http://127.0.0.1:8475/v1", api-key-entries: [key-of-name-0004]}]
""",
}
AT_HOME = {
    "key-of-chat-0001": ELSEWHERE,
    "key-of-claude-0002": "http://127.0.0.1:8472",
    "key-of-name-0003": "http://127.0.0.1:8474/v1",
    "key-of-name-0004": "http://127.0.0.1:8475/v1",
}


def addresses() -> dict[str, str]:
    """Return where each key would be sent."""
    places = {row.provider_id: row.base_url for row in ProviderSetting.objects.all()}
    return {reveal(row).reveal(): row.base_url or places[row.provider_id] for row in Credential.objects.all()}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_servers_on_one_host_stay_apart_and_keep_their_keys(tmp_path: Path, order: tuple[int, ...]) -> None:
    for name, text in TWO_SERVERS.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / [*TWO_SERVERS][number]) for number in order]
    moved(*paths, yes=True)
    assert addresses() == AT_HOME
    assert "Nothing to write" in moved(*paths, yes=True)
    for path in reversed(paths):
        assert "Nothing to write" in moved(path, yes=True), "nor does one file alone move what others brought"
    assert addresses() == AT_HOME


def test_a_named_provider_that_moved_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(TWO_SERVERS["config.yaml"])
    moved(str(path), yes=True)
    path.write_text(TWO_SERVERS["config.yaml"].replace("8474", "8999"))
    told = moved(str(path), yes=True)
    assert "~ provider accounts: base url http://127.0.0.1:8474/v1 → http://127.0.0.1:8999/v1" in told


def test_keys_at_addresses_of_their_own_are_exported_to_where_they_go_and_come_back(tmp_path: Path) -> None:
    make_credential("anthropic", secret="key-of-claude-0001", base_url="https://relay.example.com/v1")
    make_credential("gemini", secret="key-of-gemini-0002", base_url="https://relay.example.com/v1beta")
    data = yaml.safe_load(exported("cli-proxy"))
    assert [one["base-url"] for one in data["claude-api-key"]] == ["https://relay.example.com"]
    assert [one["base-url"] for one in data["gemini-api-key"]] == ["https://relay.example.com"]


def test_providers_that_cli_proxy_brought_go_back_to_their_lists(tmp_path: Path) -> None:
    keys = [{"api-key": "key-0123456789-abcd", "base-url": "http://127.0.0.1:8472"}]
    codex = [{**keys[0], "base-url": "http://127.0.0.1:8472/v1"}]
    before = {kind: keys for kind in ("claude-api-key", "gemini-api-key")} | {"codex-api-key": codex}
    path, again = tmp_path / "config.yaml", tmp_path / "again.yaml"
    path.write_text(json.dumps(before))
    moved(str(path), yes=True)
    exported("cli-proxy", secrets=True, output=str(again))
    after = yaml.safe_load(again.read_text())
    assert {kind: after.get(kind) for kind in before} == before
    assert "Nothing to write" in moved(str(again), yes=True)


def test_aliases_that_an_export_leaves_out_are_named() -> None:
    ModelPreference.objects.create(name="pool", alias_of="a\nb")
    ModelPreference.objects.create(name="off", alias_of="a", alias_enabled=False)
    ModelPreference.objects.create(name="fast", alias_of="a")
    err = StringIO()
    call_command("export_legacy", "models", stdout=StringIO(), stderr=err)
    assert "2 aliases are left out: off, pool." in err.getvalue()


def test_the_upstream_of_the_go_proxx_comes_back(tmp_path: Path) -> None:
    assert yaml.safe_load(exported("go-proxx"))["upstream_url"] == "https://api.anthropic.com"
    path = tmp_path / "config.yaml"
    path.write_text("upstream_url: https://claude.example.com/api\n")
    moved(str(path), yes=True)
    assert yaml.safe_load(exported("go-proxx"))["upstream_url"] == "https://claude.example.com/api"
