"""Rows of the failure table about requests, keys, models and overload; each test has its row's name."""

from typing import Any

import pytest

from tests.upstream.errors import anthropic, gemini, openai, seen


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            400,
            openai("This model's maximum context length is 8192 tokens. Yet", "context_length_exceeded"),
        ),
        (400, openai("This model's maximum context length is 8192 tokens, however you requested 9000 tokens")),
        (400, anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum")),
        (
            400,
            anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3"),
        ),
        (
            400,
            gemini(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens (8)"),
        ),
        (400, {"error": {"code": 400, "message": "the request exceeds the available context size, try increasing it"}}),
        (413, {"error": "context length exceeded"}),
        (None, {"code": "context_length_exceeded", "message": "Your input exceeds the context window of this model."}),
        (None, openai("", "context_length_exceeded")),
    ],
)
def test_a_context_overflow_is_the_callers(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("context_length", "request")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, openai("Your request was rejected as a result of our safety system.", "content_policy_violation")),
        (400, openai("The response was filtered due to Azure OpenAI's content management policy.", "content_filter")),
        (403, openai("Your input was flagged", 403)),
        (400, openai("no", "cyber_policy")),
        (400, openai("sensitive", "1301")),
        (None, openai("Invalid prompt: limited access", "invalid_prompt")),
    ],
)
def test_refused_content_is_the_callers(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("content_policy", "request")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, openai("Incorrect API key provided: sk-abcd****wxyz.", "invalid_api_key", "invalid_request_error")),
        (401, anthropic("authentication_error", "invalid x-api-key")),
        (
            400,
            gemini(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Pass a valid one.",
                {"reason": "API_KEY_INVALID"},
            ),
        ),
        (401, gemini(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")),
        (400, openai("身份验证失败", "1002")),
        (403, openai("invalid bearer token")),
    ],
)
def test_a_wrong_key_is_the_credentials(status: int, body: Any) -> None:
    assert seen(status, body) == ("auth", "credential")


def test_a_refused_region_is_the_providers() -> None:
    region = openai("Country, region, or territory not supported", "unsupported_country_region_territory")
    google = gemini(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
    assert seen(403, region) == seen(400, google) == ("permission", "provider")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, openai("To use Codex with your plan, upgrade", None, "usage_not_included")),
        (400, {"detail": "The 'gpt-9' model is not supported when using Codex with a ChatGPT account."}),
        (403, openai("Project `p` does not have access to model `gpt-9`", None)),
        (403, anthropic("permission_error", "Your account is not authorized to use this model")),
        (400, openai("This model is not available in your current plan")),
    ],
)
def test_a_model_outside_the_plan_is_the_accounts(status: int, body: Any) -> None:
    assert seen(status, body) == ("permission", "model")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, openai("The model `gpt-9` does not exist or you do not have access to it.", "model_not_found")),
        (404, anthropic("not_found_error", "model: claude-9")),
        (404, gemini(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta, or is not supported")),
        (404, {"error": 'model "llama9" not found, try pulling it first'}),
        (400, openai("llama-9 is not a valid model ID", 400)),
        (400, openai("Model Not Exist", "invalid_request_error")),
        (400, openai("The model `x-1.5` has been decommissioned", "model_decommissioned")),
        (404, openai("No endpoints found for nobody/nothing.", 404)),
        (400, openai("模型不存在", "1211")),
        (None, {"error": "model 'llama9' not found"}),
    ],
)
def test_an_unknown_model_is_looked_for_elsewhere(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("not_found", "model")


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "max_tokens is too large: 9000. This model supports at most 4096 completion tokens",
        "Invalid value: 'modle'. Supported values are: 'assistant', 'user'.",
        "No tool output found for function call call_1.",
        "The model produced an answer that does not match the schema",
    ],
)
def test_a_request_that_only_mentions_the_model_stays_the_callers(message: str) -> None:
    assert seen(400, openai(message, None, "invalid_request_error")) == ("invalid_request", "request")


def test_a_request_too_large_says_so_by_code() -> None:
    assert seen(400, openai("x", "request_too_large")) == ("too_large", "request")
    assert seen(None, openai("Request body is too large")) == ("too_large", "request")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")),
        (503, {"error": "Model org/name is currently loading", "estimated_time": 20.0}),
        (429, openai("That model is currently overloaded with other requests.", None, "server_error")),
        (400 + 29, openai("高峰", "1312")),
    ],
)
def test_an_overloaded_model_rests_alone(status: int, body: Any) -> None:
    assert seen(status, body) == ("overloaded", "model")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (529, anthropic("overloaded_error", "Overloaded")),
        (None, anthropic("overloaded_error", "Overloaded")),
        (503, openai("Slow down", "slow_down")),
        (429, openai("The engine is currently overloaded, please try again later", None, "engine_overloaded_error")),
        (None, {"response": {"error": {"code": "server_is_overloaded", "message": "busy"}}}),
        (503, "no healthy upstream"),
    ],
)
def test_an_overloaded_provider_is_left_alone(status: int | None, body: Any) -> None:
    assert seen(status, body) == ("overloaded", "provider")
