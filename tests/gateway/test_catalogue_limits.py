"""What a catalogue knows of a model's limits shapes what its upstream is asked."""

import pytest

from tests.clients import openai_chat
from tests.clients.asking import five_upstreams, upstream
from tests.clients.talk import Talk, User
from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import say


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    five_upstreams(module_proxx)
    module_proxx.run(
        """
from routing.models import CatalogModel
from routing import reload
CatalogModel.objects.create(provider_id="up-ollama", model_id="sim-say", context_window=32768, max_output_tokens=900)
CatalogModel.objects.create(provider_id="up-anthropic", model_id="sim-say", max_output_tokens=900)
reload.announce()
"""
    )
    until(lambda: b'"sim-say"' in module_proxx.request("GET", "/v1/models")[2], seconds=10)
    return module_proxx


def test_an_ollama_model_gets_the_room_its_catalogue_names(proxx: LiveProxx) -> None:
    """D111."""
    sent = asked(proxx, "ollama", "word " * 8000)
    assert 8192 < sent["options"]["num_ctx"] <= 32768


def test_an_answer_is_limited_to_what_the_model_can_say(proxx: LiveProxx) -> None:
    """D108."""
    assert asked(proxx, "anthropic", "Hello")["max_tokens"] == 900


def asked(proxx: LiveProxx, dialect: str, text: str) -> dict:
    proxx.provider.reset()
    proxx.provider.script(say("Hi"))
    body = openai_chat.body(Talk(model=upstream(dialect, "sim-say"), turns=(User(text),)))
    status, _, answer = proxx.request("POST", "/v1/chat/completions", body)
    assert status == 200, answer
    return proxx.provider.journal.last.json
