"""Signing in with a code that somebody types elsewhere, at OpenAI and at Factory; and Factory's own pages."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.models import Credential, Operator
from oauth import pending
from oauth.models import OAuthAccount, PendingLogin
from proxx.kit import clock
from tests.oauth.people import FACTORY, PAGE, agree, away, begun, come_back, nothing_stored, text
from tests.upstreams.signin_pages import IssuerWithPages

pytestmark = pytest.mark.django_db


@pytest.fixture
def issuer(settings):
    with IssuerWithPages() as issuer:
        for name, value in issuer.environment.items():
            setattr(settings, name, value)
        yield issuer


@pytest.fixture
def kim(client):
    operator = Operator.objects.create_superuser("kim", password=None)
    client.force_login(operator)
    return client


def looked(browser, flow):
    return browser.post(f"{flow}state/").json()


def device_row():
    return PendingLogin.objects.get(method="device")


@pytest.mark.parametrize("page", [PAGE, FACTORY])
def test_a_code_is_typed_elsewhere_and_the_account_is_connected(kim, issuer, page):
    flow = begun(kim, page, "device")
    code = pending.opened(device_row()).user_code
    assert code in text(kim.get(flow))
    with clock.stopped() as stopped:
        assert looked(kim, flow)["over"] is False
        issuer.approve(code, email="kim@example.com", subject="sub-kim")
        stopped.advance(2)
        issuer.devices[next(iter(issuer.devices))].asked_at = 0.0
        assert looked(kim, flow) == {"over": True, "wait": 4}
    assert "kim@example.com is connected" in text(kim.get(flow))
    assert OAuthAccount.objects.get().email == "kim@example.com"
    assert next(iter(issuer.devices)) not in text(kim.get(flow))  # the device code stays ours


def test_looks_that_come_too_fast_ask_nobody(kim, issuer):
    flow = begun(kim, FACTORY, "device")
    for _ in range(5):
        assert looked(kim, flow)["over"] is False
    assert issuer.polls == 1


def test_a_provider_that_wants_it_slower_is_asked_five_seconds_later(kim, issuer):
    flow = begun(kim, FACTORY, "device")
    with clock.stopped() as stopped:
        looked(kim, flow)
        stopped.advance(1.5)  # our interval is over; by the issuer's own clock no time has passed
        looked(kim, flow)
        assert issuer.too_fast == 1
        assert device_row().interval == 6
        stopped.advance(5)
        looked(kim, flow)
        assert issuer.polls == 2
        stopped.advance(1.5)
        looked(kim, flow)
        assert issuer.polls == 3


@pytest.mark.parametrize("page", [PAGE, FACTORY])
def test_a_code_that_is_refused_ends_the_sign_in(kim, issuer, page):
    flow = begun(kim, page, "device")
    next(iter(issuer.devices.values())).refused = True
    assert looked(kim, flow)["over"] is True
    assert "did not agree" in text(kim.get(flow))
    assert nothing_stored()


def test_a_code_that_nobody_typed_in_time_is_over(kim, issuer):
    issuer.lasts = 60
    flow = begun(kim, FACTORY, "device")
    assert device_row().ends_at - device_row().begun_at == timedelta(seconds=60)
    with clock.stopped() as stopped:
        stopped.advance(61)
        assert looked(kim, flow)["over"] is True
    assert "The time for this sign-in is over" in text(kim.get(flow))
    assert issuer.polls == 0


def test_an_issuer_that_gives_no_code_is_told_on_the_page(kim, issuer):
    issuer.client_id = "another"
    answer = kim.post(f"{PAGE}begin/", {"method": "device"})
    assert answer.status_code == 400
    assert "Who are you?" in text(answer)
    assert not PendingLogin.objects.exists()


# Factory's browser


def test_factory_is_come_back_to_at_its_own_address(kim, issuer):
    flow = begun(kim, FACTORY)
    address = away(kim, flow)
    asked = parse_qs(urlsplit(address).query)
    assert asked["redirect_uri"] == ["http://testserver/auth/factory/callback"]
    assert asked["provider"] == ["authkit"]
    assert "kim@example.com is connected to Factory" in text(come_back(kim, agree(address)))
    assert Credential.objects.get().account_id == "factory-sub-kim@example.com"
