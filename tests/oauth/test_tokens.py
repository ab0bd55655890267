"""What a token address is asked, and what its answers mean."""

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl

import pytest

from oauth import providers
from oauth.tokens import Refused, Tokens, Unreachable, exchange, issued, read, renew
from proxx.kit.sealing import Secret
from proxx.upstream import client
from tests.ports import free_port
from tests.upstreams.signin import Issuer, Told, jwt


def ask(question: Any) -> Any:
    async def asked() -> Any:
        try:
            return await question
        finally:
            await client.close_all()

    return asyncio.run(asked())


def test_a_code_becomes_tokens_with_its_verifier_and_the_same_redirect(issuer: Issuer) -> None:
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = issuer.code_for(challenge=challenge, redirect_uri="http://localhost:1455/auth/callback")
    entry = providers.get("openai")
    tokens: Tokens = ask(exchange(entry, code=code, verifier=verifier, redirect_uri=entry.redirect_uri))
    assert issuer.accepts(tokens.access.reveal())
    assert tokens.refresh
    assert tokens.expires_at is not None
    assert "rt-" not in repr(tokens)
    with pytest.raises(Refused) as second:
        ask(exchange(entry, code=code, verifier=verifier, redirect_uri=entry.redirect_uri))
    assert second.value.code == "invalid_grant"


def test_a_renewal_sends_the_token_once_and_keeps_what_is_said(issuer: Issuer) -> None:
    grant = issuer.grant()
    tokens = ask(renew(providers.get("openai"), Secret(grant.refresh)))
    assert tokens.access.reveal() != grant.access
    assert dict(parse_qsl(issuer.seen[-1].body.decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": grant.refresh,
        "client_id": "client-sim",
    }


@pytest.mark.parametrize(
    ("status", "said", "is_terminal"),
    [
        (400, {"error": {"code": "refresh_token_reused", "message": "x"}}, True),
        (403, {"error": {"code": "refresh_token_reused"}}, True),
        (400, {"error": "invalid_grant"}, True),
        (401, {"error": {"message": "Your refresh token has already been used. Try signing in again."}}, True),
        (400, {"error": {"code": "invalid_request", "message": "Because the refresh token expired"}}, True),
        (400, {"error": "invalid_request"}, False),
        (401, {"error": "invalid_client"}, False),
        (429, {"error": "slow_down"}, False),
        (500, {"error": "invalid_grant"}, False),
    ],
)  # fmt: skip
def test_only_some_refusals_are_final(issuer: Issuer, status: int, said: Any, is_terminal: bool) -> None:
    grant = issuer.grant()
    issuer.will.append(Told(status, said))
    with pytest.raises(Refused) as refused:
        ask(renew(providers.get("openai"), Secret(grant.refresh)))
    assert refused.value.terminal is is_terminal
    assert not refused.value.lost


def test_an_answer_that_repeats_the_token_does_not_make_us_repeat_it(issuer: Issuer) -> None:
    grant = issuer.grant()
    issuer.will.append(Told(400, {"error": {"code": "invalid_request", "message": f"bad token {grant.refresh}"}}))
    with pytest.raises(Refused) as refused:
        ask(renew(providers.get("openai"), Secret(grant.refresh)))
    assert grant.refresh not in f"{refused.value!r} {refused.value.message} {refused.value.code}"


def test_who_cannot_be_reached_was_sent_nothing_and_who_hangs_up_may_have_it(issuer: Issuer, settings: Any) -> None:
    grant = issuer.grant()
    issuer.will.append("close")
    with pytest.raises(Unreachable) as hung_up:
        ask(renew(providers.get("openai"), Secret(grant.refresh)))
    settings.OPENAI_OAUTH_ISSUER = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable) as nobody:
        ask(renew(providers.get("openai"), Secret(grant.refresh)))
    assert (hung_up.value.sent, nobody.value.sent) == (True, False)


def test_a_gateways_answer_may_hide_the_issuers(issuer: Issuer) -> None:
    issuer.will.append(Told(504, b"<html>timeout</html>"))
    with pytest.raises(Refused) as refused:
        ask(renew(providers.get("openai"), Secret(issuer.grant().refresh)))
    assert refused.value.lost


def test_other_kinds_of_accounts_are_entries_of_data(issuer: Issuer, settings: Any) -> None:
    assert set(providers.sign_ins()) == {"openai", "factory"}
    settings.ANTHROPIC_OAUTH_CLIENT_ID = settings.GEMINI_OAUTH_CLIENT_ID = "client-sim"
    settings.ANTHROPIC_OAUTH_TOKEN_URL = settings.GEMINI_OAUTH_TOKEN_URL = issuer.token_url
    claude = providers.get("anthropic")
    ask(renew(claude, Secret(issuer.grant().refresh)))
    assert issuer.seen[-1].headers["content-type"] == "application/json"
    assert issuer.seen[-1].fields["scope"] == claude.scope
    code = issuer.code_for()
    ask(exchange(claude, code=code, redirect_uri=claude.redirect_uri, extra={"state": "s-1", "other": "x"}))
    assert issuer.seen[-1].fields["state"] == "s-1"
    assert "other" not in issuer.seen[-1].fields
    settings.GEMINI_OAUTH_CLIENT_SECRET = issuer.client_secret = "secret-sim"
    assert ask(renew(providers.get("gemini"), Secret(issuer.grant().refresh))).access


def test_the_end_is_what_is_said_else_what_the_token_says_of_itself(clock: Any) -> None:
    ends = int(clock.unix()) + 500
    assert read({"access_token": "a", "expires_in": 100}).expires_at == pytest.approx(clock.unix() + 100)
    assert read({"access_token": jwt({"exp": ends})}).expires_at == ends
    assert read({"access_token": "opaque"}).expires_at is None
    for odd in ({}, {"access_token": 5}, {"access_token": " "}):
        with pytest.raises(ValueError, match="no access token"):
            read(odd)


@pytest.mark.parametrize("lasts", [0, -5, 1e300, "soon", "", "nan", "-1", "9" * 400, None, True, [60], {"seconds": 60}])
def test_an_end_that_is_none_leaves_it_to_the_token(clock: Any, lasts: Any) -> None:
    ends = int(clock.unix()) + 500
    assert read({"access_token": jwt({"exp": ends}), "expires_in": lasts}).expires_at == ends
    assert read({"access_token": "opaque", "expires_in": lasts}).expires_at is None


@pytest.mark.parametrize("lasts", [60, 60.0, "60", " 60 ", "60.0"])
def test_an_end_may_be_written_in_many_ways(clock: Any, lasts: Any) -> None:
    assert read({"access_token": "opaque", "expires_in": lasts}).expires_at == clock.unix() + 60


@pytest.mark.parametrize("ends", [0, -1, 1e300, "soon", None, True, [1]])
def test_a_token_whose_own_end_is_none_is_renewed_when_it_is_refused(clock: Any, ends: Any) -> None:
    assert read({"access_token": jwt({"exp": ends})}).expires_at is None


def test_a_new_token_of_an_issuer_with_another_clock_lives_for_its_own_span(clock: Any) -> None:
    """Else it would have ended when it comes, and each call would renew it anew."""
    late = int(clock.unix()) - 7200
    assert issued({"access_token": jwt({"iat": late, "exp": late + 3600})}).expires_at == clock.unix() + 3600
    assert issued({"access_token": jwt({"exp": late})}).expires_at is None
    assert read({"access_token": jwt({"iat": late, "exp": late + 3600})}).expires_at == late + 3600  # brought, not new


def test_a_refusals_words_are_made_safe(issuer: Issuer) -> None:
    issuer.will.append(Told(400, {"error": {"code": "odd\0", "message": "a\0b\u202e" + "c" * 9000}}))
    with pytest.raises(Refused) as refused:
        ask(renew(providers.get("openai"), Secret(issuer.grant().refresh)))
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 400
