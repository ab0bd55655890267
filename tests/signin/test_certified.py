"""Signing in at a certified OpenID Connect server that insists on PKCE, over real sockets (security B4)."""

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import Operator
from tests import static_files
from tests.ports import free_port
from tests.signin.certified import SECRET, Person, certified

pytestmark = pytest.mark.slow
BEGIN = "/console/login/with/oidc/"
BACK = f"{BEGIN}callback/"


@pytest.fixture
def person():
    with Person() as somebody:
        yield somebody


@pytest.fixture
def house(start_proxx, tmp_path):
    """A running proxx and the server it knows; whoever is in `ops` may come in as an operator."""
    static_files.collect()
    port = free_port()
    proxx = start_proxx(
        env={
            "PROXY_OIDC_ISSUER": f"http://localhost:{port}",
            "PROXY_OIDC_CLIENT_ID": "proxx",
            "PROXY_OIDC_CLIENT_SECRET": SECRET,
            "PROXY_OIDC_NAME": "Corporate",
            "PROXY_OIDC_ALLOWED": "group:ops=operator",
        }
    )
    console = f"http://localhost:{proxx.port}/console/"
    with certified(tmp_path, f"http://localhost:{proxx.port}{BACK}", port=port) as server:
        yield console, server


def test_a_person_signs_in_by_the_button_there_and_back(house, person):
    console, server = house
    person.go(f"{console}login/")
    assert "Continue with Corporate" in person.page.text
    person.send(BEGIN)
    assert person.address.startswith(f"{server.address}/interaction/")
    person.sign_in_there("kim+ops")
    assert (person.address, person.page.status_code) == (console, 200)
    person.go(f"{console}account/")
    assert "kim+ops" in person.page.text
    assert {"granted": True} in server.said()

    person.browser.cookies.delete("proxx_session")
    person.go(f"{console}login/")
    person.send(BEGIN)  # signed in there already: nothing is asked
    assert (person.address, person.page.status_code) == (console, 200)


def test_who_is_on_no_list_is_sent_away_after_a_good_sign_in_there(house, person):
    console, server = house
    person.go(f"{console}login/")
    person.send(BEGIN)
    person.sign_in_there("eve")
    assert (person.page.status_code, {"granted": True} in server.said()) == (403, True)
    person.go(f"{console}account/")
    assert person.address.startswith(f"{console}login/")


@pytest.fixture
def server(tmp_path, settings, db):
    """The server, known to the console inside the test, where one can spoil what a browser's session holds."""
    with certified(tmp_path, f"http://testserver{BACK}") as running:
        own = {"server_url": running.address, "scope": ["openid", "email", "profile"], "groups_claim": "groups"}
        app = {"provider_id": "oidc", "name": "Corporate", "client_id": "proxx", "secret": SECRET, "settings": own}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        settings.PROXY_SIGN_IN_WAYS = {"oidc": "Corporate"}
        settings.PROXY_SIGN_IN_LISTS = {"oidc": ("domain:example.com",)}
        yield running


def way_of(client):
    return unescape(re.search(r'content="0;url=([^"]+)"', client.post(BEGIN).content.decode())[1])


def back_from(way):
    """Sign in there in a browser of one's own; return the query that it brings back."""
    with Person(until="http://testserver") as person:
        person.go(way)
        person.sign_in_there("kim")
        return urlsplit(person.sent_to).query


def spoil(client, name, value):
    """Change what the session keeps of the attempt to sign in."""
    session = client.session
    (state,) = session["socialaccount_states"].values()
    assert name in state[0]
    state[0][name] = value
    session.save()


def test_without_lies_it_opens_the_console(client, server):
    assert client.get(f"{BACK}?{back_from(way_of(client))}")["Location"] == "/console/"
    assert SocialAccount.objects.get().uid == f"{server.address} kim"


def test_a_code_with_another_verifier_is_worth_nothing_to_the_server(client, server):
    query = back_from(way_of(client))
    spoil(client, "pkce_code_verifier", "x" * 64)
    assert client.get(f"{BACK}?{query}").status_code == 401
    assert {
        "refused": "grant",
        "fault": "invalid_grant",
        "why": "code_verifier does not match code_challenge",
    } in server.said()
    assert not Operator.objects.exists()


def test_the_server_takes_nobody_without_a_pkce_challenge(client, server):
    parts = urlsplit(way_of(client))
    asked = {name: one for name, (one,) in parse_qs(parts.query).items() if not name.startswith("code_challenge")}
    with Person(until="http://testserver") as person:
        person.go(urlunsplit(parts._replace(query=urlencode(asked))))
        query = urlsplit(person.sent_to).query
    assert parse_qs(query)["error"] == ["invalid_request"]
    assert client.get(f"{BACK}?{query}").status_code == 401


def test_an_id_token_for_another_attempt_is_refused(client, server):
    query = back_from(way_of(client))
    spoil(client, "nonce", "of another attempt")
    assert client.get(f"{BACK}?{query}").status_code == 401
    assert {"granted": True} in server.said()
    assert not Operator.objects.exists()


def test_an_answer_to_another_state_is_refused_before_the_server_is_asked(client, server):
    query = back_from(way_of(client))
    other = Client()
    way_of(other)
    assert other.get(f"{BACK}?{query}").status_code == 401
    assert {"granted": True} not in server.said()
