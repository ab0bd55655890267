"""Bodies of every shape, and times to wait in every notation."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.kit import clock
from proxx.upstream import failures
from proxx.upstream.failures import body, prose, wait

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "message", "code"),
    [
        (b'{"error":{"message":"m","type":"t","code":"c"}}', "m", "c"),
        (b'{"error":{"message":"m","type":"t","code":null}}', "m", "t"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', "m", "overloaded_error"),
        (b'{"error":{"code":404,"message":"m","status":"NOT_FOUND"}}', "m", "404"),
        (b'[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]', "m", "400"),
        (b'{"error":"m"}', "m", None),
        (b'{"error":"E_CODE","message":"m"}', "m", None),
        (b'{"object":"error","message":"m","code":40001}', "m", "40001"),
        (b'{"detail":"m"}', "m", None),
        (b'{"detail":[{"loc":["body"],"msg":"m","type":"missing"}]}', "m", "missing"),
        (b'{"errors":[{"message":"m","code":"c"}]}', "m", "c"),
        (b'{"msg":"m","code":1302}', "m", "1302"),
        (b'{"response":{"status":"failed","error":{"code":"c","message":"m"}}}', "m", "c"),
        (b'event: error\ndata: {"error":{"message":"m","code":"c"}}\n\n', "m", "c"),
        (b'data: {"error":{"message":"m"}}\n\ndata: [DONE]\n\n', "m", None),
        (b"plain  text\r\n", "plain text", None),
        (b"<html><head><title>502 Bad Gateway</title></head>", "502 Bad Gateway", None),
        (b"\xff\xfe", "��", None),
        (b"", "", None),
    ],
)
def test_one_reader_finds_message_and_code_in_every_shape(raw: bytes, message: str, code: str | None) -> None:
    facts = body.read(raw)
    assert (facts.message, facts.code) == (message, code)


def test_what_a_router_quotes_from_the_vendor_is_read_too() -> None:
    quoted = orjson.dumps({"error": {"message": "prompt is too long", "type": "invalid_request_error"}}).decode()
    error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": quoted, "provider_name": "A"}}
    failure = failures.classify(400, {}, orjson.dumps({"error": error}))
    assert failure.kind == "context_length"
    assert failure.message == "Provider returned error prompt is too long"


def test_an_inner_code_counts() -> None:
    error = {"message": "filtered", "code": "bad", "innererror": {"code": "ResponsibleAIPolicyViolation"}}
    assert failures.classify(400, {}, orjson.dumps({"error": error})).kind == "content_policy"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["error", "errors", "detail", "details", "message", "msg", "code", "type", "status"])
                | st.sampled_from(["metadata", "raw", "violations", "innererror", "headers", "response", "retryDelay"])
                | st.text(max_size=5),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_body_however_odd_breaks_the_reader(value: Any) -> None:
    failure = failures.classify(500, {}, json.dumps(value).encode())
    assert failure.kind in failures.KINDS
    failures.from_error_object(value)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    assert failures.classify(400, {}, raw).message


def nested(depth: int, wrap: Callable[[Any], Any], inmost: Any = "x") -> Any:
    for _ in range(depth):
        inmost = wrap(inmost)
    return inmost


@pytest.mark.parametrize(
    "key", ["message", "innererror", "metadata", "headers", "detail", "details", "violations", "error"]
)
@pytest.mark.parametrize(
    "wrap", [lambda inner: [inner], lambda inner: {"msg": inner}, None], ids=["list", "dict", "same"]
)
def test_nesting_however_deep_breaks_nothing(key: str, wrap: Callable[[Any], Any] | None) -> None:
    wrap = wrap or (lambda inner: {key: inner})
    error = {"code": "c", "retry_after": nested(100_000, wrap), key: nested(100_000, wrap)}
    assert failures.from_error_object({"error": error}).kind in failures.KINDS
    text = b'{"error":' + b'{"%b":' % key.encode() * 1000 + b"1" + b"}" * 1001
    assert failures.classify(400, {}, text).kind == "invalid_request"
    text = b'{"error":{"code":"c","%b":' % key.encode() + b"[" * 1000 + b"]" * 1000 + b"}}"
    assert failures.classify(400, {}, text).kind == "invalid_request"


def test_what_lies_too_deep_is_left_out() -> None:
    layers = nested(20, lambda inner: {"message": "m", "innererror": inner}, {"code": "deep"})
    assert body.read_object({"error": layers}).codes == frozenset()
    layers = nested(5, lambda inner: {"message": "m", "innererror": inner}, {"code": "near"})
    assert body.read_object({"error": layers}).codes == {"near"}
    assert (
        body.read_object({"error": {"message": nested(20, lambda inner: [inner])}}).message == "[" * 8 + "'…'" + "]" * 8
    )


def test_a_reader_that_stands_too_deep_finds_nothing_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: object) -> str:
        raise RecursionError

    monkeypatch.setattr(prose, "clean", too_deep)
    assert body.read(b'{"error":{"message":"m"}}') == body.Facts()


# Times to wait.


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20.0),
        ("1.5", 1.5),
        ("-3", -3.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("373.8ms", 0.3738),
        ("39s", 39.0),
        (str(int(NOW.timestamp()) + 90), 90.0),
        (str((int(NOW.timestamp()) + 90) * 1000), 90.0),
        ("2026-03-01T12:01:30Z", 90.0),
        (format_datetime(NOW.replace(minute=2), usegmt=True), 120.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("12 parsecs", None),
        ("Mon, 99 Foo 2026", None),
    ],
)
def test_every_notation_of_a_time_is_read(text: str, seconds: float | None) -> None:
    with clock.stopped(NOW):
        assert wait.parse(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 2m30s.", 150.0),
        ("try again in 1.2s", 1.2),
        ("Please try again in 800ms. Visit https://x", 0.8),
        ("Please wait 1.37s before retrying", 1.37),
        ("limit reached, try again in 5d 12h", 475200.0),
        ("Please retry after 20 seconds.", 20.0),
        ("Try again in 1 hour and 5 minutes", 3900.0),
        ("Please retry in 39.521s", 39.521),
        ("Rate limit resets in 3 days, 2 hours", 266400.0),
        ("Used 9000, Requested 2000 in 60s", None),
        ("try again later", None),
        ("try again in 5 parsecs", None),
        ("retry in 10 messages", None),
    ],
)
def test_a_time_in_prose_is_read_where_a_limit_was_hit(words: str, seconds: float | None) -> None:
    raw = orjson.dumps({"error": {"message": words, "code": "rate_limit_exceeded"}})
    found = failures.classify(429, {}, raw).retry_after
    assert found == (None if seconds is None else pytest.approx(seconds))
    assert failures.classify(500, {}, orjson.dumps({"error": words})).retry_after is None


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, {}, 1.5),
        ({"retry-after": "7"}, {"resets_in_seconds": 3600}, 3600.0),
        ({}, {"type": "usage_limit_reached", "resets_at": int(NOW.timestamp()) + 60}, 60.0),
        ({}, {"details": [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "39s"}]}, 39.0),
        ({}, {"details": [{"metadata": {"quotaResetDelay": "373.8ms"}}]}, 0.3738),
        ({}, {"metadata": {"headers": {"X-RateLimit-Reset": str(int(NOW.timestamp() + 30) * 1000)}}}, 30.0),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, {}, 1.0),
        (
            {
                "x-ratelimit-remaining-requests": "99",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            {},
            360.0,
        ),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:20Z",
                "anthropic-ratelimit-tokens-remaining": "10",
                "anthropic-ratelimit-tokens-reset": "2026-03-01T12:00:05Z",
            },
            {},
            20.0,
        ),
        ({"anthropic-ratelimit-unified-reset": str(int(NOW.timestamp()) + 9000)}, {}, 9000.0),
        ({"x-ratelimit-reset": "12"}, {}, 12.0),
        ({"retry-after": "-5"}, {}, 0.0),
        ({"retry-after": "99999999"}, {}, 8 * 86400.0),
        ({"retry-after": str(400 * 86400)}, {}, 8 * 86400.0),
        ({"retry-after": str(7 * 86400)}, {}, 7 * 86400.0),
        ({"retry-after": "soon"}, {"message": "try again in 4s"}, 4.0),
        ({}, {"message": "no idea"}, None),
    ],
)
def test_the_time_to_wait_is_found_in_order_of_belief(
    headers: dict[str, str], error: dict[str, Any], seconds: float | None
) -> None:
    with clock.stopped(NOW):
        found = failures.classify(429, headers, orjson.dumps({"error": error})).retry_after
    assert found == (None if seconds is None else pytest.approx(seconds, abs=1.0 if seconds == 30.0 else 1e-6))


def test_reset_headers_mean_nothing_where_no_limit_was_hit() -> None:
    headers = {"x-ratelimit-reset-requests": "6m0s"}
    assert failures.classify(400, headers, b"{}").retry_after is None
    assert failures.classify(500, {**headers, "retry-after": "3"}, b"{}").retry_after == 3.0
