"""The two commands that print a secret, once."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, Operator, Tenant
from proxx.kit import clock, sealing

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_first_boot_makes_an_operator_and_a_key_and_a_second_makes_nothing():
    said = json.loads(run("first_boot", "--json"))
    operator = Operator.objects.get(username="admin")
    assert operator.check_password(said["operator"]["password"])
    assert operator.is_superuser
    assert len(said["operator"]["password"]) == 20
    key = ApiKey.objects.get()
    assert key.digest == sealing.digest(said["key"]["token"])
    assert key.tenant.slug == "default"
    assert json.loads(run("first_boot", "--json")) == {"operator": None, "key": None}
    assert run("first_boot") == ""
    assert (Operator.objects.count(), ApiKey.objects.count()) == (1, 1)


def test_a_first_boot_prints_both_plainly():
    lines = run("first_boot").splitlines()
    assert len(lines) == 2
    assert "password: " in lines[0]
    assert "pxx_" in lines[1]


def test_a_revoked_key_still_counts_as_a_key():
    run("first_boot")
    ApiKey.objects.update(revoked_at=clock.now())
    assert json.loads(run("first_boot", "--json"))["key"] is None


def test_issue_key_prints_the_token_alone():
    token = run("issue_key", "--label", "ci").strip()
    assert ApiKey.objects.get(label="ci").digest == sealing.digest(token)


def test_issue_key_gives_the_scope_of_files_only_on_request():
    run("issue_key", "--label", "plain")
    run("issue_key", "--label", "batch", "--files")
    scopes = dict(ApiKey.objects.values_list("label", "scopes"))
    assert scopes == {"plain": ["proxy:use"], "batch": ["proxy:use", "proxy:files"]}


def test_issue_key_takes_tenant_and_end():
    Tenant.objects.create(slug="acme", name="Acme")
    with clock.stopped():
        said = json.loads(run("issue_key", "--tenant", "Acme", "--label", "ci", "--expires", "30d", "--json"))
        key = ApiKey.objects.get(pk=said["id"])
        assert key.expires_at == clock.now() + timedelta(days=30)
        assert key.tenant.slug == said["tenant"] == "acme"
    run("issue_key", "--label", "dated", "--expires", "2999-01-01")
    assert ApiKey.objects.get(label="dated").expires_at.year == 2999


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tenant", "nobody"), "no tenant 'nobody'"),
        (("--expires", "soon"), "neither a duration"),
        (("--label", "  "), "1 to 120 characters"),
        (("--expires", "2001-01-01"), "passed already"),
    ],
)
def test_issue_key_refuses_with_one_sentence(arguments, said):
    with pytest.raises(CommandError, match=said):
        run("issue_key", "--label", "x", *arguments)
    assert not ApiKey.objects.exists()


def test_a_key_that_no_server_would_know_is_not_issued(settings) -> None:
    settings.KEY_PEPPER = ""
    with pytest.raises(CommandError, match="PROXY_TOKEN_PEPPER"):
        call_command("issue_key", label="lost")
    assert not ApiKey.objects.filter(label="lost").exists()
