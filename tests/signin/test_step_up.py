"""What is dangerous asks again who is there (security B3)."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.models import Operator
from accounts.rights import Role, grant
from accounts.signin.step_up import requires_step_up
from tests import factories
from tests.signin.conftest import PASSWORD

pytestmark = pytest.mark.django_db
CONFIRM = "/console/confirm/"
DANGEROUS = (
    "/console/accounts/credential/add/",
    "/console/accounts/operator/add/",
    "/console/accounts/membership/add/",
    "/console/routing/providersetting/add/",
)


@pytest.fixture
def root(client):
    operator = Operator.objects.create_superuser("root", password=PASSWORD)
    client.force_login(operator)
    return operator


@pytest.mark.parametrize("page", DANGEROUS)
def test_a_dangerous_page_asks_again_after_fifteen_minutes(clock, client, root, page):
    assert client.get(page).status_code == 200
    clock.advance(16 * 60)
    assert client.get(page)["Location"] == f"{CONFIRM}?next={page.replace('/', '%2F')}"
    back = client.post(f"{CONFIRM}?next={page}", {"password": PASSWORD})
    assert back["Location"] == page
    assert client.get(page).status_code == 200


def test_deleting_asks_again_too(clock, client, root, kim):
    rows = [factories.make_credential(), kim, grant(kim, Role.AUDITOR, by=None)]
    clock.advance(3600)
    for row in rows:
        page = f"/console/accounts/{row._meta.model_name}/{row.pk}/delete/"
        assert client.get(page)["Location"].startswith(CONFIRM)
        assert client.post(page, {"post": "yes"})["Location"].startswith(CONFIRM)
        assert type(row).objects.filter(pk=row.pk).exists()


def test_a_wrong_password_opens_nothing(clock, client, root):
    clock.advance(16 * 60)
    said = client.post(f"{CONFIRM}?next={DANGEROUS[0]}", {"password": "wrong"})
    assert b"not your password" in said.content
    assert client.get(DANGEROUS[0]).status_code == 302


def test_a_form_that_was_opened_in_time_may_still_be_sent_but_not_for_ever(clock, client, root):
    fields = {"username": "lee", "password1": PASSWORD + "!", "password2": PASSWORD + "!", "is_staff": "on"}
    fields |= {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    clock.advance(20 * 60)
    client.post(DANGEROUS[1], fields)
    assert Operator.objects.filter(username="lee").exists()
    clock.advance(10 * 60)
    late = client.post(DANGEROUS[1], {**fields, "username": "max"})
    assert late["Location"].startswith(CONFIRM)
    assert not Operator.objects.filter(username="max").exists()


def test_what_was_sent_too_late_is_kept_nowhere(clock, client, root):
    clock.advance(3600)
    client.post(DANGEROUS[0], {"provider_id": "openai", "secret": "sk-very-secret"})
    assert "sk-very-secret" not in str(dict(client.session))


def test_harmless_pages_do_not_ask(clock, client, root):
    clock.advance(3600)
    for page in ("/console/", "/console/accounts/credential/", "/console/accounts/operator/", "/console/account/"):
        assert client.get(page).status_code == 200


def test_any_view_can_be_marked_as_dangerous(clock, client, root, rf: RequestFactory):
    view = requires_step_up(lambda request: HttpResponse("did it"))
    request = rf.get("/console/export/?all=1")
    request.user, request.session = root, client.session
    assert view(request).content == b"did it"
    clock.advance(16 * 60)
    assert view(request)["Location"] == f"{CONFIRM}?next=%2Fconsole%2Fexport%2F%3Fall%3D1"
