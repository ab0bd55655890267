"""Answers that end before anything was seen of them: one more try, then the truth."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.clients.asking import CLIENTS, ask, five_upstreams, send, upstream
from tests.clients.talk import Talk, Tool
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.script import finish, report_usage, say
from tests.upstreams.server import SimulatedProvider

EMPTY = (report_usage(input=5, output=0),)
OTHERS = [name for name in CLIENTS if name != "gemini"]


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        five_upstreams(started)
        yield started


@pytest.fixture(autouse=True)
def fresh(module_provider: SimulatedProvider) -> None:
    module_provider.reset()


def says(proxx: LiveProxx, *answers: tuple[Any, ...], dialect: str = "gemini") -> str:
    for steps in answers:
        proxx.provider.script(*steps, model=MODELS[dialect])
    return upstream(dialect, MODELS[dialect])


def talk(model: str, *, stream: bool) -> Talk:
    return Talk(model=model, tools=(Tool(),), stream=stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", OTHERS)
def test_a_call_that_could_not_be_read_is_made_once_more(proxx: LiveProxx, client: str, stream: bool) -> None:
    """D53."""
    model = says(proxx, (finish("malformed"),), (say("Hello"),))
    assert ask(proxx, client, talk(model, stream=stream)).text == "Hello"
    assert len(proxx.provider.journal) == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", OTHERS)
def test_a_second_unreadable_call_is_an_error(proxx: LiveProxx, client: str, stream: bool) -> None:
    """D53."""
    model = says(proxx, (finish("malformed"),), (finish("malformed"),))
    status, headers, _ = send(proxx, client, talk(model, stream=stream))
    assert (status, headers["x-proxx-error-code"]) == (502, "upstream_malformed")
    assert len(proxx.provider.journal) == 2


def test_an_unreadable_call_after_words_is_told_in_the_stream(proxx: LiveProxx) -> None:
    """D53."""
    model = says(proxx, (say("Let me see."), finish("malformed")))
    heard = ask(proxx, "openai_responses", talk(model, stream=True))
    assert heard.error is not None
    assert len(proxx.provider.journal) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["openai_chat", "ollama", "gemini"])
def test_an_answer_without_a_word_is_asked_for_once_more(proxx: LiveProxx, dialect: str, stream: bool) -> None:
    """D62."""
    model = says(proxx, EMPTY, (say("Hello"),), dialect=dialect)
    assert ask(proxx, "openai_responses", talk(model, stream=stream)).text == "Hello"
    assert len(proxx.provider.journal) == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_second_answer_without_a_word_is_told_as_it_is(proxx: LiveProxx, stream: bool) -> None:
    """D62."""
    model = says(proxx, EMPTY, EMPTY)
    heard = ask(proxx, "openai_chat", talk(model, stream=stream))
    assert (heard.text or "", heard.finish, heard.calls) == ("", "stop", [])
    assert len(proxx.provider.journal) == 2


def test_an_empty_answer_that_was_paid_for_stands(proxx: LiveProxx) -> None:
    """D62."""
    model = says(proxx, (report_usage(input=5, output=3),))
    assert not ask(proxx, "openai_chat", talk(model, stream=True)).text
    assert len(proxx.provider.journal) == 1


def test_an_empty_answer_may_be_what_a_stop_sequence_left(proxx: LiveProxx) -> None:
    """D62."""
    model = says(proxx, EMPTY)
    assert not ask(proxx, "openai_chat", replace(talk(model, stream=False), stop=("END",))).text
    assert len(proxx.provider.journal) == 1
