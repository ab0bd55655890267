"""Rights and roles: what follows from a membership, who may give which, and what ends with them."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts import keys, rights, role_pages
from accounts.key_memory import KeyHolder
from accounts.models import ApiKey, Limit, Membership, Operator, Tenant
from accounts.rights import Right, Role
from accounts.roles import EVERYTHING, NAMED_ONLY, OF_A_TENANT, ROLES, SAYS, right_for
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def other():
    return factories.make_tenant()


def who(role, tenant=None, **more):
    operator = factories.make_operator(role=None)
    rights.grant(operator, role, tenant, by=None, **more)
    return rights.of(Operator.objects.get(pk=operator.pk))


def test_every_role_says_what_it_may():
    assert set(ROLES) == set(SAYS) == set(Role)


def test_nobody_may_anything_without_a_role():
    operator = factories.make_operator(role=None)
    assert not any(rights.of(operator).may_open(right) for right in Right)
    assert not operator.has_perm("accounts.view_apikey")
    assert not operator.has_module_perms("accounts")


def test_raw_permissions_of_django_give_nothing():
    from django.contrib.auth.models import Permission

    operator = factories.make_operator(role=None)
    operator.user_permissions.set(Permission.objects.all())
    assert not Operator.objects.get(pk=operator.pk).has_perm("accounts.view_apikey")


@pytest.mark.parametrize("flag", ["is_active", "is_staff"])
def test_who_was_switched_off_may_nothing(flag):
    owner = factories.make_operator()
    setattr(owner, flag, False)
    assert rights.of(owner) is rights.NOBODY


def test_no_role_reads_what_was_said():
    assert all(not rights_of & NAMED_ONLY for rights_of in ROLES.values())
    assert not rights.of(factories.make_operator()).may(Right.BODIES_READ)
    assert who(Role.AUDITOR, reads_bodies=True).may(Right.BODIES_READ)


def test_an_auditor_changes_nothing():
    assert {right for right in ROLES[Role.AUDITOR] if not right.endswith(":read")} == set()


def test_a_role_of_a_tenant_holds_there_and_nowhere_else(tenant, other):
    admin = who(Role.TENANT_ADMIN, tenant)
    assert admin.may(Right.KEYS_WRITE, tenant.pk)
    assert not admin.may(Right.KEYS_WRITE, other.pk)
    assert not admin.may(Right.KEYS_WRITE)
    assert admin.tenants(Right.KEYS_WRITE) == {tenant.pk}
    assert admin.tenants(Right.CREDENTIALS_READ) == frozenset()
    assert who(Role.OPERATOR).tenants(Right.KEYS_WRITE) is None


def test_rows_of_other_tenants_are_not_there(tenant, other):
    mine, theirs = (factories.make_key(one).row for one in (tenant, other))
    admin = who(Role.TENANT_ADMIN, tenant)
    assert list(rights.scoped(ApiKey.objects.all(), admin, Right.KEYS_READ)) == [mine]
    assert list(rights.scoped(Tenant.objects.all(), admin, Right.TENANTS_READ, "pk")) == [tenant]
    Limit.objects.create(key=theirs, amount=1)
    limit = Limit.objects.create(key=mine, amount=1)
    assert list(rights.scoped(Limit.objects.all(), admin, Right.LIMITS_READ, "key__tenant")) == [limit]
    assert not rights.scoped(ApiKey.objects.all(), rights.NOBODY, Right.KEYS_READ).exists()
    assert rights.scoped(ApiKey.objects.all(), who(Role.AUDITOR), Right.KEYS_READ).count() == 2


def test_a_member_has_keys_of_their_own_only(tenant, other):
    operator = factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant)
    member = rights.of(operator)
    own, _ = keys.issue(tenant, label="own", created_by=operator)
    theirs = factories.make_key(tenant).row
    elsewhere, _ = keys.issue(other, label="from before", created_by=operator)
    assert list(rights.scoped(ApiKey.objects.all(), member, Right.KEYS_READ)) == [own]
    assert [rights.may_on(member, Right.KEYS_WRITE, key) for key in (own, theirs, elsewhere)] == [True, False, False]
    assert rights.may_on(member, Right.KEYS_WRITE, ApiKey(tenant=tenant))
    assert not rights.may_on(member, Right.KEYS_WRITE, ApiKey(tenant=other))


def test_looking_at_one_tenant_shows_nothing_of_another(tenant, other):
    owner = rights.of(factories.make_operator()).narrowed(tenant.pk)
    assert owner.tenants(Right.KEYS_READ) == {tenant.pk}
    assert not owner.may(Right.KEYS_READ, other.pk)
    assert who(Role.TENANT_ADMIN, tenant).narrowed(other.pk).tenants(Right.KEYS_READ) == frozenset()


@pytest.mark.parametrize(
    ("permission", "right"),
    [
        ("accounts.view_apikey", Right.KEYS_READ),
        ("accounts.delete_apikey", Right.KEYS_WRITE),
        ("accounts.run_apikey", Right.OPERATORS_WRITE),
        ("auth.view_group", Right.OPERATORS_WRITE),
        ("nonsense", Right.OPERATORS_WRITE),
    ],
)
def test_django_s_permissions_are_rights(permission, right):
    assert right_for(permission) == right


def test_what_has_no_line_is_an_owner_s_alone():
    assert factories.make_operator().has_perm("sessions.view_session")
    for role in set(Role) - OF_A_TENANT - {Role.OWNER}:
        assert not factories.make_operator(role=role).has_perm("sessions.view_session"), role


# Giving and taking


def test_a_role_stands_where_it_belongs(tenant):
    operator = factories.make_operator(role=None)
    with pytest.raises(ValidationError):
        rights.grant(operator, Role.TENANT_ADMIN, by=None)
    with pytest.raises(ValidationError):
        rights.grant(operator, Role.OWNER, tenant, by=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(operator=operator, role=Role.OWNER, tenant=tenant)


def test_a_role_is_had_once_and_asking_again_does_not_take_bodies_away(tenant):
    operator = factories.make_operator(role=None)
    rights.grant(operator, Role.AUDITOR, by=None, reads_bodies=True)
    rights.grant(operator, Role.AUDITOR, by=None)
    assert list(Membership.objects.values_list("role", "reads_bodies")) == [("auditor", True)]


@pytest.mark.parametrize("role", list(Role))
def test_nobody_gives_themselves_a_role(role, tenant):
    owner = factories.make_operator()
    with pytest.raises(PermissionDenied, match="own roles"):
        rights.grant(owner, role, tenant if role in OF_A_TENANT else None, by=rights.of(owner))


@pytest.mark.parametrize("giver", list(Role))
@pytest.mark.parametrize("given", list(Role))
@pytest.mark.parametrize("reads_bodies", [False, True])
def test_nobody_gives_what_they_lack(giver, given, reads_bodies, tenant):
    by = who(giver, tenant if giver in OF_A_TENANT else None)
    place = tenant if given in OF_A_TENANT else None
    allowed = not reads_bodies and (
        giver == Role.OWNER or (giver == Role.TENANT_ADMIN and given in {Role.TENANT_ADMIN, Role.TENANT_MEMBER})
    )
    target = factories.make_operator(role=None)
    if allowed:
        assert rights.grant(target, given, place, by=by).pk
    else:
        with pytest.raises(rights.NotAllowed):
            rights.grant(target, given, place, by=by, reads_bodies=reads_bodies)
        assert not target.memberships.exists()


def test_who_reads_bodies_may_let_others_read_them(tenant):
    by = who(Role.TENANT_ADMIN, tenant, reads_bodies=True)
    target = factories.make_operator(role=None)
    assert rights.grant(target, Role.TENANT_MEMBER, tenant, by=by, reads_bodies=True).reads_bodies
    assert rights.of(target).tenants(Right.BODIES_READ) == {tenant.pk}


def test_a_tenant_admin_says_nothing_about_another_tenant(tenant, other):
    by, target = who(Role.TENANT_ADMIN, tenant), factories.make_operator(role=Role.TENANT_MEMBER, tenant=other)
    with pytest.raises(rights.NotAllowed):
        rights.grant(target, Role.TENANT_MEMBER, other, by=by)
    with pytest.raises(rights.NotAllowed):
        rights.withdraw(target.memberships.get(), by=by)
    assert target.memberships.count() == 1


def test_a_role_that_was_taken_away_is_gone_at_once_and_its_sign_ins_with_it(client):
    operator = factories.make_operator(role=Role.OPERATOR)
    client.force_login(operator)
    assert client.get("/console/accounts/apikey/").status_code == 200
    rights.withdraw(operator.memberships.get(), by=rights.of(factories.make_operator()))
    answer = client.get("/console/accounts/apikey/")
    assert (answer.status_code, answer["Location"].startswith("/console/login/")) == (302, True)
    client.force_login(Operator.objects.get(pk=operator.pk))
    assert client.get("/console/accounts/apikey/").status_code == 403


def test_a_role_changed_by_hand_ends_sign_ins_too(client, tenant):
    operator = factories.make_operator(role=Role.AUDITOR)
    client.force_login(operator)
    Membership.objects.create(operator=operator, role=Role.TENANT_MEMBER, tenant=tenant)
    assert client.get("/console/").status_code == 302


# Keys


def test_a_key_may_what_its_scopes_say_in_its_own_tenant(tenant, other):
    holder = KeyHolder(None, tenant.pk, tenant.slug, "ci", frozenset({"proxy:use", "control:read"}), None, "key")
    reader = rights.of_key(holder)
    assert reader.tenants(Right.KEYS_READ) == {tenant.pk}
    assert not reader.may_somewhere(Right.KEYS_WRITE)
    plain = rights.of_key(KeyHolder(None, tenant.pk, tenant.slug, "ci", frozenset({"proxy:use"}), None, "key"))
    assert not any(plain.may_open(right) for right in Right)
    writer = rights.of_key(KeyHolder(None, tenant.pk, tenant.slug, "ci", frozenset({"control:write"}), None, "key"))
    assert writer.may(Right.KEYS_WRITE, tenant.pk)
    assert not writer.may(Right.KEYS_WRITE, other.pk)
    assert not writer.may_somewhere(Right.MEMBERS_WRITE)


def test_the_admin_token_is_an_owner_who_reads_no_bodies(settings):
    settings.PROXY_AUTH_TOKEN = "a token of the house, long enough"
    holder = keys.remembered(settings.PROXY_AUTH_TOKEN)
    assert rights.of_key(holder).house == EVERYTHING - NAMED_ONLY


# The command, and the manual


def test_the_command_gives_and_takes_a_role(tenant, capsys):
    operator = factories.make_operator(role=None, username="kim")
    place = {"role": "tenant_admin", "tenant": tenant.slug}
    call_command("grant_role", "kim", **place, reads_bodies=True)
    assert rights.of(operator).may(Right.BODIES_READ, tenant.pk)
    call_command("grant_role", "kim", **place, take=True)
    assert not operator.memberships.exists()
    assert "no longer tenant admin in " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("nobody", {"role": "owner"}, "no operator"),
        ("kim", {"role": "owner", "tenant": "nowhere"}, "no tenant"),
        ("kim", {"role": "tenant_admin"}, "Choose the tenant"),
        ("kim", {"role": "owner", "take": True}, "is not owner"),
    ],
)
def test_the_command_says_what_is_in_the_way(name, options, said):
    factories.make_operator(role=None, username="kim")
    with pytest.raises(CommandError, match=said):
        call_command("grant_role", name, **options)


def test_the_manual_says_what_the_roles_say(settings):
    page = (settings.BASE_DIR / "docs" / "operators.md").read_text()
    assert page == role_pages.operators_page(), "run manage.py render_docs"
