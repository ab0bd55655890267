"""Usage as each provider reports it, read by its dialect and priced to the nano-dollar against sums worked out by hand.

The rates are those of the vendors' price pages, in dollars per million tokens: one dollar per million is 1,000
nano-dollars per token. Each expected cost is written as the arithmetic that a person would do.
"""

from typing import Any

import orjson
import pytest

from proxx.protocols import registry
from proxx.protocols.hub.events import Usage
from routing import pricing
from routing.facts_file import parse
from routing.pricing import Price

GPT = {
    **{"input": 1.25, "cache_read": 0.125, "output": 10, "search": 0.01},
    "tiers": [
        {"above": 0, "service": "flex", "input": 0.625, "cache_read": 0.0625, "output": 5},
        {"above": 0, "service": "priority", "input": 2.5, "cache_read": 0.25, "output": 20},
    ],
}
GPT_LONG = {
    **{"input": 2.5, "cache_read": 0.25, "output": 15},
    "tiers": [
        {"above": 272_000, "input": 5, "cache_read": 0.5, "output": 22.5},
        {"above": 0, "service": "flex", "input": 1.25, "cache_read": 0.125, "output": 7.5},
    ],
}
GPT_AUDIO = {"input": 2.5, "output": 10, "audio_in": 40, "audio_out": 80}
CLAUDE = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6, "search": 0.01} | {
    "tiers": [{"above": 200_000, "input": 6, "cache_read": 0.6, "cache_write": 7.5, "output": 22.5}]
}
GEMINI = {"input": 0.3, "audio_in": 1, "cache_read": 0.03, "output": 2.5}
PICTURES = {"input": 5, "image_in": 10, "image_out": 40, "output": 0}
DALL_E = {"input": 0, "output": 0, "image": 0.04}


def chat(usage: dict[str, Any], **beside: Any) -> tuple[str, dict[str, Any]]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    return "openai_chat", {"object": "chat.completion", "choices": [choice], "usage": usage, **beside}


def response(usage: dict[str, Any], **beside: Any) -> tuple[str, dict[str, Any]]:
    return "openai_responses", {"id": "r", "object": "response", "status": "completed", "output": [{}]} | {
        "usage": usage,
        **beside,
    }


def message(usage: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    content = [{"type": "text", "text": "Hi"}]
    return "anthropic", {"type": "message", "content": content, "stop_reason": "end_turn", "usage": usage}


def generated(usage: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    candidate = {"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}
    return "gemini", {"candidates": [candidate], "usageMetadata": usage}


def drawn(count: int, **beside: Any) -> tuple[str, dict[str, Any]]:
    return "openai_images", {"created": 1, "data": [{"b64_json": "AAAA"}] * count, **beside}


LEDGER: list[tuple[str, tuple[str, dict[str, Any]], dict[str, Any], int]] = [
    (
        "chat: 1,000 in of which 600 cached, 300 out of which 200 thought",
        chat(
            {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}
            | {"prompt_tokens_details": {"cached_tokens": 600}, "completion_tokens_details": {"reasoning_tokens": 200}}
        ),
        GPT,
        400 * 1250 + 600 * 125 + (100 + 200) * 10_000,
    ),
    (
        "chat: thinking that is only in the total is paid, too",
        chat(
            {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 90}
            | {"completion_tokens_details": {"reasoning_tokens": 60}}
        ),
        GPT,
        10 * 1250 + (20 + 60) * 10_000,
    ),
    (
        "chat: flex costs half",
        chat({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}, service_tier="flex"),
        GPT,
        1000 * 625 + 100 * 5000,
    ),
    (
        "chat: priority costs its own rates, cached ones, too",
        chat(
            {"prompt_tokens": 1000, "completion_tokens": 100} | {"prompt_tokens_details": {"cached_tokens": 800}},
            service_tier="priority",
        ),
        GPT,
        200 * 2500 + 800 * 250 + 100 * 20_000,
    ),
    (
        "chat: sound in and out has rates of its own",
        chat(
            {"prompt_tokens": 500, "completion_tokens": 400}
            | {"prompt_tokens_details": {"audio_tokens": 450}, "completion_tokens_details": {"audio_tokens": 300}}
        ),
        GPT_AUDIO,
        50 * 2500 + 450 * 40_000 + 100 * 10_000 + 300 * 80_000,
    ),
    (
        "chat: DeepSeek names its cache elsewhere",
        chat({"prompt_tokens": 100, "completion_tokens": 10, "prompt_cache_hit_tokens": 64}),
        {"input": 0.28, "cache_read": 0.028, "output": 0.42},
        36 * 280 + 64 * 28 + 10 * 420,
    ),
    (
        "responses: cached input and thinking",
        response(
            {"input_tokens": 2000, "output_tokens": 500, "input_tokens_details": {"cached_tokens": 1500}}
            | {"output_tokens_details": {"reasoning_tokens": 450}}
        ),
        GPT,
        500 * 1250 + 1500 * 125 + 500 * 10_000,
    ),
    (
        "responses: one token more than 272,000 makes the whole call long",
        response({"input_tokens": 272_001, "output_tokens": 10, "input_tokens_details": {"cached_tokens": 1}}),
        GPT_LONG,
        272_000 * 5000 + 1 * 500 + 10 * 22_500,
    ),
    (
        "responses: long and flex at once is half of long",
        response({"input_tokens": 300_000, "output_tokens": 10}, service_tier="flex"),
        GPT_LONG,
        300_000 * 2500 + 10 * 11_250,
    ),
    (
        "responses: two searches beside the words",
        response(
            {"input_tokens": 10, "output_tokens": 5},
            output=[{"type": "web_search_call"}, {"type": "web_search_call"}, {"type": "message", "content": []}],
        ),
        GPT,
        10 * 1250 + 5 * 10_000 + 2 * 10_000_000,
    ),
    (
        "messages: four kinds of input side by side",
        message(
            {"input_tokens": 100, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 700}
            | {"cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 400}}
            | {"output_tokens": 50}
        ),
        CLAUDE,
        100 * 3000 + 5000 * 300 + 300 * 3750 + 400 * 6000 + 50 * 15_000,
    ),
    (
        "messages: cached tokens count for the length; an hour's cache grows in proportion",
        message(
            {"input_tokens": 1, "cache_read_input_tokens": 200_000, "cache_creation_input_tokens": 10}
            | {"cache_creation": {"ephemeral_1h_input_tokens": 10}, "output_tokens": 2}
        ),
        CLAUDE,
        1 * 6000 + 200_000 * 600 + 10 * 12_000 + 2 * 22_500,
    ),
    (
        "messages: three searches at a cent each",
        message({"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"web_search_requests": 3}}),
        CLAUDE,
        10 * 3000 + 5 * 15_000 + 3 * 10_000_000,
    ),
    (
        "gemini: thoughts beside the answer, a tool's prompt beside the prompt",
        generated(
            {"promptTokenCount": 1000, "toolUsePromptTokenCount": 50, "cachedContentTokenCount": 400}
            | {"candidatesTokenCount": 20, "thoughtsTokenCount": 80}
        ),
        GEMINI,
        (1000 + 50 - 400) * 300 + 400 * 30 + (20 + 80) * 2500,
    ),
    (
        "gemini: sound that was read from the cache is not paid as sound",
        generated(
            {"promptTokenCount": 1000, "cachedContentTokenCount": 300, "candidatesTokenCount": 10}
            | {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 700}, {"modality": "TEXT"}]}
            | {"cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 300}]}
        ),
        GEMINI,
        300 * 300 + 400 * 1000 + 300 * 30 + 10 * 2500,
    ),
    (
        "images: words and pictures in, a picture's tokens out",
        drawn(
            1,
            usage={"input_tokens": 350, "output_tokens": 4160, "total_tokens": 4510}
            | {"input_tokens_details": {"text_tokens": 50, "image_tokens": 300}},
        ),
        PICTURES,
        50 * 5000 + 300 * 10_000 + 4160 * 40_000,
    ),
    ("images: two pictures by the piece", drawn(2), DALL_E, 2 * 40_000_000),
    ("ollama: what an own machine answers costs nothing", ("ollama", {"prompt_eval_count": 9, "eval_count": 4}), {}, 0),
]


def price_of(said: dict[str, Any]) -> Price:
    if not said:
        return pricing.FREE
    price = parse({"providers": {"maker": {"model": {"price": said}}}}).providers["maker"]["model"].price
    assert price is not None
    return price


def usage_of(dialect: str, body: dict[str, Any]) -> Usage:
    if dialect == "ollama":
        body = {"message": {"role": "assistant", "content": "Hi"}, "done": True, "done_reason": "stop", **body}
    usage = registry.get(dialect).watch_whole(orjson.dumps(body)).usage
    assert usage is not None
    return usage


@pytest.mark.parametrize(("reported", "price", "by_hand"), [row[1:] for row in LEDGER], ids=[row[0] for row in LEDGER])
def test_a_reported_usage_costs_what_a_person_works_out(reported, price, by_hand):
    assert pricing.cost(usage_of(*reported), price_of(price)) == by_hand


def test_pictures_without_any_price_are_unpriced_and_not_free():
    assert pricing.cost(usage_of(*drawn(1)), Price(input=1, output=1)) is None
