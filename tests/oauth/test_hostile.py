"""Sign-ins that somebody bends: other providers' accounts and states, odd names, odd codes, rows that go meanwhile."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from accounts.models import Credential, Operator
from accounts.rights import Role
from oauth import keeping, pending, providers
from oauth.flows import browser as by_browser
from oauth.identity import Identity
from oauth.models import OAuthAccount, PendingLogin
from oauth.tokens import read
from proxx.kit import clock
from tests.factories import make_operator, make_tenant
from tests.oauth.people import FACTORY, PAGE, agree, away, begun, come_back, nothing_stored, text
from tests.upstreams.signin import jwt
from tests.upstreams.signin_pages import IssuerWithPages

pytestmark = pytest.mark.django_db

MARKUP = "<img src=x onerror=alert(1)>\"'@example.com"


@pytest.fixture
def issuer(settings):
    with IssuerWithPages() as issuer:
        for name, value in issuer.environment.items():
            setattr(settings, name, value)
        yield issuer


@pytest.fixture
def factory(settings):
    """An issuer of its own for Factory."""
    with IssuerWithPages() as issuer:
        settings.FACTORY_OAUTH_ISSUER = issuer.origin
        yield issuer


@pytest.fixture
def kim(client):
    operator = Operator.objects.create_superuser("kim", password=None)
    client.force_login(operator)
    return client


def asked(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


# Whose sign-in, whose account


def test_a_code_goes_to_the_issuer_of_its_state_only(kim, issuer, factory):
    mine, theirs = away(kim, begun(kim)), away(kim, begun(kim, FACTORY))
    code, state = asked(agree(mine))["code"], asked(theirs)["state"]
    answer = kim.get(f"/console/connect/back/?{urlencode({'code': code, 'state': state})}")
    assert "This code is not good" in text(answer)
    assert (issuer.exchanges, factory.exchanges) == (0, 0)
    assert nothing_stored()
    assert "/oauth/token" not in {one.path for one in issuer.seen}


def test_an_account_of_another_provider_cannot_be_signed_in_to_again(kim, issuer):
    come_back(kim, agree(away(kim, begun(kim, FACTORY))))
    there = Credential.objects.get()
    assert kim.get(f"{PAGE}?account={there.pk}").status_code == 404
    for method in ("browser", "device"):
        assert kim.post(f"{PAGE}begin/", {"method": method, "account": str(there.pk)}).status_code == 404
    brings = {"what": "token", "access": "a-token-of-somebody", "account": str(there.pk)}
    assert kim.post(f"{PAGE}bring/", brings).status_code == 404
    account = OAuthAccount.objects.get()
    who = Identity(subject=account.subject)
    with pytest.raises(keeping.NotKept, match="another provider"):
        keeping.keep(providers.get("openai"), read({"access_token": "x"}), replaces=account, who=who)
    assert kim.get(f"{FACTORY}?account={there.pk}").status_code == 200


def test_an_operator_of_a_tenant_reaches_nobodys_sign_in(kim, issuer):
    flow = begun(kim)
    back = agree(away(kim, flow))
    sam = Client()
    sam.force_login(make_operator(role=Role.TENANT_ADMIN, tenant=make_tenant()))
    assert sam.get(PAGE).status_code == 403
    for path, said in ((f"{PAGE}begin/", {"method": "browser"}), (flow, {"pasted": back}), (f"{flow}state/", {})):
        assert sam.post(path, said).status_code == 403
    assert sam.get(f"/console/connect/back/?{urlsplit(back).query}").status_code == 403
    assert nothing_stored()
    assert issuer.exchanges == 0


# Rows that change meanwhile


def test_an_account_that_is_switched_off_stays_off_and_the_page_says_so(kim, issuer):
    come_back(kim, agree(away(kim, begun(kim))))
    credential = Credential.objects.get()
    flow = begun(kim, account=str(credential.pk))
    Credential.objects.filter(pk=credential.pk).update(enabled=False)
    answer = come_back(kim, agree(away(kim, flow)))
    assert "It is switched off, as before" in text(answer)
    assert "Calls may use it" not in text(kim.get(flow))
    credential.refresh_from_db()
    assert (credential.enabled, credential.sign_in.version) == (False, 2)


def test_an_account_that_is_deleted_meanwhile_is_connected_anew(kim, issuer, monkeypatch):
    come_back(kim, agree(away(kim, begun(kim))))
    old = Credential.objects.get()
    flow = begun(kim, account=str(old.pk))
    back = agree(away(kim, flow))
    exchange = by_browser.run

    def run(question):
        found = exchange(question)
        Credential.objects.all().delete()
        return found

    monkeypatch.setattr(by_browser, "run", run)
    assert "kim@example.com is connected" in text(come_back(kim, back))
    assert OAuthAccount.objects.get().credential_id != old.pk
    assert "Calls may use it from now on" in text(kim.get(flow))


def test_a_sign_in_that_was_given_up_while_it_was_finished_stores_nothing(kim, issuer, monkeypatch):
    flow = begun(kim)
    back = agree(away(kim, flow))
    exchange = by_browser.run
    with clock.stopped() as stopped:

        def run(question):
            found = exchange(question)
            stopped.advance(pending.INTERRUPTED.total_seconds() + 1)
            assert "was interrupted" in text(kim.get(flow))
            return found

        monkeypatch.setattr(by_browser, "run", run)
        assert "was interrupted" in text(come_back(kim, back))
    assert nothing_stored()


def test_a_provider_is_asked_about_a_code_by_one_however_long_it_takes(kim, issuer):
    begun(kim, FACTORY, "device")
    row = PendingLogin.objects.get()
    with clock.stopped() as stopped:
        assert pending.claim_question(row)
        stopped.advance(60)
        assert not pending.claim_question(row)
        pending.answered(row)
        assert not pending.claim_question(row)
        stopped.advance(row.interval)
        assert pending.claim_question(row)
        stopped.advance(pending.INTERRUPTED.total_seconds())  # whoever asked is dead
        assert pending.claim_question(row)


# Odd words


def test_names_with_markup_are_shown_as_text_everywhere(kim, issuer):
    flow = begun(kim)
    answer = come_back(kim, agree(away(kim, flow), MARKUP))
    credential = Credential.objects.get()
    pages = (flow, f"/console/accounts/credential/{credential.pk}/change/", "/console/accounts/credential/")
    again = f"{PAGE}?account={credential.pk}"
    seen = [answer, *(kim.get(page) for page in (*pages, again, "/console/quota/"))]
    assert all(b"<img src=x" not in one.content for one in seen)
    assert credential.label == MARKUP.lower()


@pytest.mark.parametrize("email", ["kim\0@example.com", "kim\u202e@example.com", "kim\n@example.com", "a" * 5000])
def test_names_that_cannot_be_shown_name_nobody_and_long_ones_are_cut(kim, issuer, email):
    grant = issuer.grant(email=email, subject="sub-1")
    brought = {"what": "token", "access": grant.access, "refresh": grant.refresh}
    assert kim.post(f"{PAGE}bring/", brought).status_code == 302
    assert OAuthAccount.objects.get().email in ("", "a" * 254)


@pytest.mark.parametrize("about", ["a\0b", "a\u202eb", "<b>no</b>", "x" * 3000])
def test_a_providers_words_are_made_safe_before_they_are_kept(kim, issuer, about):
    flow = begun(kim)
    said = {"error": "access_denied", "error_description": about, "state": asked(away(kim, flow))["state"]}
    answer = kim.post(flow, {"pasted": f"http://localhost:1455/auth/callback?{urlencode(said)}"}, follow=True)
    fault = PendingLogin.objects.get().fault
    assert fault.isprintable()
    assert "access_denied" in fault
    assert b"<b>no</b>" not in answer.content
    assert nothing_stored()


@pytest.mark.parametrize("code", ["a" * 5000, "a b", "a\r\nhost: x", "ä", ""])
def test_what_is_no_code_is_not_sent_and_the_sign_in_stays_open(kim, issuer, code):
    flow = begun(kim)
    back = agree(away(kim, flow))
    answer = kim.get(f"/console/connect/back/?{urlencode({**asked(back), 'code': code})}")
    assert answer.status_code == 400
    assert "code" in text(answer)
    assert nothing_stored()
    assert not any(one.path == "/oauth/token" for one in issuer.seen)
    assert "kim@example.com is connected" in text(come_back(kim, back))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": 5, "email": ["x"]},
        {"email": {"a": 1}, "organizations": {}},
        {"organizations": [None]},
        {"exp": "soon"},
    ],
)
def test_tokens_that_say_nothing_useful_are_kept_and_said_to_be_unchecked(kim, issuer, claims):
    brought = {"what": "token", "access": jwt(claims), "refresh": "refresh-token-1"}
    answer = kim.post(f"{PAGE}bring/", brought, follow=True)
    assert "Nothing in its tokens says whose they are" in text(answer)
    assert OAuthAccount.objects.get().email == ""
