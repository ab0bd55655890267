"""Lists of models in every shape that providers use."""

from typing import Any

import pytest

from routing.catalog.sources import CatalogFault, Listed, parse


@pytest.mark.parametrize(
    "payload",
    [
        ["a", "b"],
        {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
        {"data": ["a", "b"]},
        {"models": ["a", "b"]},
        {"models": [{"id": "a"}, {"name": "b"}]},
        {"models": [{"model": "a"}, {"slug": "b"}]},
        {
            "data": [
                {"id": "a"},
                {"id": "A"},
                {"id": "b"},
                {"id": ""},
                {},
                7,
                None,
                {"id": "line\nbreak"},
                {"id": "x" * 201},
            ]
        },
    ],
)
def test_every_shape_gives_the_same_names(payload: Any) -> None:
    assert [listed.model_id for listed in parse(payload)] == ["a", "b"]


@pytest.mark.parametrize("payload", [None, 7, "text", {}, {"data": {}}, {"models": "a"}, {"error": {"message": "no"}}])
def test_what_is_no_list_is_told(payload: Any) -> None:
    with pytest.raises(CatalogFault):
        parse(payload)


def test_openrouter_says_much() -> None:
    entry = {
        "id": "vendor/big",
        "name": "Vendor: Big",
        "created": 1700000000,
        "context_length": 200000,
        "top_provider": {"context_length": 128000, "max_completion_tokens": 32000},
        "supported_parameters": ["tools", "temperature"],
    }
    assert parse({"data": [entry]}) == [
        Listed("vendor/big", "Vendor: Big", 1700000000, 200000, 32000, supports_reasoning=False, supports_tools=True)
    ]


def test_gemini_names_lose_their_collection_and_useless_methods_their_models() -> None:
    payload = {
        "models": [
            {
                "name": "models/gemini-3",
                "displayName": "Gemini 3",
                "inputTokenLimit": 1048576,
                "outputTokenLimit": 65536,
                "thinking": True,
                "supportedGenerationMethods": ["generateContent", "countTokens"],
            },
            {"name": "models/imagen", "supportedGenerationMethods": ["predict"]},
        ]
    }
    assert parse(payload) == [Listed("gemini-3", "Gemini 3", 0, 1048576, 65536, supports_reasoning=True)]


def test_anthropic_says_when_in_words() -> None:
    entry = {"id": "claude-x", "display_name": "Claude X", "created_at": "2025-01-01T00:00:00Z", "type": "model"}
    assert parse({"data": [entry], "has_more": False}) == [Listed("claude-x", "Claude X", 1735689600)]


def test_ollama_tags_are_names() -> None:
    payload = {"models": [{"name": "llama3:8b", "model": "llama3:8b", "size": 1, "details": {}}]}
    assert [listed.model_id for listed in parse(payload)] == ["llama3:8b"]


def test_the_codex_list_is_by_slug() -> None:
    entry = {
        "slug": "gpt-5-codex",
        "display_name": "Codex",
        "context_window": 272000,
        "supported_reasoning_levels": ["low"],
    }
    assert parse({"models": [entry]}) == [Listed("gpt-5-codex", "Codex", 0, 272000, None, supports_reasoning=True)]


@pytest.mark.parametrize("value", [-1, 0, True, "many", float("nan"), float("inf"), 10**30, None, [], {}])
def test_a_number_that_makes_no_sense_is_unknown(value: Any) -> None:
    assert parse({"data": [{"id": "a", "context_window": value, "created": value}]}) == [Listed("a")]
