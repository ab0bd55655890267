"""Responses that a client names later, at providers that keep nothing: through a running proxx, with the official
library."""

from collections.abc import Iterator

import openai
import pytest

from tests.clients.asking import five_upstreams, upstream
from tests.conftest import StartProxx
from tests.databases import Templates
from tests.live import LiveProxx, running
from tests.protocols.matrix.cell import MODELS
from tests.upstreams.script import call_tool, say
from tests.upstreams.server import SimulatedProvider

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
TRANSLATED = ("openai_chat", "anthropic", "gemini", "ollama")


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


def texts(proxx: LiveProxx) -> str:
    return proxx.provider.journal.last.body.decode()


@pytest.mark.parametrize("dialect", TRANSLATED)
def test_an_earlier_response_is_known_to_an_upstream_that_keeps_none(proxx: LiveProxx, dialect: str) -> None:
    """D162."""
    with proxx.openai() as client:
        proxx.provider.script(say("The word is plum."), model=MODELS[dialect])
        first = client.responses.create(model=model(dialect), input="Remember plum.", instructions="Be brief.")
        second = client.responses.create(model=model(dialect), input="Which?", previous_response_id=first.id)
    sent = texts(proxx)
    assert sent.index("Remember plum.") < sent.index("The word is plum.") < sent.index("Which?")
    assert "Be brief." not in sent, "instructions are not inherited"
    assert second.previous_response_id == first.id


def test_a_streamed_response_is_kept_before_its_end_is_told(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        previous = None
        for number in range(5):
            proxx.provider.script(say(f"answer {number}"), model=MODELS["anthropic"])
            with client.responses.stream(
                model=model("anthropic"), input=f"question {number}", previous_response_id=previous
            ) as stream:
                previous = next(event.response.id for event in stream if event.type == "response.completed")
    sent = texts(proxx)
    assert all(f"question {number}" in sent for number in range(5))
    assert all(f"answer {number}" in sent for number in range(4))


def test_a_call_and_its_result_may_stand_in_two_requests(proxx: LiveProxx) -> None:
    proxx.provider.script(call_tool("weather", {}), model=MODELS["gemini"])
    with proxx.openai() as client:
        first = client.responses.create(model=model("gemini"), input="Weather?", tools=[TOOL])
        call = next(item for item in first.output if item.type == "function_call")
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sun over Oslo"}
        proxx.provider.script(say("Sunny."), model=MODELS["gemini"])
        second = client.responses.create(
            model=model("gemini"), input=[result], previous_response_id=first.id, tools=[TOOL]
        )
    assert second.output_text == "Sunny."
    assert "Sun over Oslo" in texts(proxx)


@pytest.mark.parametrize("dialect", TRANSLATED)
def test_an_unknown_response_is_refused_in_the_vendors_words(proxx: LiveProxx, dialect: str) -> None:
    """D162."""
    with proxx.openai() as client, pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=model(dialect), input="Hi", previous_response_id="resp_" + "0" * 32)
    assert (refused.value.code, refused.value.param) == ("previous_response_not_found", "previous_response_id")


def test_what_is_not_to_be_stored_is_not_kept(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        first = client.responses.create(model=model("ollama"), input="Hi", store=False)
        with pytest.raises(openai.BadRequestError):
            client.responses.create(model=model("ollama"), input="Again", previous_response_id=first.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(first.id)


def test_a_provider_that_keeps_responses_is_asked_unchanged(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        first = client.responses.create(model=model("openai_responses"), input="Hi")
        client.responses.create(model=model("openai_responses"), input="Again", previous_response_id=first.id)
    asked = proxx.provider.journal.last.json
    assert (asked["previous_response_id"], asked["input"]) == (first.id, "Again")


def test_the_account_that_made_a_response_is_asked_again(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        name = f"limited-responses/{MODELS['openai_responses']}"
        first = client.responses.create(model=name, input="Hi")
        before = proxx.provider.journal.last.header("authorization")
        for _ in range(3):
            client.responses.create(model=name, input="Again", previous_response_id=first.id)
            assert proxx.provider.journal.last.header("authorization") == before


def test_a_conversation_may_move_from_an_upstream_without_state_to_one_with(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        proxx.provider.script(say("Plum it is."), model=MODELS["anthropic"])
        first = client.responses.create(model=model("anthropic"), input="Remember plum.")
        second = client.responses.create(model=model("openai_responses"), input="Which?", previous_response_id=first.id)
        asked = proxx.provider.journal.last.json
        assert "previous_response_id" not in asked
        assert [item["role"] for item in asked["input"]] == ["user", "assistant", "user"]
        third = client.responses.create(model=model("gemini"), input="Sure?", previous_response_id=second.id)
    assert "Plum it is." in texts(proxx)
    assert third.previous_response_id == second.id


def test_kept_responses_are_shown_listed_and_forgotten(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        made = client.responses.create(model=model("anthropic"), input="Hi")
        assert client.responses.retrieve(made.id).model_dump() == made.model_dump()
        listed = client.responses.input_items.list(made.id)
        assert [item.content[0].text for item in listed] == ["Hi"]
        with pytest.raises(openai.BadRequestError):
            client.responses.cancel(made.id)
        client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(made.id)


def test_a_kept_response_is_not_streamed_again(proxx: LiveProxx) -> None:
    with proxx.openai() as client:
        made = client.responses.create(model=model("anthropic"), input="Hi")
        with pytest.raises(openai.BadRequestError, match="not streamed again"):
            client.responses.retrieve(made.id, stream=True, starting_after=3)


def test_an_item_may_be_referred_to(proxx: LiveProxx) -> None:
    proxx.provider.script(say("Plum it is."), model=MODELS["anthropic"])
    with proxx.openai() as client:
        first = client.responses.create(model=model("anthropic"), input="Remember plum.")
        reference = {"type": "item_reference", "id": first.output[0].id}
        client.responses.create(
            model=model("anthropic"),
            input=[
                {"role": "user", "content": "Remember plum."},
                reference,
                {"role": "user", "content": "Which?"},
            ],
        )
        assert "Plum it is." in texts(proxx)
        with pytest.raises(openai.BadRequestError, match="not found"):
            client.responses.create(model=model("anthropic"), input=[{"type": "item_reference", "id": "msg_no"}])


def test_a_response_is_kept_though_its_stream_began_early(start_proxx: StartProxx) -> None:
    proxx = start_proxx(env={"PROXY_COMMIT_AFTER": "0.05", "OPENAI_BASE_URL": "http://127.0.0.1:9"})
    proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
ProviderSetting.objects.create(
    provider_id="up", base_url={proxx.provider.origin!r}, protocols=["ollama"], auth="bearer", models_paths=[]
)
Credential.objects.create(provider_id="up", secret="sk-sim-1", label="one")
"""
    )
    proxx.wait_until_served("up/sim-say")
    with proxx.openai() as client:
        with client.responses.stream(model="up/sim-late-0.5", input="Remember plum.") as stream:
            first = stream.get_final_response()
        client.responses.create(model="up/sim-say", input="Which?", previous_response_id=first.id)
    assert "Remember plum." in proxx.provider.journal.last.body.decode()
