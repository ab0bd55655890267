"""The official `google-genai` library against upstreams of all five dialects."""

from collections.abc import Iterator

import pytest
from google import genai
from google.genai import errors, types

from tests.live import LiveProxx
from tests.sdk.exchange import ARGUMENTS, FAULTS, SCHEMA, TEXT, UPSTREAMS, calls_then_answers, fails, says_text
from tests.upstreams.server import SimulatedProvider

ASK = "What is the weather in Oslo?"
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="weather", description="Tell the weather.", parameters_json_schema=SCHEMA)
        ]
    )
]


@pytest.fixture(autouse=True)
def forgiving(module_provider: SimulatedProvider) -> Iterator[None]:
    """The library writes some names in snake case; bytes that pass keep them, and the real service reads both."""
    module_provider.world.only_camel_case = False
    yield
    module_provider.world.only_camel_case = True


def client_of(proxx: LiveProxx, key: str = "") -> genai.Client:
    return genai.Client(
        api_key=key or proxx.token, http_options=types.HttpOptions(base_url=proxx.origin, timeout=30000)
    )


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_content_whole_and_streamed(proxx: LiveProxx, dialect: str) -> None:
    with client_of(proxx) as client:
        assert client.models.generate_content(model=says_text(proxx, dialect), contents=ASK).text == TEXT
        pieces = client.models.generate_content_stream(model=says_text(proxx, dialect), contents=ASK)
        assert "".join(piece.text or "" for piece in pieces) == TEXT


@pytest.mark.parametrize("way", ["whole", "stream"])
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_content_calls_a_tool(proxx: LiveProxx, dialect: str, way: str) -> None:
    config = types.GenerateContentConfig(
        tools=TOOLS, automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    model = calls_then_answers(proxx, dialect)
    with client_of(proxx) as client:
        if way == "whole":
            answers = [client.models.generate_content(model=model, contents=ASK, config=config)]
        else:
            answers = list(client.models.generate_content_stream(model=model, contents=ASK, config=config))
        parts = [part for answer in answers for part in answer.candidates[0].content.parts or ()]
        calls = [part.function_call for part in parts if part.function_call]
        assert [(call.name, call.args) for call in calls] == [("weather", ARGUMENTS)]
        told = [
            types.Content(role="user", parts=[types.Part(text=ASK)]),
            types.Content(role="model", parts=parts),
            types.Content(
                role="user",
                parts=[
                    types.Part(
                        function_response=types.FunctionResponse(
                            id=calls[0].id, name="weather", response={"output": "Sun"}
                        )
                    )
                ],
            ),
        ]
        assert client.models.generate_content(model=model, contents=told, config=config).text == TEXT


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_failures_raise_their_own_types(proxx: LiveProxx, dialect: str, fault: str) -> None:
    kind = errors.ServerError if FAULTS[fault] >= 500 else errors.ClientError
    with client_of(proxx) as client, pytest.raises(kind) as raised:
        client.models.generate_content(model=fails(proxx, dialect, fault), contents=ASK)
    assert raised.value.code == FAULTS[fault]


def test_a_wrong_key_and_an_unknown_model_raise_their_own_types(proxx: LiveProxx) -> None:
    with client_of(proxx, "sk-proxx-wrong") as client, pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model="gpt-x", contents=ASK)
    assert raised.value.code == 401
    with client_of(proxx) as client, pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model="no-such-model", contents=ASK)
    assert raised.value.code == 404
