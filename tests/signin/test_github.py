"""Signing in with GitHub: who may, and that it is asked with PKCE. GitHub itself is played by canned answers."""

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount

from proxx.settings.sign_in import SOCIALACCOUNT_PROVIDERS

pytestmark = pytest.mark.django_db
BEGIN = "/console/login/with/github/"


class GitHub:
    """What GitHub would say of whoever signs in."""

    def __init__(self):
        self.user = {"id": 583231, "login": "Octocat", "name": "Mona"}
        self.emails = [{"email": "mona@example.com", "primary": True, "verified": True}]
        self.orgs = []
        self.asked = []

    def answer(self, method, url, **sent):
        self.asked.append((url, sent))
        said = {
            "https://github.com/login/oauth/access_token": {"access_token": "gho_x", "token_type": "bearer"},
            "https://api.github.com/user": self.user,
            "https://api.github.com/user/emails": self.emails,
            "https://api.github.com/user/orgs?per_page=100": self.orgs,
        }[url]
        response = requests.Response()
        response.status_code, response._content = 200, json.dumps(said).encode()
        response.headers["content-type"] = "application/json"
        return response


@pytest.fixture
def github(settings, monkeypatch):
    app = {"client_id": "proxx", "secret": "s", "name": "GitHub"}
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {**SOCIALACCOUNT_PROVIDERS["github"], "APPS": [app]}}
    settings.PROXY_SIGN_IN_WAYS = {"github": "GitHub"}
    settings.PROXY_SIGN_IN_LISTS = {"github": ("user:octocat",)}
    playing = GitHub()
    monkeypatch.setattr(requests.Session, "request", lambda _, method, url, **sent: playing.answer(method, url, **sent))
    return playing


def come_in(client):
    page = client.post(BEGIN).content.decode()
    way = unescape(re.search(r'content="0;url=([^"]+)"', page)[1])
    asked = parse_qs(urlsplit(way).query)
    assert way.startswith("https://github.com/login/oauth/authorize?")
    assert asked["code_challenge_method"] == ["S256"]
    return client.get(f"{BEGIN}callback/", {"code": "c", "state": asked["state"][0]})


def test_who_is_allowed_by_name_comes_in_and_others_do_not(client, github):
    assert come_in(client).status_code == 302
    made = SocialAccount.objects.get()
    assert (made.uid, made.user.username, made.user.email) == ("583231", "Octocat", "mona@example.com")
    assert github.asked[0][1]["data"]["code_verifier"]
    github.user = {"id": 1, "login": "mallory"}
    assert come_in(client).status_code == 403


def test_a_name_that_somebody_else_took_over_is_not_the_same_operator(client, github):
    come_in(client)
    github.user = {**github.user, "id": 999}
    come_in(client)
    assert SocialAccount.objects.count() == 2
    assert len({account.user_id for account in SocialAccount.objects.all()}) == 2


def test_a_number_stays_when_names_change(client, github, settings):
    settings.PROXY_SIGN_IN_LISTS = {"github": ("user:id:583231",)}
    github.user = {**github.user, "login": "renamed"}
    assert come_in(client).status_code == 302


def test_members_of_an_organisation_come_in(client, github, settings):
    settings.PROXY_SIGN_IN_LISTS = {"github": ("org:Acme=auditor",)}
    assert come_in(client).status_code == 403
    github.orgs = [{"login": "acme"}]
    assert come_in(client).status_code == 302
    assert list(SocialAccount.objects.get().user.memberships.values_list("role", flat=True)) == ["auditor"]


def test_an_address_that_github_has_not_verified_is_none(client, github, settings):
    settings.PROXY_SIGN_IN_LISTS = {"github": ("domain:example.com",)}
    github.emails = [{"email": "mona@example.com", "primary": True, "verified": False}]
    assert come_in(client).status_code == 403


def test_no_token_of_github_is_kept(client, github):
    from allauth.socialaccount.models import SocialToken

    come_in(client)
    assert not SocialToken.objects.exists()
    assert "gho_x" not in json.dumps(SocialAccount.objects.get().extra_data)
