"""Asking how much of a plan is left: windows by their length, every spelling, and no claim without an answer."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from oauth import plan_usage
from oauth.plan_usage import FIVE_HOURS, WEEK, PlanUsage, UsageUnknown, Window
from proxx.kit import clock as clocks
from proxx.upstream import client
from tests.routing.catalog.test_refresh import Answer, upstream

CODEX = {
    "plan_type": "Plus",
    "rate_limit": {
        "allowed": True,
        "limit_reached": False,
        "primary_window": {"used_percent": 12, "limit_window_seconds": 18000, "reset_at": 1900000000},
        "secondary_window": {"used_percent": 34, "limit_window_seconds": 604800, "reset_at": 1900300000},
    },
    "code_review_rate_limit": {"primary_window": {"used_percent": 100, "limit_window_seconds": 604800}},
}
BOTH = (Window("five_hour", 12.0, 1900000000.0, FIVE_HOURS), Window("weekly", 34.0, 1900300000.0, WEEK))


@pytest.fixture(autouse=True)
def clock() -> Iterator[clocks.Stopped]:
    """Some hours before the windows of these tests end."""
    with clocks.stopped(datetime(2030, 3, 17, 15, tzinfo=UTC)) as stopped:
        yield stopped


def about(usage: PlanUsage) -> list[tuple[str, float, int | None]]:
    return [(one.name, one.used, one.resets_at and round(one.resets_at)) for one in usage.windows]


def asked(answer: Answer, style: str = "codex", account_id: str = "", **fields: Any) -> tuple[PlanUsage, list[Any]]:
    async def ask() -> tuple[PlanUsage, list[Any]]:
        async with upstream(answer) as (base, arrived):
            try:
                usage = await plan_usage.ask(
                    style, base_url=f"{base}/backend-api", secret="sk-1", account_id=account_id, seconds=2, **fields
                )
            finally:
                await client.close_all()
            return usage, arrived

    return asyncio.run(ask())


def test_codex_is_asked_as_its_own_client_asks() -> None:
    usage, arrived = asked(lambda path, headers: (200, CODEX), account_id="acc-1")
    assert about(usage) == [("five_hour", 12.0, 1900000000), ("weekly", 34.0, 1900300000),
                            ("code_review_weekly", 100.0, None)]  # fmt: skip
    assert [one.is_ours for one in usage.windows] == [True, True, False]
    assert (usage.plan, usage.stopped, usage.has_credits, usage.wrong_workspace) == ("plus", False, False, False)
    [(path, headers)] = arrived
    assert path == "/backend-api/wham/usage"
    assert (headers["authorization"], headers["chatgpt-account-id"]) == ("Bearer sk-1", "acc-1")


def test_a_workspace_that_is_gone_is_left_out() -> None:
    def answer(path: str, headers: dict[str, str]) -> tuple[int, Any]:
        if "chatgpt-account-id" in headers:
            return 403, {"error": {"code": "deactivated_workspace", "message": "no"}}
        return 200, CODEX

    usage, arrived = asked(answer, account_id="acc-1")
    assert usage.wrong_workspace
    assert len(arrived) == 2


def test_an_account_with_a_weekly_window_alone_names_it_first() -> None:
    said = {"rate_limit": {"primary_window": {"used_percent": 1, "limit_window_seconds": 604800}}}
    assert about(plan_usage.codex_usage(said)) == [("weekly", 1.0, None)]


@pytest.mark.parametrize(
    "said",
    [
        {"usage": CODEX},
        {
            "rateLimit": {
                "primaryWindow": {"usedPercent": 12, "resetAt": 1900000000},
                "secondaryWindow": {"usedPercent": "34", "resetAt": 1900300000},
            }
        },
    ],
)
def test_wrapped_and_camel_case_answers_say_the_same(said: dict[str, Any]) -> None:
    found = [one for one in plan_usage.codex_usage(said).windows if one.is_ours]
    assert [(one.name, one.used, one.seconds) for one in found] == [(one.name, one.used, one.seconds) for one in BOTH]


def test_less_than_one_percent_is_less_than_one_percent() -> None:
    said = {"rate_limit": {"primary_window": {"used_percent": 0.4}}}
    assert plan_usage.codex_usage(said).windows[0].used == 0.4


@pytest.mark.parametrize(
    ("limit", "stopped"), [({"allowed": False}, True), ({"limit_reached": True}, True), ({"allowed": True}, False)]
)
def test_who_says_that_no_call_is_allowed_is_stopped(limit: dict[str, Any], stopped: bool) -> None:
    assert plan_usage.codex_usage({"rate_limit": limit}).stopped is stopped


def test_zai_is_asked_at_its_own_place_and_tools_do_not_count() -> None:
    said = {
        "code": 200,
        "data": {
            "level": "Pro",
            "limits": [
                {"type": "TIME_LIMIT", "unit": 5, "number": 1, "percentage": 99},
                {"type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 20, "nextResetTime": 1900000000000},
                {"type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": 30, "nextResetTime": 1900300000000},
            ],
        },
    }
    usage, arrived = asked(lambda path, headers: (200, said), "zai")
    assert about(usage) == [("five_hour", 20.0, 1900000000), ("weekly", 30.0, 1900300000)]
    assert usage.plan == "pro"
    assert arrived[0][0] == "/api/monitor/usage/quota/limit"


@pytest.mark.parametrize(
    "said",
    [
        {"data": {"fiveHour": {"percent": 20}, "weekly_quota": {"used": 3, "total": 10, "resetTime": "2030-03-20"}}},
        {"rate_limit": {"primary_window": {"usedPercent": 20}, "secondary_window": {"usage_percent": 30}}},
    ],
)
def test_zai_has_many_spellings(said: dict[str, Any]) -> None:
    assert [(one.name, one.used) for one in plan_usage.zai_usage(said).windows] == [
        ("five_hour", 20.0),
        ("weekly", 30.0),
    ]


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, {"error": {"message": "bad sk-1"}}, "The provider said 401."),
        (200, b"<html>", "The answer is not what it should be."),
        (200, [1], "The answer is not what it should be."),
        (200, {"rate_limit": {"primary_window": 3}}, "The answer names no limits."),
        (200, {"rate_limit": "none"}, "The answer names no limits."),
    ],
)
def test_no_answer_is_a_sentence_and_no_usage(status: int, body: Any, sentence: str) -> None:
    with pytest.raises(UsageUnknown, match=sentence):
        asked(lambda path, headers: (status, body))
