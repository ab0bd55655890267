"""Signing in with OpenID Connect at a real server: PKCE, lists, roles, and what a lying issuer gets (security B4)."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import Operator, Tenant
from accounts.rights import Membership, Role, grant
from tests.signin.conftest import PASSWORD
from tests.signin.issuer import issuer as run_issuer

pytestmark = pytest.mark.django_db
BEGIN = "/console/login/with/oidc/"
ACCOUNT = "/console/account/"


@pytest.fixture(scope="module")
def running():
    with run_issuer() as server:
        yield server


@pytest.fixture
def issuer(running, settings):
    """The server, configured; whoever has an address at example.com may come in."""
    running.lies("")
    app = {
        "provider_id": "oidc",
        "name": "Corporate",
        "client_id": "proxx",
        "secret": "not checked there",
        "settings": {"server_url": running.address, "scope": ["openid", "email", "profile"], "groups_claim": "groups"},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    settings.PROXY_SIGN_IN_WAYS = {"oidc": "Corporate"}
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ("domain:example.com",)}
    running.knows("s-1", email="kim@example.com", email_verified=True, preferred_username="kim")
    return running


def way_of(client, **more):
    page = client.post(BEGIN, more)
    return unescape(re.search(r'content="0;url=([^"]+)"', page.content.decode())[1])


def come_in(client, issuer, subject="s-1", **more):
    answer = issuer.sign_in(way_of(client, **more), subject)
    back = urlsplit(answer.headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def is_in(client):
    return client.get(ACCOUNT).status_code == 200


def test_the_way_there_carries_state_nonce_and_a_pkce_challenge(client, issuer):
    asked = parse_qs(urlsplit(way_of(client)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["nonce"][0]) >= 32
    assert len(asked["state"][0]) >= 16
    assert asked["redirect_uri"] == ["http://testserver/console/login/with/oidc/callback/"]


def test_who_is_on_the_list_comes_in_as_a_new_operator_without_rights(client, issuer):
    assert come_in(client, issuer)["Location"] == "/console/"
    operator = Operator.objects.get(username="kim")
    assert (operator.is_staff, operator.is_superuser, operator.email) == (False, False, "kim@example.com")
    assert not operator.has_usable_password()
    assert b"No rights here yet" in client.get("/console/", follow=True).content


def test_the_second_time_it_is_the_same_operator(client, issuer):
    come_in(client, issuer)
    come_in(Client(), issuer)
    assert Operator.objects.count() == 1
    assert SocialAccount.objects.get().uid == f"{issuer.address} s-1"


def test_who_is_on_no_list_is_told_so_and_leaves_no_trace(client, issuer):
    issuer.knows("s-2", email="eve@elsewhere.org", email_verified=True)
    page = come_in(client, issuer, "s-2")
    assert page.status_code == 403
    assert b"eve@elsewhere.org" in page.content
    assert b"not on the list" in page.content
    assert not Operator.objects.exists()


def test_without_a_list_nobody_comes_in(client, issuer, settings):
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ()}
    assert come_in(client, issuer).status_code == 403


def test_who_is_struck_from_the_list_does_not_come_in_again(client, issuer, settings):
    come_in(client, issuer)
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ("user:somebody-else",)}
    assert come_in(Client(), issuer).status_code == 403


def test_an_address_that_is_not_verified_opens_nothing(client, issuer):
    issuer.knows("s-3", email="boss@example.com", email_verified=False)
    assert come_in(client, issuer, "s-3").status_code == 403


@pytest.mark.parametrize("verified", [True, False])
def test_an_e_mail_address_never_leads_to_an_operator_who_has_it_already(client, issuer, settings, verified):
    kim = Operator.objects.create_superuser("root", email="root@example.com", password=PASSWORD)
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ("everyone",)}
    issuer.knows("s-4", email="root@example.com", email_verified=verified, preferred_username="root")
    come_in(client, issuer, "s-4")
    newcomer = SocialAccount.objects.get().user
    assert newcomer.pk != kim.pk
    assert newcomer.username != "root"
    assert not newcomer.is_superuser


def test_groups_bring_roles_and_losing_a_group_takes_them_back(client, issuer, settings):
    Tenant.objects.create(slug="acme", name="Acme")
    entries = (
        "domain:example.com",
        "group:Ops=operator",
        "group:acme=tenant_admin@acme",
        "group:none=tenant_member@no",
    )
    settings.PROXY_SIGN_IN_LISTS = {"oidc": entries}
    issuer.knows("s-5", email="lee@example.com", email_verified=True, groups=["ops", "acme", "none"])
    come_in(client, issuer, "s-5")
    lee = SocialAccount.objects.get().user
    assert set(lee.memberships.values_list("role", "tenant__slug")) == {("operator", None), ("tenant_admin", "acme")}
    assert is_in(client)

    issuer.knows("s-5", email="lee@example.com", email_verified=True, groups=["acme"])
    again = Client()
    come_in(again, issuer, "s-5")
    assert set(lee.memberships.values_list("role", flat=True)) == {"tenant_admin"}
    assert is_in(again)
    assert not is_in(client)  # who loses a role signs in anew


def test_roles_that_somebody_gave_by_hand_stay(client, issuer, settings):
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ("domain:example.com", "group:ops=operator")}
    come_in(client, issuer)
    kim = SocialAccount.objects.get().user
    grant(kim, Role.BILLING, by=None)
    come_in(Client(), issuer)
    assert list(Membership.objects.values_list("role", flat=True)) == ["billing"]


LIES = ["nonce", "nonce-gone", "iss", "aud", "azp", "sub", "key", "unsigned", "stale"]


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_wrong_in_any_way_opens_nothing(client, issuer, lie):
    issuer.lies(lie)
    page = come_in(client, issuer)
    assert page.status_code == 401
    assert b"That did not work out" in page.content
    assert not Operator.objects.exists()


def test_an_answer_without_the_browser_s_own_state_is_refused(client, issuer):
    answer = issuer.sign_in(way_of(client), "s-1")
    back = urlsplit(answer.headers["Location"])
    assert Client().get(f"{back.path}?{back.query}").status_code == 401
    assert client.get(f"{back.path}?{back.query}").status_code == 302
    assert client.get(f"{back.path}?{back.query}").status_code == 401  # and it counts once


def test_an_answer_in_another_issuer_s_name_is_refused(client, issuer):
    answer = issuer.sign_in(way_of(client), "s-1")
    back = urlsplit(answer.headers["Location"])
    assert client.get(f"{back.path}?{back.query}&iss=https://evil.example").status_code == 401


def test_a_code_that_somebody_else_began_cannot_be_slipped_in(client, issuer):
    theirs = issuer.sign_in(way_of(Client()), "s-1")
    code = parse_qs(urlsplit(theirs.headers["Location"]).query)["code"][0]
    state = parse_qs(urlsplit(way_of(client)).query)["state"][0]
    assert client.get(f"{BEGIN}callback/", {"code": code, "state": state}).status_code == 401


def test_an_issuer_that_calls_itself_otherwise_is_not_asked(client, issuer, settings):
    own = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]
    own["server_url"] = f"{issuer.address}/.well-known/openid-configuration"
    assert client.post(BEGIN).status_code == 401


def test_an_issuer_that_is_away_is_no_crash(client, issuer, settings):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://localhost:1"
    assert client.post(BEGIN).status_code == 401


def test_an_operator_links_an_identity_while_signed_in_and_unlinks_it(client, issuer, kim):
    client.force_login(kim)
    come_in(client, issuer, link="1")
    assert SocialAccount.objects.get().user == kim
    other = Client()
    come_in(other, issuer)
    assert other.session["_auth_user_id"] == str(kim.pk)
    client.post("/console/account/identities/unlink/", {"identity": SocialAccount.objects.get().pk})
    assert not SocialAccount.objects.exists()


def test_linking_asks_again_who_is_there(clock, client, issuer, kim):
    client.force_login(kim)
    clock.advance(3600)
    assert client.post(BEGIN, {"link": "1"})["Location"].startswith("/console/confirm/")


def test_who_has_no_password_confirms_at_the_provider(clock, client, issuer, settings):
    settings.PROXY_SIGN_IN_LISTS = {"oidc": ("domain:example.com=operator",)}
    come_in(client, issuer)
    clock.advance(3600)
    asked = client.get("/console/account/app/", follow=True)
    assert b"Continue with Corporate" in asked.content
    way = way_of(client, next="/console/account/app/")
    assert parse_qs(urlsplit(way).query)["prompt"] == ["login"]
    assert come_in(client, issuer, next="/console/account/app/")["Location"] == "/console/account/app/"
    assert client.get("/console/account/app/").status_code == 200


def test_there_is_no_provider_but_those_configured(client, issuer):
    assert client.post("/console/login/with/github/").status_code == 404
    assert client.post("/console/login/with/other/").status_code == 404
    assert client.get(BEGIN).status_code == 405
