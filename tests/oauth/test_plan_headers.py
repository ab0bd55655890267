"""What an answer's headers say of an account: each provider's family in its own manner."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from oauth import plan_headers
from oauth.plan_usage import FIVE_HOURS, WEEK, PlanUsage, Window
from proxx.kit import clock as clocks


@pytest.fixture(autouse=True)
def clock() -> Iterator[clocks.Stopped]:
    """Some hours before the windows of these tests end."""
    with clocks.stopped(datetime(2030, 3, 17, 15, tzinfo=UTC)) as stopped:
        yield stopped


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def test_codex_names_two_windows_a_plan_and_credits() -> None:
    said = {
        "Content-Type": "text/event-stream",
        "X-Codex-Primary-Used-Percent": "42.5",
        "X-Codex-Primary-Window-Minutes": "300",
        "X-Codex-Primary-Reset-At": "1900000000",
        "x-codex-secondary-used-percent": "7",
        "x-codex-secondary-window-minutes": "10080",
        "x-codex-secondary-reset-at": "1900300000",
        "x-codex-plan-type": "Plus",
        "x-codex-credits-has-credits": "true",
        "x-codex-credits-balance": "12.50",
        "x-codex-spark-primary-used-percent": "100",
    }
    assert plan_headers.read(("codex",), raw(said)) == PlanUsage(
        (Window("five_hour", 42.5, 1900000000.0, FIVE_HOURS), Window("weekly", 7.0, 1900300000.0, WEEK)),
        plan="plus",
        has_credits=True,
    )


def test_a_weekly_window_in_the_first_place_is_weekly_and_an_empty_second_is_none() -> None:
    said = {
        "x-codex-primary-used-percent": "3",
        "x-codex-primary-window-minutes": "10080",
        "x-codex-secondary-used-percent": "0",
        "x-codex-secondary-window-minutes": "0",
        "x-codex-secondary-reset-at": "",
    }
    usage = plan_headers.read(("codex",), raw(said))
    assert usage is not None
    assert [(one.name, one.used, one.resets_at) for one in usage.windows] == [("weekly", 3.0, None)]


def test_the_older_form_counts_from_now(clock: clocks.Stopped) -> None:
    said = {"x-codex-primary-used-percent": "3", "x-codex-primary-reset-after-seconds": "60"}
    usage = plan_headers.read(("codex",), raw(said))
    assert usage is not None
    assert usage.windows == (Window("five_hour", 3.0, clock.unix() + 60, FIVE_HOURS),)


def test_a_claude_plan_tells_fractions_and_whether_it_refuses() -> None:
    said = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-5h-utilization": "0.05",
        "anthropic-ratelimit-unified-5h-reset": "1900000000",
        "anthropic-ratelimit-unified-7d-utilization": "1.02",
        "anthropic-ratelimit-unified-7d-reset": "1900300000",
        "anthropic-ratelimit-unified-7d_sonnet-utilization": "0.9",
        "anthropic-ratelimit-unified-overage-status": "rejected",
    }
    assert plan_headers.read(("anthropic",), raw(said)) == PlanUsage(
        (Window("five_hour", 5.0, 1900000000.0, FIVE_HOURS), Window("weekly", 100.0, 1900300000.0, WEEK)),
        stopped=True,
    )


def test_limits_by_the_minute_have_no_length(clock: clocks.Stopped) -> None:
    said = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "15",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-limit-tokens": "100",
    }
    assert plan_headers.read(("codex", "by_minute"), raw(said)) == PlanUsage(
        (Window("requests", 75.0, clock.unix() + 360),)
    )


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"x-codex-primary-used-percent": "much"},
        {"x-codex-primary-used-percent": "nan"},
        {"x-codex-turn-state": "opaque-and-of-no-interest"},
        {"anthropic-ratelimit-unified-status": "allowed"},
        {"x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0"},
    ],
)
def test_what_says_nothing_is_nothing(said: dict[str, str]) -> None:
    assert plan_headers.read(tuple(plan_headers.STYLES), raw(said)) is None


def test_headers_of_a_style_that_the_provider_does_not_name_are_not_believed() -> None:
    assert plan_headers.read(("zai", "by_minute"), raw({"x-codex-primary-used-percent": "3"})) is None


@pytest.mark.parametrize("end", ["9e14", "99999999999", "-5"])
def test_an_end_that_no_window_has_is_not_believed(end: str) -> None:
    said = {"x-codex-primary-used-percent": "100", "x-codex-primary-reset-at": end}
    usage = plan_headers.read(("codex",), raw(said))
    assert usage is not None
    assert usage.windows[0].resets_at is None


@pytest.mark.parametrize("end", ["1900000000", "1900000000000", "1900000000000.0", "2030-03-17T17:46:40Z"])
def test_an_end_may_be_told_in_seconds_milliseconds_or_letters(end: str) -> None:
    codex = {"x-codex-primary-used-percent": "100", "x-codex-primary-reset-at": end}
    claude = {"anthropic-ratelimit-unified-5h-utilization": "1", "anthropic-ratelimit-unified-5h-reset": end}
    for said in (codex, claude):
        usage = plan_headers.read(("codex", "anthropic"), raw(said))
        assert usage is not None
        assert usage.windows[0].resets_at == 1900000000.0
