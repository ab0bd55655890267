"""The page of a tenant's proxy settings: who may change what on it, and what that does."""

import pytest

from accounts import rights, tenant_settings
from accounts.models import AuditEntry, Operator, Profile, Tenant
from accounts.rights import NotAllowed
from accounts.roles import Right, Role
from routing import revision
from tests import factories
from tests.console.conftest import KEEPS_NOTHING

LIST = "/console/accounts/tenantsettings/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return factories.make_credential()


def page_of(tenant) -> str:
    return f"{LIST}{tenant.pk}/change/"


def signed_in(client, role, tenant=None):
    operator = Operator.objects.create_user("somebody", password="a long password for tests", is_staff=True)
    rights.grant(operator, role, tenant, by=None)
    operator.refresh_from_db()
    client.force_login(operator)
    return operator


def test_the_settings_of_a_tenant_are_saved_and_raise_the_revision(console, tenant, account):
    profile, before = Profile.objects.create(name="calm"), revision.number()
    fields = {
        "fast_mode": "always",
        "image_model": "gpt-x",
        "answer_with_alias": "on",
        "profile": str(profile.pk),
        "passthrough_account": str(account.pk),
        "bodies": "sampled",
        "bodies_percent": "25",
    }
    assert console.post(page_of(tenant), fields).status_code == 302
    saved = Tenant.objects.get(pk=tenant.pk)
    assert (saved.fast_mode, saved.image_model, saved.answer_with_alias) == ("always", "gpt-x", True)
    assert (saved.profile, saved.passthrough_account) == (profile, account)
    assert (saved.bodies, saved.bodies_percent) == ("sampled", 25)
    assert revision.number() > before


def test_one_tenant_leads_straight_to_its_settings_and_several_to_a_list(console, tenant):
    assert console.get(LIST).url == page_of(tenant)
    factories.make_tenant(name="Acme")
    assert "Acme" in console.get(LIST).text


def test_a_tenants_page_leads_to_its_settings(console, tenant):
    page = f"/console/accounts/tenant/{tenant.pk}/change/"
    assert f"/console/accounts/tenant/{tenant.pk}/settings" in console.get(page).text


def test_a_tenants_admin_changes_only_what_is_theirs(client, tenant, account):
    own, profile = factories.make_tenant(), Profile.objects.create(name="of the house")
    signed_in(client, Role.TENANT_ADMIN, own)
    page = client.get(page_of(own)).text
    assert "fast_mode" in page
    assert "of the house" not in page
    assert account.label not in page
    client.post(
        page_of(own),
        {"fast_mode": "asked", "profile": str(profile.pk), "passthrough_account": str(account.pk), **KEEPS_NOTHING},
    )
    own.refresh_from_db()
    assert (own.fast_mode, own.profile, own.passthrough_account) == ("asked", None, None)
    assert client.get(page_of(tenant)).status_code == 404
    assert client.post(page_of(tenant), {"fast_mode": "always"}).status_code == 404


def test_who_only_looks_changes_nothing(client, tenant):
    signed_in(client, Role.AUDITOR)
    assert client.get(page_of(tenant)).status_code == 200
    assert client.post(page_of(tenant), {"fast_mode": "always"}).status_code == 403
    assert not Tenant.objects.exclude(fast_mode="").exists()


def test_the_function_refuses_what_its_caller_may_not_see(tenant, account):
    who = rights.Who("key", None, "ci", own={tenant.pk: frozenset({Right.SETTINGS_READ, Right.SETTINGS_WRITE})})
    assert set(tenant_settings.read(tenant, by=who)) == {
        "fast_mode",
        "image_model",
        "answer_with_alias",
        "bodies",
        "bodies_percent",
    }
    assert tenant_settings.change(tenant.pk, {"fast_mode": "asked"}, by=who).fast_mode == "asked"
    for values in ({"passthrough_account": account}, {"slug": "new"}, {"is_active": False}):
        with pytest.raises(NotAllowed):
            tenant_settings.change(tenant.pk, values, by=who)
    with pytest.raises(NotAllowed):
        tenant_settings.change(factories.make_tenant().pk, {"fast_mode": "asked"}, by=who)


def test_a_change_of_settings_is_written_down(console, tenant):
    console.post(page_of(tenant), {"fast_mode": "always", **KEEPS_NOTHING})
    entry = AuditEntry.objects.filter(object_id=str(tenant.pk)).latest("sequence")
    assert "fast_mode" in str(entry.changes)
