"""Tokens of signed-in accounts, from a call's side: renewed before they are missed, once after a 401."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.until import until
from tests.upstreams.server import SimulatedProvider
from tests.upstreams.signin import Issuer
from tests.upstreams.signin_backend import Backend

pytestmark = pytest.mark.slow

KEEP = """
from accounts.models import Credential
from oauth import providers
from oauth.keeping import keep
from oauth.tokens import read
Credential.objects.all().delete()
for said in {said!r}:
    keep(providers.get("openai"), read(said), base_url={base!r})
"""


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with Issuer() as issuer:
        yield Backend(issuer)


@pytest.fixture(scope="module")
def proxx(
    backend: Backend, templates: Templates, module_provider: SimulatedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveProxx]:
    folder: Path = tmp_path_factory.mktemp("signing")
    env = {
        "OPENAI_API_KEY": "",
        "OPENAI_OAUTH_ISSUER": backend.issuer.origin,
        "OPENAI_OAUTH_CLIENT_ID": backend.issuer.client_id,
    }
    with running(folder, templates, module_provider, env=env) as proxx:
        yield proxx


def sign_in(proxx: LiveProxx, backend: Backend, *, lives: float = 3600, people: int = 1) -> list[Any]:
    """Let so many people be the only accounts; return what the issuer gave them, once a call was answered by one."""
    grants = [backend.issuer.grant() for _ in range(people)]
    said = [{"access_token": one.access, "refresh_token": one.refresh, "expires_in": lives} for one in grants]
    proxx.run(KEEP.format(said=said, base=backend.base_url))
    numbers = {one.family.number for one in grants}

    def is_asked() -> bool:
        proxx.chat()
        family, _ = backend.issuer.accesses.get(backend.tokens[-1] if backend.tokens else "", (None, 0))
        return family is not None and family.number in numbers

    until(is_asked, seconds=10)
    backend.refused = 0
    return grants


def states(proxx: LiveProxx) -> list[str]:
    return sorted(state for (state,) in proxx.rows("SELECT state FROM oauth_oauthaccount"))


def test_a_token_that_is_refused_is_renewed_once_and_the_call_sent_again(proxx: LiveProxx, backend: Backend) -> None:
    (grant,) = sign_in(proxx, backend)
    backend.issuer.revoke_access(grant.access)
    renewals = backend.issuer.renewals
    assert [proxx.chat(text=f"question {turn}")[0] for turn in range(3)] == [200] * 3
    assert (backend.refused, backend.issuer.renewals, backend.issuer.reused) == (1, renewals + 1, 0)


def test_a_renewed_token_that_is_refused_too_leaves_the_call_to_another(proxx: LiveProxx, backend: Backend) -> None:
    grants = sign_in(proxx, backend, people=2)
    backend.bars = {grants[0].family.number}
    renewals = backend.issuer.renewals
    assert {proxx.chat(text=f"question {turn}")[0] for turn in range(6)} == {200}
    assert (backend.refused, backend.issuer.renewals) == (2, renewals + 1)
    backend.bars = set()


def test_an_ended_token_is_renewed_before_it_is_sent(proxx: LiveProxx, backend: Backend) -> None:
    renewals = backend.issuer.renewals
    backend.issuer.lives = 3600
    sign_in(proxx, backend, lives=0.01)
    assert proxx.chat()[0] == 200
    assert (backend.refused, backend.issuer.renewals) == (0, renewals + 1)


def test_who_cannot_be_renewed_is_not_asked_and_no_client_sees_a_401(proxx: LiveProxx, backend: Backend) -> None:
    grants = sign_in(proxx, backend, people=2)
    lost = grants[0]
    lost.family.revoked = True
    assert {proxx.chat(text=f"question {turn}")[0] for turn in range(6)} == {200}
    assert states(proxx) == ["sign_in_again", "working"]
    grants[1].family.revoked = True
    answers = [proxx.chat(text=f"question {turn}") for turn in range(4)]
    assert 401 not in {status for status, *_ in answers}
    assert 200 not in {status for status, *_ in answers}
    assert all("error" in json.loads(body) for *_, body in answers)
    assert states(proxx) == ["sign_in_again", "sign_in_again"]
    seen = proxx.log + "".join(map(str, proxx.rows("SELECT refresh_token, fault FROM oauth_oauthaccount")))
    assert all(grant.refresh not in seen and grant.access not in seen for grant in grants)


def test_a_request_that_is_passed_on_is_renewed_for_like_any_call(proxx: LiveProxx, backend: Backend) -> None:
    (grant,) = sign_in(proxx, backend)
    backend.issuer.revoke_access(grant.access)
    renewals = backend.issuer.renewals
    asked = {"model": "sim-echo", "messages": [{"role": "user", "content": "passed on"}]}
    status, _, body = proxx.request("POST", "/openai/v1/chat/completions", asked)
    assert (status, json.loads(body)["choices"][0]["message"]["content"]) == (200, "Hello.")
    assert (backend.refused, backend.issuer.renewals, backend.issuer.reused) == (1, renewals + 1, 0)
