"""Members and roles: given by those who have them, in their own tenants, to others."""

import pytest

from accounts import rights
from accounts.models import Membership, Operator
from accounts.rights import Right, Role
from accounts.signin import step_up
from tests import factories
from tests.console.conftest import NO_ROLES

pytestmark = pytest.mark.django_db
MEMBERS = "/console/accounts/membership/"
OPERATORS = "/console/accounts/operator/"


@pytest.fixture
def other():
    return factories.make_tenant(name="Elsewhere")


@pytest.fixture
def kim():
    return factories.make_operator(role=None, username="kim", email="kim@example.com")


@pytest.fixture(autouse=True)
def _no_step_up(monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)


def signed_in(client, role, tenant=None, **more):
    operator = factories.make_operator(role=None)
    rights.grant(operator, role, tenant, by=None, **more)
    client.force_login(Operator.objects.get(pk=operator.pk))
    return operator


def role_form(operator, **row):
    form = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"}
    kept = {"username": operator.username, "email": operator.email, "is_active": "on"}
    return {**kept, **form, **{f"memberships-0-{name}": value for name, value in row.items()}}


def test_a_tenant_admin_adds_somebody_by_name_or_mail(client, tenant, kim):
    signed_in(client, Role.TENANT_ADMIN, tenant)
    for person, role in (("kim", "tenant_member"), ("KIM@example.com", "tenant_admin")):
        fields = {"person": person, "role": role, "tenant": str(tenant.pk)}
        assert client.post(f"{MEMBERS}add/", fields).status_code == 302
    assert set(kim.memberships.values_list("role", "tenant")) == {
        ("tenant_member", tenant.pk),
        ("tenant_admin", tenant.pk),
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"person": "nobody-here"}, "No operator here has this name"),
        ({"role": "owner"}, "Select a valid choice"),
        ({"role": "auditor"}, "Select a valid choice"),
        ({"tenant": "other"}, "Select a valid choice"),
        ({"tenant": ""}, "required"),
        ({"role": ""}, "required"),
    ],
)
def test_what_a_tenant_admin_cannot_give_is_refused_with_a_sentence(client, tenant, other, kim, changes, said):
    signed_in(client, Role.TENANT_ADMIN, tenant)
    fields = {"person": "kim", "role": "tenant_member", "tenant": str(tenant.pk), "reads_bodies": "on", **changes}
    fields["tenant"] = str(other.pk) if fields["tenant"] == "other" else fields["tenant"]
    assert said in client.post(f"{MEMBERS}add/", fields).content.decode()
    assert not kim.memberships.exists()


def test_who_cannot_read_bodies_cannot_let_others_read_them(client, tenant, kim):
    signed_in(client, Role.TENANT_ADMIN, tenant)
    fields = {"person": "kim", "role": "tenant_member", "tenant": str(tenant.pk), "reads_bodies": "on"}
    assert 'name="reads_bodies"' not in client.get(f"{MEMBERS}add/").content.decode()
    client.post(f"{MEMBERS}add/", fields)
    assert not kim.memberships.get().reads_bodies


def test_who_reads_bodies_may_let_others_read_them(client, tenant, kim):
    signed_in(client, Role.TENANT_ADMIN, tenant, reads_bodies=True)
    fields = {"person": "kim", "role": "tenant_member", "tenant": str(tenant.pk), "reads_bodies": "on"}
    client.post(f"{MEMBERS}add/", fields)
    assert rights.of(kim).may(Right.BODIES_READ, tenant.pk)


def test_nobody_adds_themselves(client, tenant):
    admin = signed_in(client, Role.TENANT_ADMIN, tenant)
    fields = {"person": admin.username, "role": "tenant_member", "tenant": str(tenant.pk)}
    assert "Nobody changes their own roles" in client.post(f"{MEMBERS}add/", fields).content.decode()
    assert admin.memberships.count() == 1


def test_the_same_role_twice_is_told(client, tenant, kim):
    signed_in(client, Role.TENANT_ADMIN, tenant)
    fields = {"person": "kim", "role": "tenant_member", "tenant": str(tenant.pk)}
    client.post(f"{MEMBERS}add/", fields)
    assert "have this role there already" in client.post(f"{MEMBERS}add/", fields).content.decode()


def test_a_tenant_admin_sees_and_removes_members_of_their_own_tenant_only(client, tenant, other):
    admin = signed_in(client, Role.TENANT_ADMIN, tenant)
    mine = factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant).memberships.get()
    theirs = factories.make_operator(role=Role.TENANT_MEMBER, tenant=other).memberships.get()
    own, house = admin.memberships.get(), factories.make_operator(role=Role.AUDITOR).memberships.get()
    page = client.get(MEMBERS).content.decode()
    assert mine.operator.username in page
    assert theirs.operator.username not in page
    assert "Elsewhere" not in page
    status = {row: client.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}).status_code for row in
              (mine, theirs, own, house)}  # fmt: skip
    assert list(status.values()) == [302, 404, 403, 404]
    assert set(Membership.objects.all()) == {theirs, own, house}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_who_only_looks_at_members_changes_none(client, tenant, role):
    signed_in(client, role)
    row = factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant).memberships.get()
    assert client.get(f"{MEMBERS}{row.pk}/change/").status_code == 200
    assert client.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{MEMBERS}add/", {}).status_code == 403


def test_an_owner_gives_and_takes_roles_on_an_operator_s_page(console, kim, tenant):
    page = f"{OPERATORS}{kim.pk}/change/"
    assert console.post(page, role_form(kim, role="billing", tenant="")).status_code == 302
    assert kim.memberships.get().role == "billing"
    row = kim.memberships.get()
    taken = {"memberships-INITIAL_FORMS": "1", "memberships-0-operator": str(kim.pk)}
    answer = console.post(page, {**role_form(kim, id=str(row.pk), DELETE="on"), **taken})
    assert answer.status_code == 302
    assert not kim.memberships.exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"role": "tenant_admin", "tenant": ""}, "Choose the tenant"),
        ({"role": "owner", "tenant": "own"}, "holds for the whole house"),
    ],
)
def test_a_role_in_the_wrong_place_is_refused_with_a_sentence(console, kim, tenant, row, said):
    row = {**row, "tenant": str(tenant.pk) if row["tenant"] else ""}
    assert said in console.post(f"{OPERATORS}{kim.pk}/change/", role_form(kim, **row)).content.decode()
    assert not kim.memberships.exists()


def test_an_owner_cannot_let_anybody_read_bodies_without_reading_them(console, kim):
    console.post(f"{OPERATORS}{kim.pk}/change/", role_form(kim, role="auditor", tenant="", reads_bodies="on"))
    assert not kim.memberships.get().reads_bodies


def test_nobody_gives_themselves_a_role_on_their_own_page(console, operator):
    console.post(f"{OPERATORS}{operator.pk}/change/", role_form(operator, role="auditor", tenant=""))
    assert not operator.memberships.exists()


def test_nobody_sets_the_password_of_somebody_who_may_do_more(client, kim):
    signed_in(client, Role.OWNER)
    rights.grant(kim, Role.AUDITOR, by=None, reads_bodies=True)
    form = {"password1": "another long phrase", "password2": "another long phrase"}
    assert client.post(f"{OPERATORS}{kim.pk}/password/", form).status_code == 403


def test_an_auditor_sees_operators_and_changes_none(client, kim):
    signed_in(client, Role.AUDITOR)
    assert "kim" in client.get(OPERATORS).content.decode()
    page = client.get(f"{OPERATORS}{kim.pk}/change/")
    assert page.status_code == 200
    assert b'name="username"' not in page.content
    assert client.post(f"{OPERATORS}{kim.pk}/change/", role_form(kim, role="owner")).status_code == 403
    form = {"password1": "another long phrase", "password2": "another long phrase"}
    assert client.post(f"{OPERATORS}{kim.pk}/password/", form).status_code == 403


def test_raw_permissions_are_not_offered(console, kim):
    page = console.get(f"{OPERATORS}{kim.pk}/change/").content.decode()
    assert "user_permissions" not in page
    fields = {"username": "kim", "email": kim.email, "is_active": "on", "is_superuser": "on", **NO_ROLES}
    console.post(f"{OPERATORS}{kim.pk}/change/", fields)
    kim.refresh_from_db()
    assert not kim.is_superuser
