"""What is asked beside the calls (quota, credits, lists of models, a probe) is asked with a token that is good."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import Credential
from oauth import held, providers, readiness
from oauth.keeping import keep
from oauth.reset_credits import CreditsUnknown
from oauth.tokens import read
from proxx.gateway.probe import probe
from routing import quota_credits, quota_refresh
from routing.catalog import refresh as catalog_refresh
from tests.oauth.test_plan_usage import CODEX
from tests.upstreams.signin import Asked, Issuer, Told
from tests.upstreams.signin_backend import Backend

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = "/backend-api"
ANSWERS = {
    "/wham/usage": CODEX,
    "/api/codex/rate-limit-reset-credits": {"available": 2},
    "/codex/models": {"models": [{"slug": "gpt-x", "supported_in_api": True, "visibility": "list"}]},
}


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    held.keep_only(())
    yield
    held.keep_only(())


def connected(issuer: Issuer, base_url: str, clock: Any) -> Credential:
    """Return an account whose access token has ended by now."""
    grant = issuer.grant(email="kim@example.com", workspace="ws-1")
    said = {"access_token": grant.access, "refresh_token": grant.refresh, "expires_in": 600}
    credential = keep(providers.get("openai"), read(said), base_url=base_url).account.credential
    clock.advance(601)
    return credential


@pytest.fixture
def shown(issuer: Issuer) -> list[str]:
    """The tokens that the simulated backend of plans is shown."""
    tokens: list[str] = []

    def route(said: Any) -> Any:
        async def answer(asked: Asked) -> Told:
            tokens.append(asked.headers["authorization"].removeprefix("Bearer "))
            return Told(200, said)

        return answer

    for path, said in ANSWERS.items():
        issuer.routes["GET", PLAN + path] = route(said)
    return tokens


ASKS: dict[str, Callable[[Credential], Any]] = {
    "quota": lambda one: quota_refresh.refresh([one.pk], forced=True),
    "credits": lambda one: quota_credits.available(one.pk),
    "models": lambda one: catalog_refresh.refresh(["openai"]),
}


@pytest.mark.parametrize("what", list(ASKS))
def test_an_ended_token_is_renewed_before_anything_is_asked(
    issuer: Issuer, shown: list[str], clock: Any, what: str
) -> None:
    credential = connected(issuer, f"{issuer.origin}{PLAN}", clock)
    ASKS[what](credential)
    newest = next(reversed(issuer.accesses))
    assert issuer.renewals == 1
    assert set(shown) == {newest}


@pytest.mark.parametrize("what", list(ASKS))
def test_who_cannot_be_renewed_is_not_asked_and_it_is_said_why(
    issuer: Issuer, shown: list[str], clock: Any, what: str
) -> None:
    credential = connected(issuer, f"{issuer.origin}{PLAN}", clock)
    issuer.families[1].revoked = True
    try:
        said = ASKS[what](credential)[0].fault
    except CreditsUnknown as fault:
        said = str(fault)
    assert said == readiness.ENDED
    assert shown == []


def test_a_probe_renews_first(issuer: Issuer, clock: Any) -> None:
    backend = Backend(issuer)
    credential = connected(issuer, backend.base_url, clock)
    found = probe(credential.pk, "sim-say")
    assert (found.fault, found.said) == ("", "Hello.")
    assert (backend.good, backend.refused, issuer.renewals) == (1, 0, 1)


def test_a_probe_of_who_cannot_be_renewed_asks_nobody(issuer: Issuer, clock: Any) -> None:
    backend = Backend(issuer)
    credential = connected(issuer, backend.base_url, clock)
    issuer.families[1].revoked = True
    assert probe(credential.pk, "sim-say").fault == readiness.ENDED
    assert backend.tokens == []
