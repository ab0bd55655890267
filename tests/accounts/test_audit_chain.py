"""What is done to the audit behind proxx's back shows, and where."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import audit, audit_chain, audit_export
from accounts.audit_entry import AuditEntry, AuditHead
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries() -> list[AuditEntry]:
    """Six entries of all kinds."""
    for number in range(3):
        audit.note("looked", f"at page {number}", {"page": number, "price": 0.1})
    tenant = factories.make_tenant(name="ünïcode ☂")
    tenant.name = "=HYPERLINK(1)"
    tenant.save()
    tenant.delete()
    return list(AuditEntry.objects.order_by("sequence"))


def behind_its_back(statement: str, *parameters: object) -> None:
    """Change the tables as somebody would who owns the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS accounts_audit_no_update")
        cursor.execute(statement, parameters)


def test_what_nobody_touched_is_whole(entries):
    verdict = audit_chain.verify()
    assert (verdict.fault, verdict.checked, verdict.hash) == ("", len(entries), entries[-1].hash)


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = 'eve'",
        "address = '192.0.2.9'",
        "changes = '{}'",
        "reason = 'none'",
        "object_name = 'other'",
        "action = 'added'",
        "tenant_id = NULL",
        "at = '2020-01-01 00:00:00+00:00'",
    ],
)
def test_an_edited_entry_is_named(entries, change):
    number = entries[4].sequence
    behind_its_back(f"UPDATE accounts_auditentry SET {change} WHERE sequence = %s", number)
    assert audit_chain.verify().fault == f"Entry {number} was changed."


def test_an_edited_entry_with_a_hash_made_to_fit_breaks_at_the_next_one(entries):
    third = entries[2]
    third.reason = "none"
    behind_its_back(
        "UPDATE accounts_auditentry SET reason = 'none', hash = %s WHERE sequence = %s",
        third.worked_out_hash(),
        third.sequence,
    )
    assert audit_chain.verify().fault == f"Entry {third.sequence + 1} does not follow the entry before it."


def test_a_deleted_entry_is_named(entries):
    behind_its_back("DELETE FROM accounts_auditentry WHERE sequence = %s", entries[1].sequence)
    assert audit_chain.verify().fault == f"Entry {entries[1].sequence} is missing."


def test_swapped_entries_are_named(entries):
    for old, new in ((2, -1), (3, 2), (-1, 3)):
        behind_its_back("UPDATE accounts_auditentry SET sequence = %s WHERE sequence = %s", new, old)
    assert audit_chain.verify().fault == "Entry 2 does not follow the entry before it."


def test_a_missing_end_shows_against_the_head_and_with_the_head_against_an_anchor(entries):
    anchor = audit_chain.verify().anchor
    behind_its_back("DELETE FROM accounts_auditentry WHERE sequence > 2")
    assert audit_chain.verify().fault.startswith("Entry 3 is missing")
    AuditHead.objects.update(sequence=2, hash=entries[1].hash)
    assert audit_chain.verify().fault == ""
    number, digest = audit_chain.anchor_of(anchor)
    assert audit_chain.verify({number: digest}).fault.startswith("Entry 3 is missing")


def test_a_chain_that_was_made_anew_shows_against_an_anchor(entries):
    number, digest = audit_chain.anchor_of(audit_chain.verify().anchor)
    behind_its_back("DELETE FROM accounts_auditentry")
    AuditHead.objects.all().delete()
    for _ in range(number):
        audit.note("made up")
    assert audit_chain.verify().fault == ""
    assert audit_chain.verify({number: digest}).fault.endswith("when its anchor was taken.")


def test_the_command_says_so_and_ends_badly_if_it_is_not_whole(entries, tmp_path):
    said = io.StringIO()
    call_command("verify_audit", stdout=said)
    anchor = said.getvalue().split("Anchor: ")[1].strip()
    file = tmp_path / "audit.jsonl"
    file.write_text("".join(audit_export.jsonl(AuditEntry.objects.order_by("sequence"))))
    call_command("verify_audit", "--anchor", anchor, "--file", str(file), stdout=said)
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(CommandError, match="is missing"):
        call_command("verify_audit", "--anchor", anchor, "--file", str(file))
    behind_its_back("UPDATE accounts_auditentry SET reason = 'x' WHERE sequence = 1")
    with pytest.raises(CommandError, match="Entry 1 was changed"):
        call_command("verify_audit")
    with pytest.raises(CommandError, match="An anchor is"):
        call_command("verify_audit", "--anchor", "12")


def test_no_cell_of_a_table_can_be_taken_for_a_formula(entries):
    text = "".join(audit_export.as_csv(AuditEntry.objects.order_by("sequence")))
    assert "'=HYPERLINK(1)" in text
    assert ",=HYPERLINK" not in text
