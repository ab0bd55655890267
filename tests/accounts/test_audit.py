"""Every change of configuration is written down, in its own transaction, without secrets."""

import json

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from accounts import audit, keys
from accounts.acting import Actor, acting_as
from accounts.audit_entry import AppendOnly, AuditEntry, AuditHead
from accounts.models import ApiKey, Credential, Limit, Operator, Profile, Tenant
from tests import factories

pytestmark = pytest.mark.django_db
ADA = Actor("operator", "7", "ada", "192.0.2.7")
SECRET = "sk-canary-0123456789-abcdefgh"


def last() -> AuditEntry:
    return AuditEntry.objects.first()


def told(entry: AuditEntry) -> dict:
    return {field: (before, after) for field, before, after in entry.differences()}


def test_a_change_says_who_did_it_from_where_why_and_what_it_was_before():
    tenant = factories.make_tenant(slug="acme", name="Acme")
    with acting_as(ADA, "they asked for it"):
        tenant.name = "Acme Corp"
        tenant.save()
    entry = last()
    assert (entry.action, entry.kind, entry.object_id) == ("changed", "accounts.tenant", str(tenant.pk))
    assert (entry.actor_kind, entry.actor_id, entry.actor_name, entry.address) == ("operator", "7", "ada", "192.0.2.7")
    assert (entry.reason, entry.tenant_id, entry.object_name) == ("they asked for it", tenant.pk, "Acme Corp")
    assert told(entry) == {"name": ("Acme", "Acme Corp")}


def test_what_is_added_and_what_is_deleted_is_told_whole():
    profile = Profile.objects.create(name="editors", temperature=0.5)
    assert (last().action, told(last())["temperature"]) == ("added", (None, 0.5))
    Profile.objects.filter(pk=profile.pk).delete()
    assert (last().action, told(last())) == ("deleted", {"name": ("editors", None), "temperature": (0.5, None)})


def test_rows_that_go_with_another_are_told_too():
    tenant = factories.make_tenant()
    limit = Limit.objects.create(tenant=tenant, kind="requests_minute", amount=10)
    identifier = str(tenant.pk)
    tenant.delete()
    gone = {(entry.kind, entry.object_id) for entry in AuditEntry.objects.filter(action="deleted")}
    assert gone == {("accounts.tenant", identifier), ("accounts.limit", str(limit.pk))}


def test_a_save_that_changes_nothing_is_no_entry():
    tenant = factories.make_tenant()
    before = AuditEntry.objects.count()
    tenant.save()
    tenant.save(update_fields=["name"])
    assert AuditEntry.objects.count() == before


def test_only_the_fields_that_were_written_are_told():
    tenant = factories.make_tenant(name="Acme")
    tenant.name, tenant.image_model = "Other", "gpt-x"
    tenant.save(update_fields=["image_model"])
    assert told(last()) == {"image_model": ("", "gpt-x")}


def test_being_used_and_signing_in_is_no_change(key):
    operator = factories.make_operator()
    before = AuditEntry.objects.count()
    operator.save(update_fields=["last_login"])
    key.row.save(update_fields=["last_used_at"])
    assert AuditEntry.objects.count() == before


def test_secrets_stay_out_of_it():
    row = Credential.objects.create(provider_id="openai", secret=SECRET)
    row.secret = SECRET + "-second"
    row.save()
    factories.make_operator(password="canary password 17")
    profile = Profile.objects.create(name="p", headers=f"X-Team: {SECRET}")
    issued = factories.make_key(profile=profile)
    with acting_as(ADA, f"because of {SECRET}"):
        audit.note("looked", f"at {SECRET}", {"token": SECRET, "list": [SECRET]})
    everything = json.dumps([entry.facts() for entry in AuditEntry.objects.all()])
    for canary in (
        SECRET,
        row.secret,
        issued.token,
        issued.row.digest,
        "canary password",
        Operator.objects.get().password,
    ):
        assert canary not in everything
    assert audit.SECRET in told(AuditEntry.objects.filter(kind="accounts.credential").first())["secret"]


def test_a_change_that_is_undone_leaves_no_entry_and_a_failed_one_neither():
    count = AuditEntry.objects.count()
    with transaction.atomic():
        factories.make_tenant()
        transaction.set_rollback(True)
    with pytest.raises(DatabaseError), transaction.atomic():
        Tenant.objects.create(slug="default", name="twice")
    assert AuditEntry.objects.count() == count
    assert audit.lock().sequence == count


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_around_it_change_and_entry_are_one_all_the_same(monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise DatabaseError("the entry cannot be written")

    monkeypatch.setattr(AuditEntry, "save", fails)
    with pytest.raises(DatabaseError):
        Tenant.objects.create(slug="acme", name="Acme")
    assert not Tenant.objects.filter(slug="acme").exists()


def test_links_are_told_by_name():
    from django.contrib.auth.models import Permission

    operator, right = factories.make_operator(), Permission.objects.first()
    operator.user_permissions.add(right)
    assert told(last()) == {"user_permissions": ([], [str(right)])}
    operator.user_permissions.clear()
    assert told(last()) == {"user_permissions": ([str(right)], [])}


def test_a_key_is_the_matter_of_its_tenant_and_so_are_its_limits(key, tenant):
    assert last().tenant_id == tenant.pk
    Limit.objects.create(key=key.row, kind="requests_minute", amount=1)
    assert last().tenant_id == tenant.pk


def test_an_event_is_told_with_its_facts(tenant):
    entry = audit.note("exported", tenant, {"rows": 3})
    assert (entry.action, entry.object_name, entry.tenant_id) == ("exported", tenant.name, tenant.pk)
    assert told(entry) == {"rows": (None, 3)}


def test_rotation_of_a_key_is_told_of_both(key):
    AuditHead.objects.get()
    before = AuditEntry.objects.count()
    from datetime import timedelta

    keys.rotate(key.row, overlap=timedelta(0))
    added, changed = list(AuditEntry.objects.order_by("sequence"))[before:]
    assert (added.action, changed.action) == ("added", "changed")
    assert set(told(changed)) == {"revoked_at"}
    assert ApiKey.objects.count() == 2


def test_entries_neither_change_nor_go():
    entry = audit.note("tried")
    for attempt in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(AppendOnly):
            attempt()
    with pytest.raises(AppendOnly):
        AuditEntry.objects.update(reason="other")


def test_the_database_refuses_too():
    audit.note("tried")
    if connection.vendor == "sqlite":  # taken away for tests that empty their tables (conftest.py)
        from importlib import import_module

        for statement in import_module("accounts.migrations.0011_audit_stays").SQLITE[1:]:
            with connection.cursor() as cursor:
                cursor.execute(statement)
    for statement in ("UPDATE accounts_auditentry SET reason = 'x'", "DELETE FROM accounts_auditentry"):
        with (
            pytest.raises(DatabaseError, match="neither change nor go"),
            transaction.atomic(),
            connection.cursor() as c,
        ):
            c.execute(statement)
