"""What upstreams answer when they fail, and what we take it for. Each row of the table has a test of its name."""

from typing import Any

import httpx
import pytest

from proxx.upstream import failures
from proxx.upstream.failures import KINDS, ROWS, Failure
from proxx.upstream.message import NoReply, ReplyTooLarge, ReplyTruncated
from tests.upstream import test_failures_of_limits, test_failures_of_requests
from tests.upstream.errors import anthropic, full, gemini, openai, seen


def test_every_row_has_a_test_of_its_name_and_a_known_kind() -> None:
    here = {*globals(), *vars(test_failures_of_requests), *vars(test_failures_of_limits)}
    assert [row.name for row in ROWS if f"test_{row.name}" not in here] == []
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.kind for row in ROWS} <= set(KINDS)
    assert all(code == code.lower() for row in ROWS for code in row.codes)
    assert all(row.why.endswith(".") for row in ROWS)


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
