"""Rows of the failure table about rates, quotas and money; each test has its row's name."""

from typing import Any

import pytest

from tests.upstream.errors import anthropic, full, gemini, openai, quota, seen


def test_a_daily_quota_is_spent_for_that_model() -> None:
    words = "You exceeded your current quota, please check your plan and billing details."
    body = gemini(429, "RESOURCE_EXHAUSTED", words, quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"))
    assert seen(429, body) == ("quota_spent", "model")


def test_a_minute_quota_is_only_a_rate() -> None:
    words = "You exceeded your current quota, please check your plan and billing details."
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "39s"}
    minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
    failure = full(429, [gemini(429, "RESOURCE_EXHAUSTED", words, minute, retry)])
    assert (failure.kind, failure.scope, failure.retry_after) == ("rate_limited", "model", 39.0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, anthropic("rate_limit_error", "Number of concurrent connections has exceeded your rate limit.")),
        (429, openai("concurrency quota exceeded, please wait")),
        (429, openai("您的账户已达到并发限制", "1302")),
        (None, openai("too many simultaneous requests")),
    ],
)
def test_too_many_in_flight_is_told_from_a_rate(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("too_many_at_once", "credential")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            429,
            openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
        ),
        (
            429,
            {
                "error": {
                    "type": "usage_limit_reached",
                    "message": "The usage limit has been reached",
                    "plan_type": "plus",
                }
            },
        ),
        (402, anthropic("billing_error", "pay")),
        (429, openai("余额不足", "1113")),
        (None, openai("quota", "insufficient_quota")),
        (403, openai("额度不足", "insufficient_user_quota")),
    ],
)
def test_a_spent_plan_says_so_by_code(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("quota_spent", "credential")


def test_a_rate_says_so_by_code() -> None:
    words = "Rate limit reached for gpt-9 on tokens per min (TPM): Limit 9. Try again in 6ms. Add a payment method."
    assert seen(429, openai(words, "rate_limit_exceeded", "tokens")) == ("rate_limited", "credential")
    assert seen(429, openai("频率", "1303")) == ("rate_limited", "credential")
    assert seen(None, {"response": {"error": {"code": "rate_limit_exceeded", "message": "x"}}})[0] == "rate_limited"


def test_a_429_from_behind_a_router_concerns_the_model() -> None:
    raw = {"raw": "meta/llama is temporarily rate-limited upstream. Please retry shortly.", "provider_name": "X"}
    router = {"error": {"message": "Provider returned error: rate-limited upstream", "code": 429, "metadata": raw}}
    google = gemini(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
    assert seen(429, router) == seen(429, google) == ("rate_limited", "model")


@pytest.mark.parametrize(
    "words",
    [
        "you have reached your weekly usage limit, please upgrade",
        "session usage limit reached",
        "Quota used up",
        "Insufficient balance",
        "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock",
        "daily limit reached, too many requests",
    ],
)
def test_a_429_about_quota_is_a_spent_plan(words: str) -> None:
    assert seen(429, {"error": words}) == ("quota_spent", "credential")


@pytest.mark.parametrize("words", ["Service at capacity", "temporarily limited", "Slow down!", "please wait a moment"])
def test_a_429_that_asks_for_patience_is_too_many_at_once(words: str) -> None:
    assert seen(429, {"message": words}) == ("too_many_at_once", "credential")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")),
        (500, {"error": "insufficient_funds: outstanding balance"}),
        (422, openai("Monthly limit reached")),
        (None, openai("Insufficient credits")),
    ],
)
def test_words_of_an_empty_account_are_a_spent_plan(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("quota_spent", "credential")
