"""What is said of a model whose name begins with a provider that cannot be called."""

from dataclasses import replace

import pytest

from routing import planner, providers
from tests.routing.pictures import credential, picture


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("mistral/mistral-large", "There is no account for Mistral; add one in the console."),
        ("Factory/kimi", "Factory is switched off."),
        ("nosuch/gpt-4", "No provider is named 'nosuch', and none lists 'nosuch/gpt-4'."),
        ("groq/llama", ""),
        ("gpt-x", ""),
    ],
)
def test_a_provider_that_is_named_in_vain_is_told(model: str, said: str) -> None:
    factory = replace(providers.load()["factory"], enabled=False)
    assert planner.misnamed(model, picture(credential("groq"), providers={"factory": factory})) == said
