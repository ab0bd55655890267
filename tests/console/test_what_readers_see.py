"""What those see who may look at a page but not do everything on it; and pages of what went wrong."""

import pytest
from django.conf import settings as django_settings
from django.template.loader import get_template

from accounts.models import Limit, Operator
from accounts.rights import Role, grant


@pytest.fixture
def billing(client, db):
    kim = Operator.objects.create_user("kim", password="a long password for tests", is_staff=True)
    grant(kim, Role.BILLING, None, by=None)
    client.force_login(Operator.objects.get(pk=kim.pk))
    return client


@pytest.fixture
def auditor(client, db):
    kim = Operator.objects.create_user("kim", password="a long password for tests", is_staff=True)
    grant(kim, Role.AUDITOR, None, by=None)
    client.force_login(Operator.objects.get(pk=kim.pk))
    return client


def test_who_changes_prices_finds_them_in_the_menu(billing):
    page = billing.get("/console/").content.decode()
    assert "/console/routing/factsetting/" in page
    assert billing.get("/console/routing/factsetting/").status_code == 200


def test_who_sees_models_finds_prices_there_and_not_in_the_menu(console):
    assert "/console/routing/factsetting/" not in console.get("/console/").content.decode()


def test_every_button_of_a_tenants_page_opens_for_who_sees_it(billing, tenant):
    page = f"/console/accounts/tenant/{tenant.pk}/"
    text = billing.get(f"{page}change/").content.decode()
    assert f"{page}settings" not in text
    if f"{page}history/" in text:
        assert billing.get(f"{page}history/").status_code == 200


def test_readers_see_the_amount_of_a_limit_as_editors_type_it(auditor, tenant):
    Limit.objects.create(tenant=tenant, kind="money_month", amount=12_340_000_000)
    text = auditor.get(f"/console/accounts/tenant/{tenant.pk}/change/").content.decode()
    assert ">12.34<" in "".join(text.split())


def test_a_list_is_titled_by_what_is_on_it_and_an_empty_one_says_so(console):
    text = console.get("/console/accounts/apikey/").content.decode()
    assert "Keys | proxx" in text
    assert "No keys yet" in text
    assert "reset your filters" not in text
    assert "No keys match" in console.get("/console/accounts/apikey/?q=nothing").content.decode()


def test_a_refused_and_a_missing_page_lead_back_to_the_console(billing, console_faults):
    for path, status in console_faults:
        answer = billing.get(path)
        text = answer.content.decode()
        assert answer.status_code == status, path
        assert 'href="/console/"' in text
        assert "<script" not in text


@pytest.fixture
def console_faults():
    return (("/console/routing/policyrule/", 403), ("/console/no-such-page/", 404))


def test_a_form_without_its_token_and_a_fault_of_ours_have_pages_of_their_own(client, db):
    client.handler.enforce_csrf_checks = True
    assert "open too long" in client.post("/console/login/", {"login": "x", "password": "y"}).content.decode()
    assert "Something broke" in get_template("500.html").render()
    assert django_settings.DEBUG is False
