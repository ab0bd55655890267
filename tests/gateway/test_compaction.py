"""Conversations in short: by the vendor's own way where it is known, else as a summary that comes back as words."""

from collections.abc import Iterator

import pytest

from tests.clients.asking import five_upstreams, upstream
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.script import say
from tests.upstreams.server import SimulatedProvider

TALK = [{"role": "user", "content": "My cat is called Plum."}]
EMULATED = tuple(MODELS)  # none of these providers is the vendor, not even the one that speaks its dialect
SUMMARY = "The user's cat is called Plum."


@pytest.fixture(scope="module")
def proxx(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, module_provider: SimulatedProvider
) -> Iterator[LiveProxx]:
    with running(tmp_path_factory.mktemp("proxx"), templates, module_provider) as started:
        five_upstreams(started)
        yield started


@pytest.fixture(autouse=True)
def fresh_scripts(module_provider: SimulatedProvider) -> None:
    module_provider.reset()


def model(dialect: str) -> str:
    return upstream(dialect, MODELS[dialect])


@pytest.mark.parametrize("way", ["path", "trigger", "streamed trigger"])
@pytest.mark.parametrize("dialect", EMULATED)
def test_a_summary_is_one_item_and_comes_back_as_words(proxx: LiveProxx, dialect: str, way: str) -> None:
    """D168."""
    proxx.provider.script(say(SUMMARY), model=MODELS[dialect])
    triggered = [*TALK, {"type": "compaction_trigger"}]
    with proxx.openai() as client:
        if way == "path":
            output = client.responses.compact(model=model(dialect), input=TALK).output
        elif way == "trigger":
            output = client.responses.create(model=model(dialect), input=triggered, store=False).output
        else:
            with client.responses.stream(model=model(dialect), input=triggered, store=False) as stream:
                output = next(event.response.output for event in stream if event.type == "response.completed")
        assert [item.type for item in output] == ["compaction"]
        item = output[0].model_dump(exclude_none=True)
        proxx.provider.reset()
        client.responses.create(
            model=model(dialect), input=[item, {"role": "user", "content": "And now?"}], store=False
        )
    sent = proxx.provider.journal.last.body.decode()
    assert "cat is called Plum." in sent
    assert item["encrypted_content"] not in sent


def test_the_vendor_is_asked_in_its_own_way(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        made = client.responses.compact(model="openai/gpt-x", input=TALK)
        asked = proxx.provider.journal.last
        assert asked.path.endswith("/responses/compact")
        assert "compaction" in [item.type for item in made.output]
        output = [item.model_dump(exclude_none=True, warnings=False) for item in made.output]
        client.responses.create(model="openai/gpt-x", input=[*output, *TALK], store=False)
    assert output[-1]["encrypted_content"] in proxx.provider.journal.last.body.decode()


def test_a_summary_made_elsewhere_is_told_to_the_vendor_in_words(proxx: LiveProxx) -> None:
    proxx.provider.script(say(SUMMARY), model=MODELS["anthropic"])
    with proxx.openai() as client:
        output = client.responses.compact(model=model("anthropic"), input=TALK).output
        item = output[0].model_dump(exclude_none=True)
        client.responses.create(model="openai/gpt-x", input=[item, *TALK], store=False)
    sent = proxx.provider.journal.last
    assert sent.path.endswith("/responses")
    assert "cat is called Plum." in sent.body.decode()
    assert "gw1." not in sent.body.decode()
