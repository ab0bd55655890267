"""Who may sign in from outside, on a page of the console: only for owners, written down, and read at each sign-in."""

import pytest
from django.urls import reverse

from accounts.models import AdmissionEntry, AuditEntry
from accounts.rights import Role
from accounts.signin import step_up
from tests import factories

LIST, ADD = reverse("admin:accounts_admissionentry_changelist"), reverse("admin:accounts_admissionentry_add")
KIM = {"provider": "github", "entry": " user:Kim=operator "}


@pytest.fixture(autouse=True)
def _github(settings, monkeypatch):
    settings.PROXY_SIGN_IN_WAYS = {"github": "GitHub"}
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: True)


def test_an_entry_is_added_and_removed_and_both_are_written_down(console):
    assert console.post(ADD, KIM).status_code == 302
    row = AdmissionEntry.objects.get()
    assert row.entry == "user:Kim=operator"
    assert "user:Kim=operator" in console.get(LIST).content.decode()
    assert (
        console.post(reverse("admin:accounts_admissionentry_delete", args=(row.pk,)), {"post": "yes"}).status_code
        == 302
    )
    actions = AuditEntry.objects.filter(kind="accounts.admissionentry").order_by("sequence")
    assert [one.action for one in actions] == ["added", "deleted"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"entry": "kim"}, "must be user:"),
        ({"entry": "group:x=boss"}, "is no role"),
        ({"entry": "group:x=owner"}, "PROXY_SIGN_IN_GRANTS_OWNER"),
        ({"provider": "oidc"}, "valid choice"),
    ],
)
def test_an_entry_that_means_nothing_is_refused_with_a_sentence(console, said, why):
    answer = console.post(ADD, KIM | said)
    assert why in answer.content.decode()
    assert not AdmissionEntry.objects.exists()


def test_an_entry_is_on_the_list_once(console):
    console.post(ADD, KIM)
    assert "on the list already" in console.post(ADD, KIM | {"entry": "user:kim=operator"}).content.decode()


def test_it_asks_again_who_is_there(console, monkeypatch):
    monkeypatch.setattr(step_up, "is_recent", lambda *_, **__: False)
    assert "/confirm/" in console.post(ADD, KIM)["Location"]
    assert not AdmissionEntry.objects.exists()


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_nobody_but_an_owner_sees_it(client, role, db):
    client.force_login(factories.make_operator(role=role))
    assert client.get(LIST).status_code == 403
