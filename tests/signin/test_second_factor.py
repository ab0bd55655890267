"""Authenticator apps and recovery codes: getting one, using one, how they lie in the database (security B3)."""

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from accounts.models import Operator
from accounts.signin import second_factor
from proxx.kit.sealing import SealBroken, is_sealed
from tests.signin.codes import shown
from tests.signin.conftest import PASSWORD

pytestmark = pytest.mark.django_db
APP = "/console/account/app/"
CODE = "/console/login/code/"
ACCOUNT = "/console/account/"
NOW = 1_800_000_000.0


@pytest.fixture
def moment(monkeypatch):
    """Time in allauth's hands: `moment(60)` lets a minute pass."""
    at = [NOW]
    monkeypatch.setattr(time, "time", lambda: at[0])

    def pass_by(seconds):
        at[0] += seconds
        return at[0]

    return pass_by


@pytest.fixture
def enrolled(moment, client, sign_in):
    """Kim with an authenticator app: its secret and the recovery codes that were shown."""
    sign_in()
    page = client.get(APP).content.decode()
    secret = re.search(r'id="totp-secret">([A-Z2-7 ]+)<', page)[1]
    codes = client.post(APP, {"code": shown(secret, NOW)}).content.decode()
    moment(300)
    return secret, re.findall(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}", codes)


def second_step(moment, sign_in, code):
    browser = Client()
    assert sign_in(browser)["Location"] == CODE
    assert browser.get(ACCOUNT).status_code == 302
    answer = browser.post(CODE, {"code": code})
    return browser, answer


def test_enrolling_shows_ten_recovery_codes_once(client, enrolled):
    _, codes = enrolled
    assert len(set(codes)) == 10
    page = client.get(ACCOUNT).content.decode()
    assert "10 left" in page
    assert not any(code in page for code in codes)


def test_a_wrong_first_code_enrols_nothing(moment, client, sign_in, kim):
    sign_in()
    client.get(APP)
    assert second_factor.WRONG_CODE in client.post(APP, {"code": "000000"}).content.decode()
    assert not second_factor.has_one(kim)


def test_with_an_app_the_password_alone_opens_nothing_and_its_code_does(moment, sign_in, enrolled):
    browser, answer = second_step(moment, sign_in, shown(enrolled[0], moment(0)))
    assert answer["Location"] == "/console/"
    assert browser.get(ACCOUNT).status_code == 200


def test_a_code_works_once_for_as_long_as_its_time_lasts(moment, sign_in, enrolled, kim):
    code = shown(enrolled[0], moment(0))
    second_step(moment, sign_in, code)
    moment(31)
    cache.delete(f"allauth.mfa.totp.used?user={kim.pk}&code={code}")  # allauth forgets it after half a minute
    browser, answer = second_step(moment, sign_in, code)
    assert second_factor.WRONG_CODE in answer.content.decode()
    assert browser.get(ACCOUNT).status_code == 302


def test_an_old_code_is_refused(moment, sign_in, enrolled):
    _, answer = second_step(moment, sign_in, shown(enrolled[0], moment(0) - 90))
    assert answer.status_code == 200


def test_guessing_codes_is_stopped_whatever_address_they_come_from(moment, sign_in, enrolled):
    for guess in range(5):
        browser = Client(REMOTE_ADDR=f"203.0.113.{guess}")
        sign_in(browser)
        browser.post(CODE, {"code": f"{guess:06}"})
    _, answer = second_step(moment, sign_in, shown(enrolled[0], moment(0)))
    assert b"Too many" in answer.content


def test_a_recovery_code_replaces_the_app_once(moment, client, sign_in, enrolled):
    code = enrolled[1][3]
    browser, _ = second_step(moment, sign_in, code.lower().replace("-", " "))
    assert "9 left" in browser.get(ACCOUNT).content.decode()
    _, again = second_step(moment, sign_in, code)
    assert second_factor.WRONG_CODE in again.content.decode()


def test_of_recovery_codes_only_digests_are_kept(enrolled):
    kept = json.dumps(Authenticator.objects.get(type="recovery_codes").data)
    assert not any(code in kept or code.replace("-", "") in kept for code in enrolled[1])
    assert len(re.findall(r"[0-9a-f]{64}", kept)) == 10


def test_the_secret_of_an_app_is_sealed_and_belongs_to_its_operator(enrolled, kim):
    secret, _ = enrolled
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert is_sealed(kept)
    adapter = second_factor.SecondFactorAdapter()
    with second_factor.belonging_to(kim):
        assert adapter.decrypt(kept) == secret.replace(" ", "")
    with second_factor.belonging_to(Operator(username="other")), pytest.raises(SealBroken):
        adapter.decrypt(kept)


def test_new_recovery_codes_void_the_old_ones(moment, client, sign_in, enrolled):
    client.post("/console/account/recovery-codes/")
    _, answer = second_step(moment, sign_in, enrolled[1][0])
    assert second_factor.WRONG_CODE in answer.content.decode()


def test_removing_the_last_second_factor_removes_the_recovery_codes_too(client, enrolled, kim):
    assert client.post(f"{APP}remove/").status_code == 302
    assert not Authenticator.objects.filter(user=kim).exists()


def test_with_a_second_factor_the_password_alone_confirms_nothing(clock, client, enrolled, moment):
    clock.advance(3600)
    assert client.get(f"{APP}remove/")["Location"].startswith("/console/confirm/?next=")
    by_password = client.post("/console/confirm/?next=/console/account/app/remove/", {"password": PASSWORD})
    assert by_password["Location"] == "/console/confirm/code/?next=%2Fconsole%2Faccount%2Fapp%2Fremove%2F"
    assert client.get(f"{APP}remove/").status_code == 302
    confirmed = client.post(by_password["Location"], {"code": shown(enrolled[0], moment(0))})
    assert confirmed["Location"] == "/console/account/app/remove/"
    assert client.get(f"{APP}remove/").status_code == 200


def test_adding_a_second_factor_asks_again_who_is_there(clock, client, sign_in):
    sign_in()
    clock.advance(16 * 60)
    for page in (APP, "/console/account/passkeys/add/"):
        assert client.get(page)["Location"].startswith("/console/confirm/")


def test_nobody_removes_another_s_passkey(client, kim):
    key = Authenticator.objects.create(user=kim, type="webauthn", data={"name": "hers", "credential": {}})
    client.force_login(Operator.objects.create_superuser("root", password=PASSWORD))
    assert client.post(f"/console/account/passkeys/{key.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_no_page_of_the_admin_lists_second_factors_or_sessions(client):
    client.force_login(Operator.objects.create_superuser("root", password=PASSWORD))
    for page in ("mfa/authenticator/", "usersessions/usersession/", "account/emailaddress/"):
        assert client.get(f"/console/{page}").status_code == 404
