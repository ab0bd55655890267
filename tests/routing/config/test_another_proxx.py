"""A real export goes into an empty proxx: what no file can bring is skipped and told."""

import base64
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from accounts.models import Credential, Limit, Operator, Tenant
from accounts.rights import Role, grant
from routing.config import exporting
from routing.models import ModelPreference, PolicyRule
from tests import factories, forked
from tests.commands import house
from tests.databases import migrate

pytestmark = pytest.mark.django_db
PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def text() -> str:
    """The export of a house with keys, their limits, and an operator."""
    tenant = Tenant.objects.create(slug="acme", name="Acme", models_allowed="gpt-5*")
    key = factories.make_key(tenant, label="build").row
    Limit.objects.create(tenant=tenant, kind="money_month", amount=10_000_000_000)
    Limit.objects.create(key=key, kind="requests_minute", amount=60)
    expired = factories.make_key(tenant, label="old", expires_at=PAST).row
    Limit.objects.create(key=expired, kind="requests_minute", amount=61)
    gone = factories.make_key(tenant, label="gone").row
    gone.revoked_at = PAST
    gone.save()
    Credential.objects.create(provider_id="openai", label="main", secret="sk-canary-0123456789")
    ModelPreference.objects.create(name="fast", alias_of="gpt-5-mini")
    PolicyRule.objects.create(name="Claude", pattern="claude-*", providers="anthropic", position=3)
    grant(Operator.objects.create_user("ada"), Role.TENANT_ADMIN, tenant, by=None)
    return exporting.export()


class Empty:
    """A second proxx with nothing in it but what the migrations bring."""

    def __init__(self, folder: Path) -> None:
        own = {name: secrets.token_hex(32) for name in ("SECRET_KEY", "PROXY_TOKEN_PEPPER")}
        own["PROXY_ENCRYPTION_KEYS"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        self._environment = house.environment(PROXX_ENV_FILE="/dev/null", PROXY_DATA_DIR=str(folder), **own)
        migrate(self._environment)

    def manage(self, *arguments: str, standard_input: str = "") -> tuple[int, str, str]:
        done = forked.run("manage.py", *arguments, env=self._environment, given=standard_input, timeout=120)
        return done.returncode, done.stdout, done.stderr


def test_an_export_goes_into_an_empty_proxx_without_keys_and_operators(text, tmp_path):
    other = Empty(tmp_path)
    code, _, faults = other.manage("apply_config", "-", "--yes", "--strict", standard_input=text)
    assert (code, faults.count("line ")) == (1, 3), faults
    code, said, faults = other.manage("apply_config", "-", "--yes", standard_input=text)
    assert code == 0, faults
    skipped = [line for line in said.splitlines() if line.startswith("skipped: line ")]
    assert [line.split(": ")[2].split()[0] for line in skipped] == ["key", "limit", "member"]
    before, after = yaml.safe_load(text), yaml.safe_load(other.manage("export_config")[1])
    del before["keys"], before["members"]
    before["limits"] = [limit for limit in before["limits"] if "key" not in limit]
    assert after == before
    assert "Nothing to change" in other.manage("apply_config", "-", "--dry-run", standard_input=text)[1]
    code, said, _ = other.manage("apply_config", "-", "--yes", "--only", "members", standard_input=text)
    assert (code, said.count("skipped:")) == (0, 1)
    assert "skipped" not in other.manage(
        *("apply_config", "-", "--yes", "--without", "keys", "--without", "limits", "--without", "members"),
        standard_input=text,
    )[1]  # fmt: skip
    assert "has no section facts" in other.manage("apply_config", "-", "--only", "facts", standard_input=text)[2]


def test_keys_that_are_over_and_their_limits_are_not_exported(text):
    data = yaml.safe_load(text)
    assert [key["label"] for key in data["keys"]] == ["build"]
    assert sorted(limit["amount"] for limit in data["limits"]) == [10, 60]
