"""Headers that belong to a dialect: the client's own travel to an upstream of the same one, with the provider's."""

import pytest

from tests.clients import anthropic
from tests.clients.asking import AUTH, five_upstreams, upstream
from tests.clients.talk import Talk
from tests.live import LiveProxx
from tests.upstreams.script import say


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    five_upstreams(module_proxx)
    module_proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
ProviderSetting.objects.create(
    provider_id="betas", base_url={module_proxx.provider.origin!r}, protocols=["anthropic"],
    auth={AUTH["anthropic"]!r}, models_paths=[],
    headers={{"anthropic-version": "2023-06-01", "anthropic-beta": "provider-beta, both-beta"}},
)
Credential.objects.create(provider_id="betas", secret="sk-sim-1")
"""
    )
    module_proxx.wait_until_served("betas/sim-say")
    return module_proxx


def ask(proxx: LiveProxx, model: str, **headers: str) -> str:
    """Ask by Messages and return what header lines the upstream got."""
    proxx.provider.reset()
    proxx.provider.script(say("Hi"))
    body = anthropic.body(Talk(model=model))
    status, _, answer = proxx.request("POST", "/v1/messages", body, headers)
    assert status == 200, answer
    last = proxx.provider.journal.last
    return f"{last.header('anthropic-version')} {last.header('anthropic-beta')}"


def test_a_clients_version_and_features_reach_an_upstream_of_its_dialect(proxx: LiveProxx) -> None:
    sent = {"anthropic-version": "2026-10-21", "anthropic-beta": "client-beta"}
    assert ask(proxx, upstream("anthropic", "sim-say"), **sent) == "2026-10-21 client-beta"


def test_without_a_word_of_the_client_the_usual_version_is_sent(proxx: LiveProxx) -> None:
    assert ask(proxx, upstream("anthropic", "sim-say")) == "2023-06-01 None"


def test_features_of_provider_and_client_are_joined_once_each(proxx: LiveProxx) -> None:
    """D158."""
    sent = {"anthropic-version": "2026-10-21", "anthropic-beta": "both-beta,client-beta"}
    assert ask(proxx, "betas/sim-say", **sent) == "2026-10-21 provider-beta,both-beta,client-beta"


def test_features_of_one_vendor_never_reach_another(proxx: LiveProxx) -> None:
    """D158."""
    assert ask(proxx, upstream("openai_chat", "gpt-x"), **{"anthropic-beta": "client-beta"}) == "None None"
