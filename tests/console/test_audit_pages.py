"""The console's pages for the audit: who sees what, in words; nothing can be changed there."""

import json

import pytest

from accounts import audit
from accounts.audit_entry import AuditEntry
from accounts.models import Operator
from accounts.rights import Role, grant
from tests import factories
from tests.console.conftest import OF_A_TENANT

LIST = "/console/accounts/auditentry/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def two_tenants():
    """Two tenants, each with a change of its own."""
    tenants = [factories.make_tenant(slug=slug, name=slug) for slug in ("ours", "theirs")]
    for tenant in tenants:
        tenant.image_model = f"model-of-{tenant.slug}"
        tenant.save()
    return tenants


def signed_in(client, role, tenant=None):
    person = Operator.objects.create_user(username=f"{role}-person", password="x", is_staff=True)
    grant(person, role, tenant, by=None)
    client.force_login(Operator.objects.get(pk=person.pk))
    return client


def test_a_change_in_the_console_is_told_with_operator_and_address(console, operator):
    form = {"name": "Acme", "slug": "acme", "is_active": "on", **OF_A_TENANT}
    assert console.post("/console/accounts/tenant/add/", form, REMOTE_ADDR="192.0.2.7").status_code == 302
    entry = AuditEntry.objects.get(kind="accounts.tenant", object_name="Acme")
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("operator", str(operator.pk), "root")
    assert entry.address == "192.0.2.7"
    page = console.get(LIST).content.decode()
    assert "Acme" in page
    assert "root" in page
    assert "192.0.2.7" in page


def test_an_entry_shows_before_and_after_in_the_words_of_the_form(console, two_tenants):
    entry = AuditEntry.objects.first()
    page = console.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "pictures go to" in page
    assert "model-of-theirs" in page
    assert entry.hash in page


def test_what_was_changed_is_text_never_markup(console):
    factories.make_tenant(slug="x", name="<script>alert(1)</script>")
    entry = AuditEntry.objects.first()
    for path in (LIST, f"{LIST}{entry.pk}/change/", f"/console/accounts/tenant/{entry.object_id}/history/"):
        assert "<script>alert" not in console.get(path).content.decode()


def test_nothing_can_be_added_changed_or_taken_away(console, two_tenants):
    entry = AuditEntry.objects.first()
    count = AuditEntry.objects.count()
    for path in (f"{LIST}add/", f"{LIST}{entry.pk}/delete/"):
        assert console.post(path, {"post": "yes"}).status_code == 403
    console.post(f"{LIST}{entry.pk}/change/", {"reason": "other"})
    assert AuditEntry.objects.count() == count
    assert AuditEntry.objects.get(pk=entry.pk).reason == ""


def test_the_history_of_a_row_is_what_the_audit_knows_of_it(console, two_tenants):
    page = console.get(f"/console/accounts/tenant/{two_tenants[0].pk}/history/").content.decode()
    assert "model-of-ours" in page
    assert "model-of-theirs" not in page


@pytest.mark.parametrize("path", ["", "jsonl/", "csv/"])
def test_a_tenants_admin_sees_the_matters_of_that_tenant_only(client, two_tenants, path):
    console = signed_in(client, Role.TENANT_ADMIN, two_tenants[0])
    page = console.get(LIST + path).content.decode()
    assert "ours" in page
    assert "theirs" not in page


def test_another_tenants_entry_is_not_there_for_a_tenants_admin(client, two_tenants):
    console = signed_in(client, Role.TENANT_ADMIN, two_tenants[0])
    foreign = AuditEntry.objects.filter(tenant_id=two_tenants[1].pk).first()
    assert console.get(f"{LIST}{foreign.pk}/change/").status_code == 404
    history = console.get(f"/console/accounts/tenant/{two_tenants[1].pk}/history/")
    assert "model-of-theirs" not in history.content.decode()


@pytest.mark.parametrize("role", [Role.BILLING, Role.TENANT_MEMBER])
def test_who_may_not_read_it_gets_none_of_it(client, two_tenants, role):
    console = signed_in(client, role, two_tenants[0] if role is Role.TENANT_MEMBER else None)
    for path in (LIST, f"{LIST}jsonl/", f"{LIST}{AuditEntry.objects.first().pk}/change/"):
        assert console.get(path).status_code in (403, 404)


def test_an_export_is_a_download_that_verifies_and_is_told_itself(console, two_tenants):
    answer = console.get(f"{LIST}jsonl/")
    assert answer["Content-Disposition"].startswith("attachment; ")
    lines = [json.loads(line) for line in answer.content.decode().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    assert AuditEntry.objects.first().action == "exported"
    assert console.get(f"{LIST}csv/")["Content-Type"].startswith("text/csv")


def test_the_list_names_changes_in_the_words_of_the_forms(console):
    factories.make_key()
    page = console.get(LIST).content.decode()
    assert "fingerprint of the key" in page
    assert "digest" not in page


def test_the_list_goes_on_below_the_last_entry_and_asks_little(console, django_assert_max_num_queries):
    for number in range(60):
        audit.note("looked", f"at page {number}")
    with django_assert_max_num_queries(12):
        page = console.get(LIST).content.decode()
    assert "at page 59" in page
    assert "at page 3<" not in page
    last = AuditEntry.objects.all()[49].pk
    assert f"sequence__lt={last}" in page
    assert "at page 3" in console.get(f"{LIST}?sequence__lt={last}").content.decode()


@pytest.mark.parametrize(
    ("query", "found"), [("q=theirs", 2), ("did=added&q=theirs", 1), ("of=accounts.tenant&q=theirs", 2), ("by=key", 0)]
)
def test_it_can_be_searched_and_narrowed(console, two_tenants, query, found):
    assert len(console.get(f"{LIST}?{query}").context["cl"].result_list) == found
