"""The official `anthropic` library against upstreams of all five dialects."""

import anthropic
import pytest

from tests.live import LiveProxx
from tests.sdk.exchange import ARGUMENTS, FAULTS, SCHEMA, TEXT, UPSTREAMS, calls_then_answers, fails, says_text

TYPES = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    404: anthropic.NotFoundError,
    413: anthropic.APIStatusError,
    429: anthropic.RateLimitError,
    502: anthropic.InternalServerError,
}
ASK = [{"role": "user", "content": "What is the weather in Oslo?"}]
TOOL = {"name": "weather", "description": "Tell the weather.", "input_schema": SCHEMA}


def client_of(proxx: LiveProxx, key: str = "") -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=proxx.origin, api_key=key or proxx.token, max_retries=0, timeout=30)


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_messages_whole_and_streamed(proxx: LiveProxx, dialect: str) -> None:
    with client_of(proxx) as client:
        whole = client.messages.create(model=says_text(proxx, dialect), max_tokens=500, messages=ASK)
        assert whole.content[0].text == TEXT
        with client.messages.stream(model=says_text(proxx, dialect), max_tokens=500, messages=ASK) as stream:
            assert stream.get_final_text() == TEXT
            assert stream.get_final_message().usage.output_tokens > 0


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_messages_call_a_tool(proxx: LiveProxx, dialect: str, way: str) -> None:
    asked = {"model": calls_then_answers(proxx, dialect), "max_tokens": 500, "tools": [TOOL]}
    with client_of(proxx) as client:
        if way == "whole":
            answer = client.messages.create(messages=ASK, **asked)
        else:
            with client.messages.stream(messages=ASK, **asked) as stream:
                answer = stream.get_final_message()
        assert answer.stop_reason == "tool_use"
        call = next(block for block in answer.content if block.type == "tool_use")
        assert (call.name, call.input) == ("weather", ARGUMENTS)
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sun"}
        told = [*ASK, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
        assert client.messages.create(messages=told, **asked).content[0].text == TEXT


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_failures_raise_their_own_types(proxx: LiveProxx, dialect: str, fault: str) -> None:
    with client_of(proxx) as client, pytest.raises(TYPES[FAULTS[fault]]) as raised:
        client.messages.create(model=fails(proxx, dialect, fault), max_tokens=500, messages=ASK)
    assert raised.value.status_code == FAULTS[fault]
    assert raised.value.body["type"] == "error"


def test_a_wrong_key_and_an_unknown_model_raise_their_own_types(proxx: LiveProxx) -> None:
    with client_of(proxx, "sk-proxx-wrong") as client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(model="gpt-x", max_tokens=500, messages=ASK)
    with client_of(proxx) as client, pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="no-such-model", max_tokens=500, messages=ASK)


def test_tokens_are_counted_and_models_listed(proxx: LiveProxx) -> None:
    with client_of(proxx) as client:
        assert client.messages.count_tokens(model="gpt-x", messages=ASK).input_tokens > 0
        assert list(client.models.list(limit=1)) is not None
