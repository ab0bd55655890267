"""Two processes hear of different windows of one account: neither forgets what the other knows."""

from uuid import uuid4

import pytest

from oauth.plan_usage import FIVE_HOURS, PlanUsage, Window
from proxx.kit import clock as clocks
from routing import quota, quota_store
from routing.quota import Standing
from tests import factories


def report(at: float, *windows: Window, source: str = "headers") -> Standing:
    return Standing(PlanUsage(windows), at, source)


def five_hours(used: float, *, ends: float = 600.0) -> Window:
    return Window("five_hour", used, clocks.unix() + ends, FIVE_HOURS)


def minute(used: float) -> Window:
    return Window("requests", used, clocks.unix() + 1)


def known(standing: Standing) -> dict[str, float]:
    return {window.name: window.used for window in standing.usage.windows}


def test_an_older_report_of_a_window_that_the_younger_does_not_mention_is_taken_in(clock: clocks.Stopped) -> None:
    key, now = uuid4(), clock.unix()
    quota.note(key, report(now, minute(1)), is_news=True)
    quota.note(key, report(now - 1, five_hours(99)))
    assert known(quota.standings[key]) == {"requests": 1, "five_hour": 99}
    assert quota.spent_until(key, clock.monotonic()) is not None
    assert quota.news[key] is quota.standings[key]


def test_a_younger_report_of_another_process_keeps_what_it_does_not_mention(clock: clocks.Stopped) -> None:
    key, now = uuid4(), clock.unix()
    quota.note(key, report(now - 1, five_hours(99)), is_news=True)
    quota.note(key, report(now, minute(1)))
    assert known(quota.standings[key]) == {"requests": 1, "five_hour": 99}


@pytest.mark.parametrize(
    ("older", "younger", "used"),
    [
        ((80, 610), (50, 600), 80),
        ((50, 600), (80, 600), 80),
        ((10, 9_000), (80, 600), 10),
        ((80, 600), (10, 9_000), 10),
    ],
    ids=["fuller", "less full", "of the next window", "of the window before"],
)
def test_of_two_reports_of_one_window_the_one_further_on_holds(
    older: tuple[float, float], younger: tuple[float, float], used: float
) -> None:
    now = clocks.unix()
    before = report(now - 1, five_hours(older[0], ends=older[1]))
    after = report(now, five_hours(younger[0], ends=younger[1]))
    for merged in (quota.merged(before, after), quota.merged(after, before)):
        assert (known(merged), merged.heard_at) == ({"five_hour": used}, now)


@pytest.mark.parametrize("source", ["asked", ""])
def test_a_complete_answer_and_a_wish_to_forget_hold_alone(source: str) -> None:
    now = clocks.unix()
    younger = report(now, source=source)
    assert quota.merged(report(now - 1, five_hours(99)), younger) is younger


def test_what_this_process_hears_is_believed_though_it_is_less(clock: clocks.Stopped) -> None:
    key = uuid4()
    quota.note(key, report(clock.unix(), five_hours(99)), is_news=True)
    quota.note(key, report(clock.unix(), five_hours(20)), is_news=True)
    assert known(quota.standings[key]) == {"five_hour": 20}


@pytest.mark.django_db
def test_the_table_keeps_the_windows_of_both() -> None:
    credential = factories.make_credential()
    now = clocks.unix()
    quota_store.save({credential.pk: report(now, minute(1))})
    quota_store.save({credential.pk: report(now - 1, five_hours(99))})
    assert [known(one) for one in quota_store.since(0).values()] == [{"requests": 1, "five_hour": 99}]
