"""Which name of a model a Messages client reads in an answer whose bytes pass (D180)."""

import json

import pytest

from tests.clients import anthropic
from tests.clients.asking import five_upstreams, upstream
from tests.clients.talk import Talk
from tests.live import LiveProxx
from tests.upstreams.script import say


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    five_upstreams(module_proxx)
    return module_proxx


@pytest.mark.parametrize("stream", [False, True])
def test_a_messages_client_reads_the_name_it_asked_for(proxx: LiveProxx, stream: bool) -> None:
    """Claude Code forgets what was thought in answers of another model than the one it asked."""
    asked = upstream("anthropic", "claude-sonnet-4-6")
    proxx.provider.reset()
    proxx.provider.script(say("Hi"))
    status, _, answer = proxx.request("POST", "/v1/messages", anthropic.body(Talk(model=asked, stream=stream)))
    heard = anthropic.stream(answer) if stream else anthropic.whole(answer)
    assert (status, heard.text, heard.model) == (200, "Hi", asked)
    assert proxx.provider.journal.last.json["model"] == "claude-sonnet-4-6"


def test_what_else_an_answer_says_stays_as_the_upstream_said_it(proxx: LiveProxx) -> None:
    asked = upstream("anthropic", "sim-say")
    _, _, answer = proxx.request("POST", "/v1/messages", anthropic.body(Talk(model=asked)))
    told = json.loads(bytes(proxx.provider.journal.last.answer))
    assert json.loads(answer) == {**told, "model": asked}
