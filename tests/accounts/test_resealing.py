"""Stored secrets move under a new key while proxx serves; nothing is lost on the way."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import resealing
from accounts.audit_entry import AuditEntry
from accounts.fields import reveal
from accounts.models import Credential
from proxx.kit import sealing
from tests import factories

pytestmark = pytest.mark.django_db
NEW = "HxAREhMUFRYXGBkaGxwdHgABAgMEBQYHCAkKCwwNDg8="


@pytest.fixture
def five(settings):
    """Five secrets under the old key, and a new key in front of it."""
    rows = [factories.make_credential(secret=f"sk-number-{number}-0123456789") for number in range(5)]
    factories.make_credential(secret="", account_id="without")
    settings.SEALING_KEYS = (NEW, *settings.SEALING_KEYS)
    return rows


def secrets() -> list[str]:
    return sorted(reveal(row).reveal() for row in Credential.objects.exclude(secret=""))


def test_everything_is_sealed_under_the_first_key_and_still_the_same(five, settings):
    before = secrets()
    assert resealing.retired() == 5
    assert resealing.reseal(batch=2) == resealing.Resealed(done=5)
    settings.SEALING_KEYS = (NEW,)
    assert (secrets(), resealing.retired()) == (before, 0)


def test_what_was_done_is_done_when_a_run_is_stopped_and_the_next_goes_on(five):
    def stop(so_far):
        if so_far.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.reseal(batch=2, told=stop)
    assert resealing.retired() == 3
    assert resealing.reseal().done == 3


def test_who_changes_a_secret_meanwhile_wins(five, monkeypatch):
    changed = five[0]
    real = sealing.unseal_bytes

    def meanwhile(sealed, *, context):
        if context == str(changed.pk) and sealed == changed.secret:
            row = Credential.objects.get(pk=changed.pk)
            row.secret = "sk-typed-in-meanwhile-0123456789"
            row.save()
        return real(sealed, context=context)

    monkeypatch.setattr(sealing, "unseal_bytes", meanwhile)
    done = resealing.reseal()
    monkeypatch.undo()
    assert (done.done, done.overtaken) == (4, 1)
    assert reveal(Credential.objects.get(pk=changed.pk)).reveal() == "sk-typed-in-meanwhile-0123456789"


def test_a_server_that_still_writes_under_the_old_key_is_followed(five, settings):
    old = settings.SEALING_KEYS[1:]
    late = iter([factories.make_credential])

    def somebody(so_far):
        for make in late:
            both, settings.SEALING_KEYS = settings.SEALING_KEYS, old
            make(provider_id="aaa", secret="sk-late-0123456789")
            settings.SEALING_KEYS = both

    assert resealing.reseal(batch=10, told=somebody).done == 6
    assert resealing.retired() == 0


def test_a_value_that_no_key_opens_is_counted_and_left_as_it_is(five, settings):
    Credential.objects.filter(pk=five[0].pk).update(secret=five[1].secret)  # moved from another row
    done = resealing.reseal()
    assert (done.done, done.broken) == (4, 1)
    with pytest.raises(CommandError, match="1 values cannot be opened"):
        call_command("rotate_secrets", stdout=io.StringIO())


def test_the_command_says_how_far_it_is_and_the_audit_that_it_was_done(five):
    said = io.StringIO()
    call_command("rotate_secrets", "--dry-run", stdout=said)
    call_command("rotate_secrets", stdout=said)
    assert "5 values are stored under retired keys." in said.getvalue()
    assert "Every stored secret is under the first key now." in said.getvalue()
    entry = AuditEntry.objects.first()
    assert (entry.action, dict((name, after) for name, _, after in entry.differences())["values"]) == ("re-sealed", 5)
    assert "sk-number" not in said.getvalue()


def test_a_start_warns_of_values_under_retired_keys(five):
    from proxx.server import checks

    assert "rotate_secrets" in checks.data_warnings()[0]
    resealing.reseal()
    assert checks.data_warnings() == []


def test_no_plain_text_reaches_the_database_on_the_way(five):
    with connection.execute_wrapper(_no_secret):
        resealing.reseal()


def _no_secret(execute, sql, params, many, context):
    assert "sk-number" not in f"{sql} {params}"
    return execute(sql, params, many, context)
