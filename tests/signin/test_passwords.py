"""Signing in with name and password: who gets in, what is said, and what stops those who guess (security B2)."""

import pytest
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import Operator
from accounts.signin.adapter import TOO_MANY, WRONG
from tests.signin.conftest import LOGIN, PASSWORD

pytestmark = pytest.mark.django_db
ELSEWHERE = "203.0.113.9"


def guess(browser, times, name="kim", **more):
    answers = [browser.post(LOGIN, {"login": name, "password": f"wrong {n}"}, **more) for n in range(times)]
    return answers[-1].content.decode()


def test_name_and_password_open_the_console(client, sign_in):
    assert sign_in()["Location"] == "/console/"
    assert client.get("/console/").status_code == 200


def test_signing_in_leads_back_to_the_page_one_asked_for_and_never_to_another_site(client, sign_in, kim):
    assert client.get("/console/account/")["Location"] == f"{LOGIN}?next=/console/account/"
    answer = client.post(f"{LOGIN}?next=/console/account/", {"login": "kim", "password": PASSWORD})
    assert answer["Location"] == "/console/account/"
    away = Client().post(f"{LOGIN}?next=https://evil.example/", {"login": "kim", "password": PASSWORD})
    assert away["Location"] == "/console/"


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, sign_in):
    assert WRONG in guess(client, 5)
    assert TOO_MANY in guess(client, 1)
    assert TOO_MANY in sign_in().content.decode()
    assert client.get("/console/").status_code == 302


def test_a_lock_out_holds_in_every_process_because_it_is_in_the_database(client):
    from django.core.cache import caches

    assert type(caches["default"]).__name__ == "DatabaseCache"


def test_wrong_passwords_from_elsewhere_do_not_lock_an_operator_out(client, sign_in):
    assert TOO_MANY in guess(Client(REMOTE_ADDR=ELSEWHERE), 6)
    assert sign_in().status_code == 302


def test_a_lock_out_ends_slowly(client, sign_in, monkeypatch):
    import time

    began = time.time()
    guess(client, 5)
    monkeypatch.setattr("time.time", lambda: began + 590)
    assert sign_in().status_code == 200
    monkeypatch.setattr("time.time", lambda: began + 700)
    assert sign_in().status_code == 302


def test_a_lock_out_of_a_name_that_does_not_exist_looks_the_same(client):
    assert WRONG in guess(client, 5, name="nobody")
    assert TOO_MANY in guess(client, 1, name="nobody")


def test_signing_in_with_the_right_password_does_not_wipe_the_wrong_ones(client, sign_in):
    guess(client, 4)
    assert sign_in(Client()).status_code == 302
    assert WRONG in guess(client, 1)
    assert TOO_MANY in guess(client, 1)


def test_an_operator_who_is_switched_off_is_told_no_more_than_a_stranger(client, sign_in, kim):
    Operator.objects.filter(pk=kim.pk).update(is_active=False)
    assert WRONG in sign_in().content.decode()


def test_passwords_are_stored_with_argon2id():
    from django.contrib.auth.hashers import Argon2PasswordHasher

    import proxx.settings.base as base

    assert base.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    assert Argon2PasswordHasher().encode("x" * 12, "saltsaltsalt").startswith("argon2$argon2id$")


@pytest.mark.parametrize("password", ["elevenchars", "password1234", "123456789012"])
def test_short_and_common_passwords_are_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password)


def test_nobody_signs_up(client):
    assert get_adapter().is_open_for_signup(None) is False
    assert client.get("/console/signup/").status_code == 302  # to the sign-in page, as every unknown page
    assert settings.LOGIN_URL == LOGIN


def test_who_is_signed_in_without_rights_is_told_so(client, sign_in, kim):
    Operator.objects.filter(pk=kim.pk).update(is_staff=False)
    page = client.get(sign_in()["Location"], follow=True)
    assert page.status_code == 403
    assert b"No rights here yet" in page.content
    assert page.redirect_chain
    assert client.post("/console/logout/")["Location"] == LOGIN
