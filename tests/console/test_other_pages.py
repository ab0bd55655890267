"""Tenants, operators, the front door, the sidebar, and what all pages say to the browser."""

import re

import pytest
from django.conf import settings as configured
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import keys
from accounts.audit_entry import AuditEntry
from accounts.models import DEFAULT_TENANT_ID, Operator, Tenant
from accounts.rights import Role
from tests import factories
from tests.console.conftest import NO_ROLES, OF_A_TENANT

pytestmark = pytest.mark.django_db
TENANTS = "/console/accounts/tenant/"
OPERATORS = "/console/accounts/operator/"


def queries_of(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


# Tenants


def test_a_tenant_is_added_and_its_short_name_is_fixed_from_then_on(console):
    fields = {"name": "Acme", "slug": "acme", "is_active": "on"}
    assert console.post(f"{TENANTS}add/", fields).status_code == 302
    tenant = Tenant.objects.get(slug="acme")
    console.post(f"{TENANTS}{tenant.pk}/change/", {"name": "Acme Ltd", "slug": "other", **OF_A_TENANT})
    tenant.refresh_from_db()
    assert (tenant.name, tenant.slug, tenant.is_active) == ("Acme Ltd", "acme", False)


def test_an_upper_case_short_name_is_refused_with_a_sentence(console):
    response = console.post(f"{TENANTS}add/", {"name": "Acme", "slug": "Acme"})
    assert b"lower-case" in response.content


def test_the_default_tenant_can_be_neither_switched_off_nor_deleted(console):
    page = f"{TENANTS}{DEFAULT_TENANT_ID}/"
    console.post(f"{page}change/", {"name": "House", **OF_A_TENANT})
    assert Tenant.objects.get(pk=DEFAULT_TENANT_ID).is_active
    assert console.post(f"{page}delete/", {"post": "yes"}).status_code == 403


def test_a_tenant_is_deletable_only_before_its_first_key(console):
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    keys.revoke(keys.issue(tenant, label="x")[0])
    assert console.post(f"{TENANTS}{tenant.pk}/delete/", {"post": "yes"}).status_code == 403
    other = Tenant.objects.create(slug="mistake", name="Mistake")
    assert console.post(f"{TENANTS}{other.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Tenant.objects.filter(slug="mistake").exists()


def test_the_tenant_list_counts_active_keys_in_one_query(console, tenant):
    few = queries_of(console, TENANTS)
    for number in range(10):
        other = Tenant.objects.create(slug=f"t{number}", name=f"T {number}")
        keys.issue(other, label="on")
        keys.revoke(keys.issue(other, label="off")[0])
    assert queries_of(console, TENANTS) == few <= 8
    counted = console.get(TENANTS, {"q": "T 3"}).context["cl"].queryset
    assert [row.key_count for row in counted] == [1]


def test_nothing_changed_saves_nothing(console, tenant, monkeypatch):
    from accounts.models import Tenant as Model

    monkeypatch.setattr(Model, "save", lambda *_, **__: pytest.fail("saved"))
    page = f"{TENANTS}{tenant.pk}/change/"
    assert console.post(page, {"name": tenant.name, **OF_A_TENANT}).status_code == 302


# Operators


def test_an_operator_is_added_and_may_sign_in(console, client):
    fields = {
        "username": "kim",
        "password1": "quite a long phrase",
        "password2": "quite a long phrase",
        **NO_ROLES,
    }
    assert console.post(f"{OPERATORS}add/", fields).status_code == 302
    kim = Operator.objects.get(username="kim")
    assert (kim.is_staff, kim.is_superuser, kim.check_password("quite a long phrase")) == (True, False, True)


@pytest.mark.parametrize("password", ["short", "password1234", "kimkimkimkim"])
def test_a_weak_password_is_refused(console, password):
    fields = {"username": "kimkimkimkim", "password1": password, "password2": password}
    assert console.post(f"{OPERATORS}add/", fields).status_code == 200
    assert not Operator.objects.filter(username="kimkimkimkim").exists()


def test_nobody_edits_their_own_rights(console, operator):
    page = f"{OPERATORS}{operator.pk}/change/"
    assert console.post(page, {"username": "root", "email": "root@example.com", **NO_ROLES}).status_code == 302
    operator.refresh_from_db()
    assert (operator.is_superuser, operator.is_staff, operator.is_active) == (True, True, True)
    assert operator.email == "root@example.com"


def test_only_an_owner_changes_operators(client):
    kim = factories.make_operator(role=Role.OPERATOR)
    client.force_login(kim)
    assert client.get("/console/accounts/apikey/").status_code == 200
    for path in (OPERATORS, f"{OPERATORS}add/", f"{OPERATORS}{kim.pk}/change/", f"{OPERATORS}{kim.pk}/password/"):
        assert client.get(path).status_code == 403, path
    assert client.post(f"{OPERATORS}{kim.pk}/change/", {"username": "kim", "is_superuser": "on"}).status_code == 403


def test_operators_are_never_deleted_and_a_new_password_can_be_set(console, django_user_model):
    kim = django_user_model.objects.create_user("kim", is_staff=True)
    assert console.post(f"{OPERATORS}{kim.pk}/delete/", {"post": "yes"}).status_code == 403
    way = console.get(f"{OPERATORS}{kim.pk}/new-password/", follow=True)
    assert way.status_code == 200
    secret = "another long phrase"
    console.post(way.redirect_chain[-1][0], {"password1": secret, "password2": secret})
    kim.refresh_from_db()
    assert kim.check_password(secret)
    assert secret not in "".join(AuditEntry.objects.values_list("changes", flat=True))


def test_the_operator_list_takes_the_same_queries_however_long_it_is(console, django_user_model):
    few = queries_of(console, OPERATORS)
    for number in range(10):
        django_user_model.objects.create_user(f"operator{number}")
    assert queries_of(console, OPERATORS) == few <= 8


# The whole console


def test_every_place_in_the_sidebar_exists(console):
    for group in configured.UNFOLD["SIDEBAR"]["navigation"]:
        for item in group["items"]:
            assert console.get(item["link"], follow=True).status_code == 200, item["link"]


def test_the_sidebar_shows_only_what_one_may_see(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    page = client.get("/console/").content.decode()
    assert 'href="/console/accounts/apikey/"' not in page
    assert 'href="/console/accounts/operator/"' not in page


def test_without_signing_in_there_is_only_the_sign_in_page(client):
    for path in ("/console/", TENANTS, OPERATORS, "/console/accounts/apikey/add/"):
        response = client.get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/console/login/")
    page = client.get("/console/login/")
    assert page.status_code == 200
    assert b"Sign in to proxx" in page.content


def test_a_wrong_sign_in_says_the_same_whoever_it_was(client, operator):
    said = set()
    for name in ("root", "nobody"):
        page = client.post("/console/login/", {"login": name, "password": "wrong"})
        said.add(re.sub(rf'value="{name}"|name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode()))
    assert len(said) == 1


def test_every_page_says_where_its_parts_may_come_from(client, console):
    for path in ("/console/", "/console/login/", TENANTS, "/console/no/such/page/"):
        policy = console.get(path)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script-src 'self' 'unsafe-eval';" in policy
    assert "no-store" in console.get(TENANTS)["Cache-Control"]
    assert console.get(TENANTS)["X-Frame-Options"] == "DENY"


def test_no_page_holds_an_inline_script_or_handler_of_ours(console, tenant):
    keys.issue(tenant, label="x")
    for path in ("/console/login/", TENANTS, "/console/accounts/apikey/", "/console/accounts/apikey/add/"):
        page = console.get(path, follow=True).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>(?!\s*[\[{\"])\s*\S", page), path
        assert not re.search(r"\son(click|load|error|submit)=", page), path


async def test_the_headers_are_there_asynchronously_too(async_client):
    response = await async_client.get("/console/login/")
    assert "Content-Security-Policy" in response.headers


def test_only_the_console_gets_the_console_s_headers(client):
    assert "Content-Security-Policy" not in client.get("/").headers


def test_the_bare_address_sends_browsers_to_the_console_and_tells_others_it_lives(client):
    browser = client.get("/", headers={"accept": "text/html,*/*;q=0.8"})
    assert (browser.status_code, browser["Location"]) == (302, "/console/")
    assert client.get("/").content == b"Ollama is running"
    assert client.head("/").status_code == 200
    assert client.post("/").status_code == 405


def test_the_icon_of_old_browsers_is_ours(client):
    location = client.get("/favicon.ico")["Location"]
    assert finders.find(location.removeprefix("/static/"))
