"""Signing in to providers by program: in our shapes and in those of what proxx replaces, never with a token."""

import pytest

from accounts.models import Credential
from oauth.models import OAuthAccount
from proxx.kit import clock
from tests.api.control.conftest import Caller
from tests.oauth.people import agree
from tests.upstreams.signin_pages import IssuerWithPages

OPENAI = "/api/ui/credentials/openai/oauth"
FACTORY = "/api/v1/credentials/factory/oauth"


@pytest.fixture
def issuer(settings):
    with IssuerWithPages() as issuer:
        for name, value in issuer.environment.items():
            setattr(settings, name, value)
        yield issuer


def holds_no_token(issuer, *answers):
    said = b"".join(one.content for one in answers)
    tokens = [*issuer.accesses, *issuer._by_refresh, *issuer.devices]
    return bool(tokens) and not any(one.encode() in said for one in tokens)


def test_a_program_signs_in_with_a_browser_elsewhere(admin, issuer):
    begun = admin.post("/api/v1/sign-ins", {"sign_in": "openai", "method": "browser"})
    assert begun.status_code == 201
    path = f"/api/v1/sign-ins/{begun.json()['id']}"
    assert admin.get(path).json()["status"] == "waiting"
    back = agree(begun.json()["url"])
    done = admin.post(f"{path}/complete", {"input": back})
    assert done.json()["status"] == "done"
    assert done.json()["credential_id"] == str(Credential.objects.get().pk)
    assert done.json()["url"] == ""
    assert holds_no_token(issuer, begun, done, admin.get(path))


def test_a_program_signs_in_with_a_code(admin, issuer):
    begun = admin.post("/api/v1/sign-ins", {"sign_in": "factory", "method": "device"}).json()
    path = f"/api/v1/sign-ins/{begun['id']}/poll"
    with clock.stopped() as stopped:
        assert admin.post(path).json()["status"] == "waiting"
        issuer.approve(begun["user_code"], email="kim@example.com")
        next(iter(issuer.devices.values())).asked_at = 0.0
        assert admin.post(path).json()["status"] == "waiting"  # too soon: nobody was asked
        assert issuer.polls == 1
        stopped.advance(1.1)
        assert admin.post(path).json()["status"] == "done"


def test_a_sign_in_is_there_for_whoever_began_it_only(admin, as_operator, issuer):
    begun = admin.post("/api/v1/sign-ins", {"sign_in": "openai", "method": "browser"}).json()
    other: Caller = as_operator()
    assert other.get(f"/api/v1/sign-ins/{begun['id']}").status_code == 404
    answer = other.post(f"/api/v1/sign-ins/{begun['id']}/complete", {"input": agree(begun["url"])})
    assert answer.status_code == 404
    assert not OAuthAccount.objects.exists()


def test_a_callback_finishes_what_a_token_began(admin, client, issuer):
    begun = admin.post(f"{OPENAI}/browser/start", {})
    assert begun.json()["redirectUri"] == "http://localhost:1455/auth/callback"
    back = agree(begun.json()["authorizeUrl"]).partition("?")[2]
    there = client.get(f"{OPENAI}/browser/callback?{back}")["Location"].removeprefix("http://testserver")
    assert "kim@example.com is connected" not in client.get(there.replace("state=", "state=x")).content.decode()
    page = client.get(there)
    assert "<strong>kim@example.com</strong> is connected" in page.content.decode()
    assert holds_no_token(issuer, begun, page)


@pytest.mark.parametrize("base", [OPENAI, FACTORY])
def test_codes_in_the_shapes_of_old(admin, issuer, base):
    started = admin.post(f"{base}/device/start", {})
    said = started.json()
    assert said.keys() == {"verificationUrl", "userCode", "deviceAuthId", "intervalMs"}
    poll = {"deviceAuthId": said["deviceAuthId"], "userCode": said["userCode"]}
    with clock.stopped() as stopped:
        assert admin.post(f"{base}/device/poll", poll).json() == {"state": "pending"}
        issuer.approve(said["userCode"], email="kim@example.com", subject="sub-kim")
        next(iter(issuer.devices.values())).asked_at = 0.0
        stopped.advance(1.1)
        done = admin.post(f"{base}/device/poll", poll)
    assert done.json()["state"] == "authorized"
    assert done.json()["account"]["email"] == "kim@example.com"
    assert holds_no_token(issuer, started, done)


def test_a_refused_code_says_why_in_the_shape_of_old(admin, issuer):
    said = admin.post(f"{FACTORY}/device/start", {}).json()
    next(iter(issuer.devices.values())).refused = True
    answer = admin.post(f"{FACTORY}/device/poll", {"deviceAuthId": said["deviceAuthId"]}).json()
    assert answer == {"state": "failed", "reason": "Whoever typed the code did not agree."}


def test_flows_below_admin(admin, issuer):
    begun = admin.post("/admin/oauth/start", {"email": "Kim@example.com"}).json()
    assert begun.keys() == {"ok", "flowId", "method", "authorizeUrl", "expectedRedirectUri"}
    assert "login_hint=Kim%40example.com" in begun["authorizeUrl"]
    flow = {"flowId": begun["flowId"]}
    for wrong in ("", "http://localhost:1455/auth/callback?state=x", "abc#another-state"):
        assert admin.post("/admin/oauth/complete", {**flow, "input": wrong}).status_code == 400
    back = agree(begun["authorizeUrl"])
    done = admin.post("/admin/oauth/complete", {**flow, "input": back})
    assert done.json()["account"]["email"] == "kim@example.com"
    told = admin.get(f"/admin/oauth/status/{begun['flowId']}")
    assert (told.json()["flow"]["status"], told.json()["flow"]["accountId"]) == (
        "success",
        Credential.objects.get().account_id,
    )
    assert holds_no_token(issuer, done, told)
    assert admin.post("/admin/oauth/complete", {"flowId": "never", "input": back}).status_code == 404


def test_a_code_below_admin_is_gone_when_its_time_is_over(admin, issuer):
    begun = admin.post("/admin/oauth/start", {"email": "kim@example.com", "method": "device"}).json()
    poll = {"flowId": begun["flowId"]}
    with clock.stopped() as stopped:
        assert admin.post("/admin/oauth/device/poll", poll).json()["status"] == "pending"
        stopped.advance(901)
        assert admin.post("/admin/oauth/device/poll", poll).status_code == 410


def test_an_account_to_sign_in_to_again_must_be_one(admin, issuer):
    key = Credential.objects.create(provider_id="openai", secret="sk-sim-1", account_id="keyed")
    assert admin.post(f"{OPENAI}/browser/start", {"accountId": "nobody"}).status_code == 404
    assert admin.post(f"{OPENAI}/browser/start", {"accountId": key.account_id}).status_code == 400
    assert admin.post("/admin/oauth/start", {"email": "k@example.com", "accountId": "keyed"}).status_code == 400
    wish = {"sign_in": "openai", "method": "browser", "credential_id": str(key.pk)}
    assert admin.post("/api/v1/sign-ins", wish).status_code == 404


def test_accounts_from_elsewhere_are_taken_over_and_told_one_by_one(admin, issuer):
    grant = issuer.grant(email="kim@example.com", workspace="ws-1")
    text = f'[{{"access_token": "{grant.access}", "refresh_token": "{grant.refresh}"}}, {{"refresh_token": "gone"}}]'
    answer = admin.post("/api/v1/sign-ins/import", {"sign_in": "openai", "text": text})
    first, second = answer.json()["data"]
    assert first["credential_id"] == str(Credential.objects.get().pk)
    assert second["credential_id"] is None
    assert holds_no_token(issuer, answer)


def test_a_provider_that_is_away_is_a_503(admin, issuer, settings):
    settings.OPENAI_OAUTH_ISSUER = "http://127.0.0.1:9"
    answer = admin.post("/api/v1/sign-ins", {"sign_in": "openai", "method": "device"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_unreachable")
