"""What upstreams answer when they fail, and what we take it for: one test for each row of the table, by its name."""

import sys
from typing import Any

import httpx
import orjson
import pytest

from proxx.upstream import failures
from proxx.upstream.failures import KINDS, ROWS, Failure
from proxx.upstream.message import NoReply, ReplyTooLarge, ReplyTruncated


def openai(message: str = "", code: Any = None, type: str = "error_type") -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def anthropic(type: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}


def gemini(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def quota(identity: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": identity}]}


def seen(status: int | None, body: Any, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """Kind and scope of an answer; status None is an error object inside a 200."""
    failure = full(status, body, headers)
    return (failure.kind, failure.scope)


def full(status: int | None, body: Any, headers: dict[str, str] | None = None) -> Failure:
    if status is None:
        return failures.from_error_object(body)
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    return failures.classify(status, headers or {}, raw)


def test_every_row_has_a_test_of_its_name_and_a_known_kind() -> None:
    here = vars(sys.modules[__name__])
    assert [row.name for row in ROWS if f"test_{row.name}" not in here] == []
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.kind for row in ROWS} <= set(KINDS)
    assert all(code == code.lower() for row in ROWS for code in row.codes)
    assert all(row.why.endswith(".") for row in ROWS)


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


def test_a_bot_wall_is_no_verdict_on_the_key() -> None:
    page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>x</body></html>"
    failure = full(403, page)
    assert (failure.kind, failure.scope, failure.message) == ("upstream_error", "provider", "Just a moment...")


def test_a_timeout_says_so_by_code() -> None:
    assert seen(500, anthropic("timeout_error", "x")) == ("timed_out", "provider")
    assert seen(504, gemini(504, "DEADLINE_EXCEEDED", "x")) == ("timed_out", "provider")


def test_a_missing_right_says_so_by_code() -> None:
    assert seen(403, gemini(403, "PERMISSION_DENIED", "x")) == ("permission", "credential")
    assert seen(401, openai("deactivated", "account_deactivated")) == ("permission", "credential")


def test_an_error_in_a_200_that_names_a_rate() -> None:
    assert seen(None, anthropic("rate_limit_error", "x")) == ("rate_limited", "credential")
    assert seen(None, {"object": "error", "message": "Rate limit"}) == ("rate_limited", "credential")


def test_an_error_in_a_200_that_blames_the_request() -> None:
    assert seen(None, anthropic("invalid_request_error", "bad")) == ("invalid_request", "request")


def test_an_error_in_a_200_that_knows_no_such_thing() -> None:
    assert seen(None, anthropic("not_found_error", "nothing")) == ("not_found", "model")


def test_a_401_is_the_credentials() -> None:
    assert seen(401, "") == ("auth", "credential")


def test_a_402_is_a_spent_plan() -> None:
    assert seen(402, {"detail": "no"}) == ("quota_spent", "credential")


def test_a_403_is_the_credentials() -> None:
    assert seen(403, {"error": {"message": "Forbidden"}}) == ("permission", "credential")


def test_a_404_concerns_the_model() -> None:
    assert seen(404, "404 page not found") == ("not_found", "model")


def test_a_413_is_the_callers() -> None:
    assert seen(413, "<html><head><title>413 Request Entity Too Large</title>") == ("too_large", "request")


def test_a_429_is_a_rate() -> None:
    assert seen(429, "") == ("rate_limited", "credential")
    assert seen(429, anthropic("rate_limit_error", "This would exceed your account's rate limit.")) == (
        "rate_limited",
        "credential",
    )


def test_a_408_or_504_is_a_timeout() -> None:
    assert seen(408, "") == seen(504, "<html>") == ("timed_out", "provider")


@pytest.mark.parametrize("status", [498, 503, 520, 521, 522, 523, 524, 529])
def test_a_503_or_529_is_overload(status: int) -> None:
    assert seen(status, "") == ("overloaded", "provider")


@pytest.mark.parametrize("status", [301, 302, 307, 405, 409, 425, 499, 200])
def test_a_wrong_door_is_the_providers(status: int) -> None:
    assert seen(status, "<html><title>Moved</title>") == ("upstream_error", "provider")


@pytest.mark.parametrize("status", [400, 411, 415, 422, 431])
def test_any_other_4xx_is_the_callers(status: int) -> None:
    assert seen(status, {"detail": [{"loc": ["body", "n"], "msg": "field required"}]}) == ("invalid_request", "request")


def test_anything_else_is_the_providers() -> None:
    assert seen(500, openai("The server had an error", None, "server_error")) == ("upstream_error", "provider")
    unknown = ("upstream_error", "provider")
    assert seen(502, "<html>") == seen(599, "") == seen(999, "") == seen(None, {"odd": 1}) == unknown


# An error object inside a 200.


@pytest.mark.parametrize(
    ("code", "kind"),
    [(400, "invalid_request"), (401, "auth"), (429, "rate_limited"), (502, "upstream_error"), (503, "overloaded")],
)
def test_a_status_inside_a_200_counts_as_one(code: int, kind: str) -> None:
    failure = failures.from_error_object({"error": {"code": code, "message": "Provider returned error"}})
    assert (failure.kind, failure.status, failure.code) == (kind, None, str(code))


@pytest.mark.parametrize(
    "value", [None, [], {}, "text", 5, [[]], {"error": None}, {"error": []}, {"error": {"code": []}}]
)
def test_no_object_however_odd_breaks_the_reader(value: Any) -> None:
    assert failures.from_error_object(value).kind == "upstream_error"


# Exceptions.


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ConnectError("refused"), "connect_failed"),
        (httpx.ConnectTimeout("slow"), "connect_failed"),
        (httpx.ProxyError("407"), "connect_failed"),
        (httpx.ReadTimeout("silent"), "timed_out"),
        (httpx.WriteTimeout("stuck"), "timed_out"),
        (httpx.ReadError("reset"), "connect_failed"),
        (NoReply("closed"), "connect_failed"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "connect_failed"),
        (ReplyTruncated("cut"), "truncated"),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), "truncated"),
        (httpx.RemoteProtocolError("not HTTP"), "malformed"),
        (ReplyTooLarge("big"), "malformed"),
        (TimeoutError(), "timed_out"),
        (OSError("net"), "connect_failed"),
        (KeyError("ours"), "upstream_error"),
    ],
)
def test_every_exception_of_the_transport_has_a_kind(fault: Exception, kind: str) -> None:
    failure = failures.from_exception(fault)
    assert failure.kind == kind
    assert failure.status is None
    assert failure.message


def test_a_named_failure_takes_scope_and_words_from_its_kind() -> None:
    for kind, (scope, sentence) in KINDS.items():
        assert failures.named(kind) == Failure(kind, None, None, sentence, None, scope)
