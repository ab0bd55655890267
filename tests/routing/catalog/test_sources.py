"""Lists of models in every shape that providers use."""

from typing import Any

import pytest

from routing.catalog.sources import CatalogFault, Listed, next_page, parse


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
        "architecture": {"input_modalities": ["file", "image", "text"], "output_modalities": ["text"]},
        "pricing": {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0", "request": "0"},
        "supported_parameters": ["tools", "temperature"],
    }
    assert parse({"data": [entry]}) == [
        Listed(
            "vendor/big",
            "Vendor: Big",
            1700000000,
            200000,
            32000,
            supports_reasoning=False,
            supports_tools=True,
            inputs=("text", "image", "pdf"),
            outputs=("text",),
            price={"input": 3_000_000_000, "output": 15_000_000_000},
        )
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
    assert parse(payload) == [
        Listed("gemini-3", "Gemini 3", 0, 1048576, 65536, supports_reasoning=True, outputs=("text",))
    ]


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


@pytest.mark.parametrize(
    ("entry", "price"),
    [
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, {}),
        ({"pricing": {"prompt": "0", "completion": "0"}}, {"input": 0, "output": 0}),
        ({"pricing": {"prompt": "0.000001"}}, {}),
        (
            {"pricing": {"prompt": "0.000001", "completion": "0.000001", "request": "0.005"}},
            {"input": 1_000_000_000, "output": 1_000_000_000, "request": 5_000_000},
        ),
        ({"pricing": "free"}, {}),
        ({"pricing": {"input": 0.88, "output": 0.88}}, {"input": 880_000_000, "output": 880_000_000}),
        (
            {"input_price": 2.5e-07, "output_price": 1e-06, "cached_price": 2.5e-08, "caching_price": 0},
            {"input": 250_000_000, "output": 1_000_000_000, "cache_read": 25_000_000},
        ),
    ],
)
def test_a_price_is_read_in_its_own_unit_or_not_at_all(entry: dict[str, Any], price: dict[str, int]) -> None:
    assert parse({"data": [{"id": "a", **entry}]})[0].price == price


@pytest.mark.parametrize(
    ("entry", "inputs"),
    [
        ({}, None),
        ({"input_modalities": ["text", "image"]}, ("text", "image")),
        ({"capabilities": {"vision": False}}, ("text",)),
        (
            {"capabilities": {"image_input": {"supported": True}, "pdf_input": {"supported": True}}},
            ("text", "image", "pdf"),
        ),
        ({"supports_image_input": True}, ("text", "image")),
        ({"input_modalities": []}, None),
    ],
)
def test_what_a_model_reads_has_many_names(entry: dict[str, Any], inputs: tuple[str, ...] | None) -> None:
    assert parse({"data": [{"id": "a", **entry}]})[0].inputs == inputs


def test_what_codex_hides_from_its_own_client_is_not_listed() -> None:
    payload = {"models": [{"slug": "a", "visibility": "list"}, {"slug": "b", "visibility": "hide"}]}
    assert [listed.model_id for listed in parse(payload)] == ["a"]


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        ({"models": [], "nextPageToken": "p 2"}, ("pageToken", "p 2")),
        ({"data": [], "has_more": True, "last_id": "b"}, ("after_id", "b")),
        ({"data": [], "has_more": False, "last_id": "b"}, None),
        ({"models": [], "nextPageToken": ""}, None),
        (["a"], None),
    ],
)
def test_a_list_says_how_it_goes_on(payload: Any, more: tuple[str, str] | None) -> None:
    assert next_page(payload) == more


@pytest.mark.parametrize("visibility", [[], {}, 7, None])
def test_an_odd_visibility_hides_nothing(visibility: Any) -> None:
    assert [listed.model_id for listed in parse([{"id": "a", "visibility": visibility}])] == ["a"]


def test_tools_are_named_in_letters_that_every_database_takes() -> None:
    (listed,) = parse([{"id": "a", "tool_types": ["a\x00", "\ud800", "", 7, "web_search"]}])
    assert listed.tool_types == ("a", "web_search")
