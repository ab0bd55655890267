"""The configuration as a file: what is exported can be applied, and what is applied is shown first."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from accounts.audit_entry import AuditEntry
from accounts.fields import reveal
from accounts.models import Credential, Limit, Operator, Profile, Tenant
from accounts.rights import Role, grant
from routing.config import exporting
from routing.models import FactSetting, Listener, ModelExclusion, ModelPreference, PolicyRule, ProviderSetting
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = "sk-canary-0123456789-abcd"


@pytest.fixture
def house():
    """One of everything, with odd values."""
    profile = Profile.objects.create(
        name="editors", notes="ünïcode ☂: no", temperature=0.25, headers="X-Team: research\nX-More: 1"
    )
    tenant = Tenant.objects.create(slug="acme", name="Acme: “yes”", profile=profile, models_allowed="gpt-5*\nclaude-*")
    Tenant.objects.create(slug="priced", name="no", unpriced="fallback", fallback_input="0.1", fallback_output="3")
    key = factories.make_key(tenant, label="build", expires_at=datetime(2030, 1, 31, 12, tzinfo=UTC)).row
    Limit.objects.create(tenant=tenant, kind="money_month", amount=10_500_000_001)
    Limit.objects.create(key=key, kind="requests_minute", model="gpt-*", amount=60, enabled=False)
    Credential.objects.create(provider_id="openai", label="main", secret=SECRET, priority=7)
    Credential.objects.create(provider_id="groq", account_id="env", secret=SECRET + "2", source="environment")
    ProviderSetting.objects.create(provider_id="my-lab", base_url="https://lab.example.com/v1", headers={"X-A": "b"})
    Listener.objects.create(name="bridge", host="bridge.example.com", profile=profile, own_key_tenant=tenant)
    ModelPreference.objects.create(name="fast", alias_of="gpt-5-mini\nhigh:gpt-5", rank=1)
    ModelExclusion.objects.create(provider_id="openai", pattern="*-preview")
    PolicyRule.objects.create(name="Claude", pattern="claude-*", providers="anthropic\nopenrouter", position=3)
    FactSetting.objects.create(model="gpt-5", price_input="1.25", price_output="10", tools=True, schema=False)
    grant(Operator.objects.create_user("ada"), Role.TENANT_ADMIN, tenant, by=None)


def wipe() -> None:
    """Take away everything that a file can bring."""
    for model in (Limit, Listener, ModelPreference, ModelExclusion, PolicyRule, FactSetting):
        model.objects.all().delete()
    Credential.objects.filter(source="console").delete()
    ProviderSetting.objects.filter(provider_id="my-lab").delete()
    Operator.objects.get(username="ada").memberships.all().delete()
    for tenant in Tenant.objects.all():
        tenant.profile, tenant.models_allowed = None, ""
        tenant.save()
    Tenant.objects.filter(slug="priced").delete()
    Profile.objects.all().delete()


def apply(tmp_path, text: str, *options: str) -> str:
    file, said = tmp_path / "config.yaml", io.StringIO()
    file.write_text(text)
    call_command("apply_config", str(file), *options, stdout=said)
    return said.getvalue()


def test_what_is_exported_wiped_and_applied_is_exported_the_same(house, tmp_path):
    sealed, before = exporting.export(sealed=True), exporting.export()
    wipe()
    assert exporting.export() != before
    apply(tmp_path, sealed, "--yes")
    assert exporting.export() == before
    assert reveal(Credential.objects.get(label="main")).reveal() == SECRET
    assert "Nothing to change" in apply(tmp_path, sealed, "--prune", "--yes")


def test_an_export_applied_at_once_changes_nothing(house, tmp_path):
    count = AuditEntry.objects.count()
    assert "Nothing to change" in apply(tmp_path, exporting.export(), "--prune", "--dry-run")
    assert AuditEntry.objects.count() == count


def test_an_export_holds_no_secret_no_digest_and_no_token(house):
    text = exporting.export()
    for row in Credential.objects.all():
        assert row.secret not in text
    assert SECRET not in exporting.export(sealed=True)
    assert "digest" not in text
    assert "groq" not in text  # follows the environment


def test_the_difference_is_shown_and_a_dry_run_writes_nothing(house, tmp_path):
    text = exporting.export().replace("https://lab.example.com/v1", "https://lab.example.com/v2")
    file, said = tmp_path / "config.yaml", io.StringIO()
    file.write_text(text)
    with pytest.raises(SystemExit) as ended:
        call_command("apply_config", str(file), "--dry-run", stdout=said)
    assert ended.value.code == 2
    assert "~ provider my-lab\n    base url https://lab.example.com/v1 → https://lab.example.com/v2" in said.getvalue()
    assert ProviderSetting.objects.get(provider_id="my-lab").base_url.endswith("v1")


def test_nobody_at_the_keyboard_writes_nothing(house, tmp_path):
    with pytest.raises(CommandError, match="Nobody is there to ask"):
        apply(tmp_path, "version: 1\ntenants:\n  - slug: new\n    name: New\n")
    assert not Tenant.objects.filter(slug="new").exists()


def test_a_field_that_the_file_leaves_out_falls_back_and_a_row_that_it_leaves_out_stays(house, tmp_path):
    said = apply(tmp_path, "version: 1\ntenants:\n  - {slug: acme, name: Acme}\n", "--yes")
    acme = Tenant.objects.get(slug="acme")
    assert (acme.models_allowed, acme.profile) == ("", None)
    assert "models allowed gpt-5*, claude-* → nothing" in said
    assert Tenant.objects.filter(slug="priced").exists()
    assert Limit.objects.count() == 2


def test_pruning_takes_away_what_a_section_does_not_name_and_leaves_other_sections_alone(house, tmp_path):
    said = apply(tmp_path, "version: 1\nexclusions: []\nproviders: []\n", "--yes", "--prune")
    assert "- exclusion openai · *-preview" in said
    assert "- provider my-lab" in said
    assert (ModelExclusion.objects.count(), PolicyRule.objects.count()) == (0, 1)


def test_what_is_in_use_is_not_pruned_and_then_nothing_is_written(house, tmp_path):
    with pytest.raises(CommandError, match="tenant acme is in use"):
        apply(tmp_path, "version: 1\nexclusions: []\ntenants:\n  - {slug: default, name: D}\n", "--yes", "--prune")
    assert ModelExclusion.objects.count() == 1


def test_a_secret_comes_from_the_environment(house, tmp_path, settings):
    settings.ENVIRONMENT = {"MY_KEY": "sk-from-environment-0123"}
    text = "version: 1\ncredentials:\n  - {provider_id: openai, account_id: new, secret: '${MY_KEY}'}\n"
    said = apply(tmp_path, text, "--yes")
    assert "secret ••••0123" in said
    assert "sk-from" not in said
    assert reveal(Credential.objects.get(account_id="new")).reveal() == "sk-from-environment-0123"
    assert "Nothing to change" in apply(tmp_path, text, "--yes")


def test_every_change_is_in_the_audit_with_its_reason(house, tmp_path):
    apply(tmp_path, "version: 1\ntenants:\n  - {slug: new, name: New}\n", "--yes", "--reason", "ticket 4711")
    assert (AuditEntry.objects.first().reason, AuditEntry.objects.first().object_name) == ("ticket 4711", "New")
    apply(tmp_path, "version: 1\ntenants:\n  - {slug: new, name: Newer}\n", "--yes")
    assert AuditEntry.objects.first().reason == "apply_config config.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tenants: []", "line 1: the file must say `version: 1`."),
        ("version: 1\ntenant: []", "line 2: there is no section 'tenant'"),
        ("version: 1\ntenants:\n  - slug: a\n    naem: x", "line 4: tenants have no field 'naem'."),
        ("version: 1\ntenants:\n  - slug: a\n    slug: b", "line 4: 'slug' stands there twice."),
        ("version: 1\ntenants:\n  - name: a", "line 3: tenants need 'slug'."),
        ("version: 1\ntenants: 7", "line 2: tenants must be a list."),
        ("version: 1\ntenants:\n  - 7", "line 3: tenant must hold names and values."),
        ("version: 1\ntenants: [", "this is no YAML"),
        ("version: 1\ntenants: !!python/object/apply:os.system ['x']", "line 2: tenant must hold names"),
        ("version: 1\ntenants:\n  - {slug: a, name: no}", "tenant a: name must be a text; put it in quotes."),
        ("version: 1\ntenants:\n  - {slug: A B, name: x}", "tenant A B: slug: Use lower-case letters"),
        ("version: 1\ntenants:\n  - {slug: a, name: x, profile: none}", "there is no profile 'none'"),
        ("version: 1\nlimits:\n  - {tenant: acme, kind: money_day, amount: 0.0000000001}", "more than nine places"),
        ("version: 1\nlimits:\n  - {tenant: acme, kind: tokens_day, amount: 0.5}", "amount must be a whole number"),
        (
            "version: 1\nlimits:" + "\n  - {tenant: acme, kind: tokens_hour, amount: 1}" * 2,
            "line 4: limit acme · tokens_hour: kind: There is a limit of this kind",
        ),
        ("version: 1\nkeys:\n  - {id: 00000000-0000-4000-8000-000000000009}", "a file cannot bring one"),
        (
            "version: 1\ncredentials:\n  - {provider_id: openai, account_id: n, secret: sk-plain-canary}",
            "is plain text",
        ),
        (
            "version: 1\ncredentials:\n  - {provider_id: openai, account_id: n, secret: '${NONE}'}",
            "NONE, which is not set",
        ),
        ("version: 1\nproviders:\n- provider_id: sim\n  headers: &a {x: *a}", "line 4: this holds itself."),
        ("version: 1\nprofiles:\n- name: x\n  notes: &b [*b]", "line 4: this holds itself."),
        ("version: 1\ntenants: " + "[" * 5000, "line 2: this is nested too deeply."),
        (
            "version: 1\nx: &n0 [1,2]\n"
            + "".join(f"x{n}: &n{n} [{', '.join([f'*n{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "this is too much.",
        ),
        ("version: 1\nmembers:\n  - {operator: nobody, role: owner}", "there is no operator 'nobody'"),
        (
            "version: 1\nmembers:\n  - {operator: ada, role: emperor}",
            "role: Value 'emperor' is not a valid",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_nothing_is_written(house, tmp_path, text, said):
    good = "\nexclusions:\n  - {provider_id: groq, pattern: '*'}\n"
    with pytest.raises(CommandError) as refused:
        apply(tmp_path, text + good, "--yes", "--strict")
    assert said in str(refused.value)
    assert "sk-plain" not in str(refused.value)
    assert ModelExclusion.objects.count() == 1


def test_a_sealed_secret_of_another_house_is_refused(house, tmp_path, settings):
    text = exporting.export(sealed=True)
    settings.SEALING_KEYS = ("HxAREhMUFRYXGBkaGxwdHgABAgMEBQYHCAkKCwwNDg8=",)
    with pytest.raises(CommandError, match="cannot be opened with the keys of this proxx"):
        apply(tmp_path, text, "--yes")


def test_an_export_goes_into_a_new_file_that_only_its_owner_reads(house, tmp_path):
    file = tmp_path / "out.yaml"
    call_command("export_config", "--sealed", "--output", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert AuditEntry.objects.first().action == "exported"
    with pytest.raises(CommandError, match="must be a new file"):
        call_command("export_config", "--output", str(file))
