"""The database goes away while tokens are renewed: none is lost, none is sent twice, and clients are answered."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gateway.test_signing import KEEP
from tests.live import LiveProxx
from tests.relay import Relay, relayed
from tests.until import until
from tests.upstreams.signin import Issuer
from tests.upstreams.signin_backend import Backend

pytestmark = [pytest.mark.real, pytest.mark.slow]

TIMEOUT = 5  # seconds an issuer may take


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Issuer() as issuer:
        yield Backend(issuer)


@pytest.fixture
def relay() -> Iterator[tuple[Relay, str]]:
    with relayed(os.environ["DATABASE_URL_TEST"]) as found:
        yield found


@pytest.fixture
def proxx(start_proxx: Any, backend: Backend, relay: tuple[Relay, str]) -> LiveProxx:
    """A server with a relay before its database, and one account whose token has ended."""
    env = {
        "OPENAI_API_KEY": "",
        "OPENAI_OAUTH_ISSUER": backend.issuer.origin,
        "OPENAI_OAUTH_CLIENT_ID": backend.issuer.client_id,
        "PROXY_OAUTH_TIMEOUT": str(TIMEOUT),
    }
    proxx: LiveProxx = start_proxx(real=True, env=env)
    proxx.stop()
    grant = backend.issuer.grant()
    said = {"access_token": grant.access, "refresh_token": grant.refresh, "expires_in": 0.01}
    proxx.run(KEEP.format(said=[said], base=backend.base_url))
    proxx.environment["DATABASE_URL"] = relay[1].rpartition("/")[0] + "/" + proxx.database.name
    proxx.start()
    return proxx


def stored_version(proxx: LiveProxx) -> int:
    return int(proxx.rows("SELECT version FROM oauth_oauthaccount")[0][0])


@pytest.mark.parametrize("way", ["cut", "hang"])
def test_a_token_that_comes_while_the_database_is_away_is_used_and_stored_later(
    proxx: LiveProxx, backend: Backend, relay: tuple[Relay, str], way: str
) -> None:
    issuer = backend.issuer
    issuer.delay = lambda: 1.0
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(proxx.chat, text=f"question {turn}") for turn in range(4)]
        until(lambda: issuer.waiting == 1, seconds=20)
        getattr(relay[0], way)()
        statuses = [one.result(60)[0] for one in calls]
        more = [proxx.chat(text=f"more {turn}")[0] for turn in range(4)]
    assert statuses + more == [200] * 8
    assert stored_version(proxx) == 1
    relay[0].mend()
    until(lambda: stored_version(proxx) == 2, seconds=60)
    assert proxx.chat(text="after")[0] == 200
    assert (issuer.renewals, issuer.reused, backend.refused) == (1, 0, 0)
    family = issuer.families[1]
    assert proxx.rows("SELECT state, sent FROM oauth_oauthaccount") == [("working", False)]
    proxx.manage("refresh_sign_ins")  # the refresh token that was stored is the one that is good
    assert (issuer.renewals, issuer.reused, family.revoked) == (2, 0, False)


@pytest.mark.parametrize("way", ["cut", "hang"])
def test_without_a_database_an_ended_token_is_not_renewed_and_clients_may_come_again(
    proxx: LiveProxx, backend: Backend, relay: tuple[Relay, str], way: str
) -> None:
    getattr(relay[0], way)()
    status, headers, body = proxx.chat()
    assert status == 503, body
    assert int(headers["retry-after"]) >= 1
    assert json.loads(body)["error"]
    assert (backend.issuer.renewals, backend.refused) == (0, 0)
    relay[0].mend()
    until(lambda: proxx.chat()[0] == 200, seconds=60)
    assert (backend.issuer.renewals, backend.issuer.reused) == (1, 0)
