"""What is written down and told when somebody signs in, fails to, or changes how they do (security B2, B9)."""

import threading

import pytest
from django.core import mail
from django.test import Client

from accounts.audit_entry import AuditEntry
from accounts.signin import alerts
from tests.signin.conftest import LOGIN, PASSWORD

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Mail is sent by the caller's own thread."""
    monkeypatch.setattr(threading.Thread, "start", lambda self: self._target(*self._args))


def told():
    return list(AuditEntry.objects.order_by("sequence").values_list("action", "actor_name", "object_name"))


def test_a_sign_in_is_written_down_as_its_operator_s(sign_in):
    sign_in()
    assert ("signed in", "kim", "kim") in told()


def test_a_new_browser_is_told_by_mail_and_a_known_one_is_not(client, sign_in):
    client.defaults["HTTP_USER_AGENT"] = FIREFOX
    sign_in()
    assert [message.to for message in mail.outbox] == [["kim@example.com"]]
    assert "Firefox on Linux" in mail.outbox[0].body
    client.post("/console/logout/")
    sign_in()
    assert len(mail.outbox) == 1
    sign_in(Client())
    assert len(mail.outbox) == 2


def test_the_mark_of_a_known_browser_cannot_be_made_up(client, sign_in, kim):
    client.cookies[alerts.KNOWN] = f"{kim.pk}:forged:forged"
    sign_in()
    assert len(mail.outbox) == 1


def test_wrong_passwords_are_written_down_and_too_many_are_told_once(client, kim):
    for guess in range(8):
        client.post(LOGIN, {"login": "kim", "password": f"wrong {guess}"})
    actions = [action for action, _, name in told() if name == "kim"]
    assert actions.count("sign-in failed") == 5
    assert actions.count("sign-in locked") == 1
    assert [message.subject for message in mail.outbox] == ["proxx: Too many wrong passwords"]


def test_guesses_at_names_that_do_not_exist_leave_no_entry(client):
    for _ in range(7):
        client.post(LOGIN, {"login": "nobody", "password": "wrong"})
    assert told() == []
    assert mail.outbox == []


def test_no_password_is_in_any_entry_or_mail(client, sign_in, kim):
    client.post(LOGIN, {"login": "kim", "password": "guessed-secret"})
    sign_in()
    everything = f"{list(AuditEntry.objects.values_list())} {[message.body for message in mail.outbox]}"
    assert PASSWORD not in everything
    assert "guessed-secret" not in everything


def test_without_mail_configured_nothing_is_sent(sign_in, settings):
    settings.EMAIL_BACKEND = alerts.NO_MAIL
    sign_in()
    assert mail.outbox == []
