"""The official `openai` library, chat and responses, against upstreams of all five dialects."""

import json

import openai
import pytest

from tests.live import LiveProxx
from tests.sdk.exchange import ARGUMENTS, FAULTS, SCHEMA, TEXT, UPSTREAMS, calls_then_answers, fails, says_text

FUNCTION = {"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA}
TYPES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    404: openai.NotFoundError,
    413: openai.APIStatusError,
    429: openai.RateLimitError,
    502: openai.InternalServerError,
}
ASK = [{"role": "user", "content": "What is the weather in Oslo?"}]


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_chat_whole_and_streamed(proxx: LiveProxx, dialect: str) -> None:
    with proxx.openai() as client:
        whole = client.chat.completions.create(model=says_text(proxx, dialect), messages=ASK)
        assert whole.choices[0].message.content == TEXT
        with client.chat.completions.stream(model=says_text(proxx, dialect), messages=ASK) as stream:
            for _ in stream:
                continue
            assert stream.get_final_completion().choices[0].message.content == TEXT


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_chat_calls_a_tool(proxx: LiveProxx, dialect: str, way: str) -> None:
    asked = {"model": calls_then_answers(proxx, dialect), "tools": [{"type": "function", "function": FUNCTION}]}
    with proxx.openai() as client:
        if way == "whole":
            message = client.chat.completions.create(messages=ASK, **asked).choices[0].message
        else:
            with client.chat.completions.stream(messages=ASK, **asked) as stream:
                for _ in stream:
                    continue
                message = stream.get_final_completion().choices[0].message
        call = message.tool_calls[0]
        assert (call.function.name, json.loads(call.function.arguments)) == ("weather", ARGUMENTS)
        told = [
            *ASK,
            message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "Sun"},
        ]
        for one in told[1]["tool_calls"]:
            one["function"].pop("parsed_arguments", None)
            one.pop("index", None)
        told[1].pop("parsed", None)
        assert client.chat.completions.create(messages=told, **asked).choices[0].message.content == TEXT


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_responses_whole_and_streamed(proxx: LiveProxx, dialect: str) -> None:
    with proxx.openai() as client:
        assert client.responses.create(model=says_text(proxx, dialect), input="Hi", store=False).output_text == TEXT
        with client.responses.stream(model=says_text(proxx, dialect), input="Hi", store=False) as stream:
            for _ in stream:
                continue
            assert stream.get_final_response().output_text == TEXT


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_responses_call_a_tool(proxx: LiveProxx, dialect: str, way: str) -> None:
    asked = {"model": calls_then_answers(proxx, dialect), "tools": [{"type": "function", **FUNCTION}], "store": False}
    with proxx.openai() as client:
        if way == "whole":
            answer = client.responses.create(input=ASK, **asked)
        else:
            with client.responses.stream(input=ASK, **asked) as stream:
                for _ in stream:
                    continue
                answer = stream.get_final_response()
        call = next(item for item in answer.output if item.type == "function_call")
        assert (call.name, json.loads(call.arguments)) == ("weather", ARGUMENTS)
        history = [item.model_dump(exclude_none=True) for item in answer.output]
        for item in history:
            item.pop("parsed_arguments", None)
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sun"}
        assert client.responses.create(input=[*ASK, *history, result], **asked).output_text == TEXT


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_failures_raise_their_own_types(proxx: LiveProxx, dialect: str, fault: str) -> None:
    status = FAULTS[fault]
    with proxx.openai() as client:
        with pytest.raises(TYPES[status]) as chat:
            client.chat.completions.create(model=fails(proxx, dialect, fault), messages=ASK)
        with pytest.raises(TYPES[status]) as response:
            client.responses.create(model=fails(proxx, dialect, fault), input="Hi", stream=True, store=False)
    assert (chat.value.status_code, response.value.status_code) == (status, status)


def test_a_wrong_key_and_an_unknown_model_raise_their_own_types(proxx: LiveProxx) -> None:
    with proxx.openai(api_key="sk-proxx-wrong") as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="gpt-x", messages=ASK)
    with proxx.openai() as client, pytest.raises(openai.NotFoundError):
        client.responses.create(model="no-such-model", input="Hi")
