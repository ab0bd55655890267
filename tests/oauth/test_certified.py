"""Signing in at a certified OpenID Connect server of somebody else's: with a browser, and with a code by RFC 8628."""

import pytest

from accounts.models import Operator
from oauth import pending, providers
from oauth.models import OAuthAccount, PendingLogin
from proxx.kit import clock
from tests.oauth.people import away, begun, come_back, text
from tests.signin.certified import SECRET, Person, certified

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

BACK = "http://localhost:1455/auth/callback"
PAGE = "/console/connect/at/certified/"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with certified(tmp_path_factory.mktemp("oidc"), BACK) as running:
        yield running


@pytest.fixture
def kim(client, server, monkeypatch):
    """Kim's browser at a console that offers to sign in there."""
    entry = providers.SignIn(
        name="certified",
        provider_id="openai",
        label="Certified",
        client_id="accounts",
        client_secret=SECRET,
        authorize_url=f"{server.address}/auth",
        token_url=f"{server.address}/token",
        redirect_uri=BACK,
        scope="openid email",
        device="rfc8628",
        device_start_url=f"{server.address}/device/auth",
        device_poll_url=f"{server.address}/token",
    )
    monkeypatch.setattr(providers, "_ENTRIES", (lambda: entry,))
    client.force_login(Operator.objects.create_superuser("kim", password=None))
    return client


def test_with_a_browser(kim, server):
    flow = begun(kim, PAGE)
    with Person(until=BACK) as person:
        person.go(away(kim, flow))
        person.sign_in_there("kim")
        answer = come_back(kim, person.sent_to)
    assert "is connected to Certified" in text(answer)
    assert OAuthAccount.objects.get().subject == "kim"
    assert {"granted": True} in server.said()


def test_with_a_code(kim, server):
    flow = begun(kim, PAGE, "device")
    held = pending.opened(PendingLogin.objects.get())
    with clock.stopped() as stopped:
        assert kim.post(f"{flow}state/").json()["over"] is False
        with Person() as person:
            person.go(held.away)
            person.send("/device")  # what the page sends by itself
            person.send("/device", confirm="yes")
            person.sign_in_there("robin")
        stopped.advance(10)
        assert kim.post(f"{flow}state/").json()["over"] is True
    assert "is connected" in text(kim.get(flow))
    assert OAuthAccount.objects.get().subject == "robin"
