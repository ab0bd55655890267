"""Own tenants only, in numbers and filters too; and one of several at a time."""

import pytest
from django.urls import reverse

from accounts import active_tenant, rights
from accounts.models import Operator, Tenant
from accounts.rights import Right, Role
from accounts.roles import OF_A_TENANT
from analytics import dashboard
from analytics.rows import insert
from tests import factories
from tests.analytics.records import record

pytestmark = pytest.mark.django_db
SWITCH = "/console/active-tenant/"
KEYS = "/console/accounts/apikey/"


@pytest.fixture(autouse=True)
def _fresh():
    dashboard.forget()
    yield
    dashboard.forget()


@pytest.fixture
def two():
    made = [factories.make_tenant(name=name) for name in ("Acme", "Zenith")]
    for tenant in made:
        factories.make_key(tenant, label=f"key of {tenant.name}")
        insert([record(tenant_id=tenant.pk, model_requested=f"asked-{tenant.slug}")])
    return made


def page(client, path):
    return client.get(path).content.decode()


def test_numbers_rows_and_filters_name_only_ones_own_tenants(client, two):
    acme, zenith = two
    client.force_login(factories.make_operator(role=Role.TENANT_ADMIN, tenant=acme))
    for path in ("/console/", "/console/analytics/requestlog/", KEYS, "/console/accounts/tenant/", f"{KEYS}add/"):
        shown = page(client, path)
        assert "Acme" in shown, path
        assert "Zenith" not in shown, path
        assert zenith.slug not in shown, path
    numbers = client.get(reverse("admin:analytics_requestlog_live")).json()
    assert [call["requested"] for call in numbers["calls"]] == [f"asked-{acme.slug}"]
    assert numbers["counts"]["requests"] == 1
    assert (numbers["in_flight"], numbers["alarms"]) == (None, [])


def test_two_operators_do_not_share_a_reading_of_different_tenants(client, two):
    for tenant in (None, *two):
        role = Role.OWNER if tenant is None else Role.TENANT_MEMBER
        client.force_login(factories.make_operator(role=role, tenant=tenant))
        numbers = client.get(reverse("admin:analytics_requestlog_live")).json()
        assert numbers["counts"]["requests"] == (2 if tenant is None else 1)


def test_a_key_is_issued_for_ones_own_tenant_only(client, two):
    acme, zenith = two
    client.force_login(factories.make_operator(role=Role.TENANT_MEMBER, tenant=acme))
    refused = client.post(f"{KEYS}add/", {"tenant": zenith.pk, "label": "sly", "lifetime": "", "calls": "all"})
    assert b"Select a valid choice" in refused.content
    assert not zenith.keys.filter(label="sly").exists()
    assert (
        client.post(f"{KEYS}add/", {"tenant": acme.pk, "label": "mine", "lifetime": "", "calls": "all"}).status_code
        == 200
    )
    assert "mine" in page(client, KEYS)
    assert "key of Acme" not in page(client, KEYS)


def test_actions_reach_only_what_one_may_change(client, two):
    acme, _ = two
    operator = factories.make_operator(role=Role.TENANT_ADMIN, tenant=acme)
    rights.grant(operator, Role.AUDITOR, by=None)
    client.force_login(Operator.objects.get(pk=operator.pk))
    chosen = [str(tenant.keys.get().pk) for tenant in two]
    form = {"action": "revoke_selected", "_selected_action": chosen, "confirmed": "1"}
    client.post(KEYS, form)
    assert [tenant.keys.get().revoked_at is None for tenant in two] == [False, True]


def test_billing_changes_limits_and_nothing_else(client, two):
    key = two[0].keys.get()
    client.force_login(factories.make_operator(role=Role.BILLING))
    row = {"kind": "requests_minute", "quantity": "5", "model": "", "enabled": "on"}
    form = {"limits-TOTAL_FORMS": "1", "limits-INITIAL_FORMS": "0", "label": "renamed"}
    page_of_key = f"{KEYS}{key.pk}/change/"
    answer = client.post(page_of_key, {**form, **{f"limits-0-{name}": value for name, value in row.items()}})
    assert answer.status_code == 302
    key.refresh_from_db()
    assert (key.label, key.limits.get().amount) == ("key of Acme", 5)
    assert client.post(f"{KEYS}{key.pk}/revoke/").status_code == 403


def test_a_tenant_admin_sees_the_tenant_s_limits_and_sets_those_of_its_keys(client, two):
    acme = two[0]
    client.force_login(factories.make_operator(role=Role.TENANT_ADMIN, tenant=acme))
    acme.limits.create(kind="requests_minute", amount=7)
    shown = page(client, f"/console/accounts/tenant/{acme.pk}/change/")
    assert "Requests per minute" in shown
    assert 'name="limits-0-quantity"' not in shown
    assert client.post(f"/console/accounts/tenant/{acme.pk}/change/", {}).status_code == 403
    assert 'name="limits-__prefix__-quantity"' in page(client, f"{KEYS}{acme.keys.get().pk}/change/")


@pytest.mark.parametrize(
    ("role", "scope", "given"),
    [
        (Role.TENANT_MEMBER, "control:write", False),
        (Role.TENANT_MEMBER, "control:read", False),
        (Role.TENANT_MEMBER, "proxy:files", False),
        (Role.TENANT_ADMIN, "proxy:files", False),
        (Role.TENANT_ADMIN, "control:write", True),
        (Role.OPERATOR, "proxy:files", True),
    ],
)
def test_nobody_gives_a_key_what_they_may_not_do(client, two, role, scope, given):
    acme = two[0]
    client.force_login(factories.make_operator(role=role, tenant=acme if role in OF_A_TENANT else None))
    fields = {"tenant": acme.pk, "label": "mine", "lifetime": "", "calls": "all", "beside": [scope]}
    refusals = (b"You cannot give a key", b"is not one of the available choices")
    shown = client.post(f"{KEYS}add/", fields).content
    assert any(words in shown for words in refusals) != given
    assert acme.keys.filter(label="mine").exists() == given
    if not given:
        client.post(f"{KEYS}add/", {**fields, "beside": []})
        key = acme.keys.get(label="mine")
        client.post(f"{KEYS}{key.pk}/change/", {**fields, "limits-TOTAL_FORMS": 0, "limits-INITIAL_FORMS": 0})
        assert acme.keys.get(label="mine").scopes == ["proxy:use"]


# The choice


def test_an_owner_looks_at_one_tenant_until_they_look_at_all_again(console, two):
    acme, _ = two
    assert "key of Zenith" in page(console, KEYS)
    answer = console.post(SWITCH, {"tenant": str(acme.pk), "next": KEYS})
    assert (answer.status_code, answer["Location"]) == (302, KEYS)
    shown = page(console, KEYS)
    assert "key of Acme" in shown
    assert "key of Zenith" not in shown
    assert console.get(f"{KEYS}{two[1].keys.get().pk}/change/").status_code == 404
    assert console.get(reverse("admin:analytics_requestlog_live")).json()["counts"]["requests"] == 1
    console.post(SWITCH, {"tenant": "", "next": KEYS})
    assert "key of Zenith" in page(console, KEYS)


@pytest.mark.parametrize("tenant", ["other", "nonsense", "00000000-0000-4000-8000-00000000dead"])
def test_a_tenant_that_is_not_ones_own_cannot_be_chosen(client, two, tenant):
    client.force_login(factories.make_operator(role=Role.TENANT_ADMIN, tenant=two[0]))
    assert client.post(SWITCH, {"tenant": str(two[1].pk) if tenant == "other" else tenant}).status_code == 404
    assert active_tenant.CHOSEN not in client.session


def test_a_choice_is_worth_nothing_once_the_tenant_is_lost(two):
    operator = factories.make_operator(role=Role.TENANT_ADMIN, tenant=two[0])
    kept = {active_tenant.CHOSEN: str(two[1].pk)}
    who = active_tenant.narrowed(kept, rights.of(operator))
    assert who.tenants(Right.KEYS_READ) == {two[0].pk}


def test_the_choice_is_offered_to_those_who_have_one(client, console, two):
    assert 'id="active-tenant"' in page(console, KEYS)
    client.force_login(factories.make_operator(role=Role.TENANT_ADMIN, tenant=two[0]))
    assert 'id="active-tenant"' not in page(client, KEYS)


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/console/no/such/", ""])
def test_the_way_back_stays_here(console, two, path):
    assert console.post(SWITCH, {"tenant": "", "next": path})["Location"] == "/console/"


def test_looking_changes_nothing(console):
    assert console.get(SWITCH).status_code == 405
    assert Tenant.objects.exists()
