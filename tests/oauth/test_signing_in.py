"""Signing in at a provider by the console's pages: what is stored, once, and what is refused with nothing stored."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import Credential, Operator
from oauth import pending
from oauth.models import OAuthAccount, PendingLogin
from proxx.kit import clock
from tests.factories import make_operator
from tests.oauth.people import PAGE, agree, away, begun, come_back, nothing_stored, text
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


# With a browser


def test_an_account_is_connected_and_the_browser_never_sees_a_token(kim, issuer):
    flow = begun(kim)
    address = away(kim, flow)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["redirect_uri"] == "http://localhost:1455/auth/callback"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile email offline_access"
    answer = come_back(kim, agree(address))
    assert "kim@example.com is connected to ChatGPT" in text(answer)
    credential = Credential.objects.get()
    assert (credential.kind, credential.chatgpt_account_id, credential.plan_type) == ("oauth_bearer", "ws-1", "plus")
    assert credential.sign_in.email == "kim@example.com"
    family = issuer.families[1]
    seen = b"".join(kim.get(path).content for path in (flow, PAGE)) + answer.content
    assert family.current.encode() not in seen
    assert not any(access.encode() in seen for access in issuer.accesses)
    assert "Connected" in text(kim.get(flow))


def test_a_row_keeps_neither_state_nor_verifier_in_plain_text(kim, issuer):
    flow = begun(kim)
    state = parse_qs(urlsplit(away(kim, flow)).query)["state"][0]
    row = PendingLogin.objects.get()
    kept = json.dumps({field.name: str(getattr(row, field.attname)) for field in row._meta.concrete_fields})
    assert state not in kept
    assert pending.opened(row).verifier not in kept
    come_back(kim, agree(away(kim, flow)))
    assert PendingLogin.objects.get().secret == ""


def test_the_same_callback_again_shows_the_same_result_without_a_second_exchange(kim, issuer):
    back = agree(away(kim, begun(kim)))
    first, second = come_back(kim, back), come_back(kim, back)
    assert "kim@example.com is connected" in text(first)
    assert "kim@example.com is connected" in text(second)
    assert issuer.exchanges == 1
    with clock.stopped() as stopped:
        stopped.advance(301)
        late = come_back_unknown(kim, back)
    assert late.status_code == 400
    assert OAuthAccount.objects.count() == 1


def come_back_unknown(browser, address):
    parts = urlsplit(address)
    return browser.get(f"/console/connect/back/?{parts.query}")


@pytest.mark.parametrize("form", ["{0}", "code={code}&state={state}", "{code}#{state}", "{code}"])
def test_what_was_copied_finishes_the_sign_in(kim, issuer, form):
    flow = begun(kim)
    back = agree(away(kim, flow))
    said = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    answer = kim.post(flow, {"pasted": form.format(back, **said)}, follow=True)
    assert "kim@example.com is connected" in text(answer)


def test_a_pasted_address_of_another_sign_in_is_refused(kim, issuer):
    first, second = begun(kim), begun(kim)
    answer = kim.post(first, {"pasted": agree(away(kim, second))})
    assert answer.status_code == 400
    assert "its state does not match" in text(answer)
    assert nothing_stored()
    assert issuer.exchanges == 0


def test_a_forged_state_is_refused_with_nothing_asked(kim, issuer):
    begun(kim)
    for query in ("code=abc&state=forged", "code=abc", "state=forged", ""):
        answer = kim.get(f"/console/connect/back/?{query}")
        assert answer.status_code == 400
        assert "is not known, or it is over" in text(answer)
    assert nothing_stored()
    assert issuer.exchanges == 0


def test_another_operator_cannot_finish_what_kim_began(kim, issuer):
    flow = begun(kim)
    back = agree(away(kim, flow))
    robin = Client()
    robin.force_login(make_operator())
    answer = come_back_unknown(robin, back)
    assert answer.status_code == 403
    assert "Somebody else began this sign-in" in text(answer)
    assert robin.get(flow).status_code == 404
    assert robin.post(f"{flow}state/").status_code == 404
    assert robin.post(flow, {"pasted": back}).status_code == 404
    assert nothing_stored()
    assert "kim@example.com is connected" in text(come_back(kim, back))  # it is still good for kim


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page_first(kim, issuer):
    back = agree(away(kim, begun(kim)))
    answer = come_back_unknown(Client(), back)
    assert answer["Location"].startswith("/console/login/?next=")
    assert nothing_stored()


def test_denied_consent_is_told_escaped_and_ends_the_sign_in(kim, issuer):
    flow = begun(kim)
    answer = come_back(kim, agree(away(kim, flow), answer="deny"))
    assert b"The &lt;b&gt;user&lt;/b&gt; said no" in answer.content
    assert "access_denied" in text(kim.get(flow))
    assert nothing_stored()


def test_a_code_that_the_issuer_refuses_ends_the_sign_in(kim, issuer):
    flow = begun(kim)
    back = agree(away(kim, flow))
    issuer.codes.clear()
    answer = come_back(kim, back)
    assert "This code is not good" in text(answer)
    assert nothing_stored()


def test_a_sign_in_that_took_too_long_is_over(kim, issuer):
    flow = begun(kim)
    back = agree(away(kim, flow))
    with clock.stopped() as stopped:
        stopped.advance(301)
        answer = come_back(kim, back)
        assert "The time for this sign-in is over" in text(answer)
        assert "Begin again" in text(kim.get(flow))
    assert nothing_stored()
    assert issuer.exchanges == 0


def test_one_that_was_interrupted_while_it_was_finished_is_not_tried_twice(kim, issuer):
    flow = begun(kim)
    back = agree(away(kim, flow))
    assert pending.claim(PendingLogin.objects.get())
    with clock.stopped() as stopped:
        stopped.advance(pending.INTERRUPTED.total_seconds() + 1)
        assert "was interrupted" in text(come_back(kim, back))
    assert issuer.exchanges == 0


def test_an_issuer_that_is_away_leaves_the_sign_in_open(kim, issuer, settings):
    flow = begun(kim)
    back = agree(away(kim, flow))
    settings.OAUTH_TOKEN_URL = "http://127.0.0.1:9/oauth/token"
    assert "Try it once more" in text(come_back(kim, back))
    settings.OAUTH_TOKEN_URL = ""
    assert "kim@example.com is connected" in text(come_back(kim, back))


# The same account again


def test_signing_in_again_gives_the_same_account_new_tokens(kim, issuer):
    come_back(kim, agree(away(kim, begun(kim))))
    credential = Credential.objects.get()
    old = OAuthAccount.objects.get()
    come_back(kim, agree(away(kim, begun(kim, account=str(credential.pk)))))
    again = OAuthAccount.objects.get()
    assert again.credential_id == credential.pk
    assert again.version > old.version


def test_somebody_else_who_signs_in_replaces_nobody(kim, issuer):
    come_back(kim, agree(away(kim, begun(kim))))
    credential = Credential.objects.get()
    answer = come_back(kim, agree(away(kim, begun(kim, account=str(credential.pk))), "robin@example.com"))
    assert "both accounts are kept" in text(answer)
    assert Credential.objects.count() == 2


def test_several_people_of_one_workspace_stand_side_by_side(kim, issuer):
    for email in ("kim@example.com", "robin@example.com"):
        come_back(kim, agree(away(kim, begun(kim)), email))
    assert {one.chatgpt_account_id for one in Credential.objects.all()} == {"ws-1"}
    assert Credential.objects.count() == 2


def test_an_account_that_is_not_there_cannot_be_signed_in_to_again(kim, issuer):
    for account in ("00000000-0000-4000-8000-00000000dead", "nonsense"):
        assert kim.post(f"{PAGE}begin/", {"method": "browser", "account": account}).status_code == 404


# How long rows stay


def test_the_newest_two_hundred_are_kept_and_none_for_longer_than_a_day(kim, issuer):
    with clock.stopped() as stopped:
        for _ in range(pending.MOST + 3):
            begun(kim)
        assert PendingLogin.objects.count() == pending.MOST
        stopped.advance(86_401)
        pending.prune()
    assert not PendingLogin.objects.exists()
