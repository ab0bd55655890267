"""The official `ollama` library against upstreams of all five dialects."""

import contextlib
from collections.abc import Iterator

import ollama
import pytest

from tests.live import LiveProxx
from tests.sdk.exchange import ARGUMENTS, FAULTS, SCHEMA, TEXT, UPSTREAMS, calls_then_answers, fails, says_text

ASK = [{"role": "user", "content": "What is the weather in Oslo?"}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA},
}


@contextlib.contextmanager
def client_of(proxx: LiveProxx, key: str = "") -> Iterator[ollama.Client]:
    client = ollama.Client(host=proxx.origin, headers={"authorization": f"Bearer {key or proxx.token}"}, timeout=30)
    try:
        yield client
    finally:
        client._client.close()  # the library has no way of its own


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_chat_whole_and_streamed(proxx: LiveProxx, dialect: str) -> None:
    with client_of(proxx) as client:
        assert client.chat(model=says_text(proxx, dialect), messages=ASK).message.content == TEXT
        pieces = client.chat(model=says_text(proxx, dialect), messages=ASK, stream=True)
        assert "".join(piece.message.content or "" for piece in pieces) == TEXT


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_generate_whole_and_streamed(proxx: LiveProxx, dialect: str) -> None:
    with client_of(proxx) as client:
        assert client.generate(model=says_text(proxx, dialect), prompt="Hi").response == TEXT
        pieces = client.generate(model=says_text(proxx, dialect), prompt="Hi", stream=True)
        assert "".join(piece.response for piece in pieces) == TEXT


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_chat_calls_a_tool(proxx: LiveProxx, dialect: str, way: str) -> None:
    model = calls_then_answers(proxx, dialect)
    with client_of(proxx) as client:
        if way == "whole":
            answers = [client.chat(model=model, messages=ASK, tools=[TOOL])]
        else:
            answers = list(client.chat(model=model, messages=ASK, tools=[TOOL], stream=True))
        message = next(answer.message for answer in answers if answer.message.tool_calls)
        assert [(one.function.name, one.function.arguments) for one in message.tool_calls] == [("weather", ARGUMENTS)]
        told = [*ASK, message, {"role": "tool", "tool_name": "weather", "content": "Sun"}]
        assert client.chat(model=model, messages=told, tools=[TOOL]).message.content == TEXT


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_failures_raise_their_own_types(proxx: LiveProxx, dialect: str, fault: str) -> None:
    with client_of(proxx) as client, pytest.raises(ollama.ResponseError) as raised:
        client.chat(model=fails(proxx, dialect, fault), messages=ASK)
    assert raised.value.status_code == FAULTS[fault]


def test_a_wrong_key_and_an_unknown_model_raise_their_own_types(proxx: LiveProxx) -> None:
    with client_of(proxx, "sk-proxx-wrong") as client, pytest.raises(ollama.ResponseError) as raised:
        client.chat(model="gpt-x", messages=ASK)
    assert raised.value.status_code == 401
    with client_of(proxx) as client, pytest.raises(ollama.ResponseError) as raised:
        client.chat(model="no-such-model", messages=ASK)
    assert raised.value.status_code == 404
