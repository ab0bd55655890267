"""What accounts have left: heard, kept, judged against the thresholds, forgotten when a window ends."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from oauth.plan_usage import FIVE_HOURS, WEEK, PlanUsage, Window
from proxx.kit import clock as clocks
from proxx.upstream import failures
from routing import health, planner, policies, providers, quota
from routing.plan import Candidate
from routing.quota import Standing
from tests.routing.pictures import TENANT, credential, picture


def usage(five_hour: float, weekly: float, *, clock: clocks.Stopped, ends: float = 86400.0, **said: Any) -> PlanUsage:
    """Return these percents, with windows that end in an hour and in `ends` seconds."""
    now = clock.unix()
    windows = Window("five_hour", five_hour, now + 3600, FIVE_HOURS), Window("weekly", weekly, now + ends, WEEK)
    return PlanUsage(windows, **said)


def know(key: UUID, said: PlanUsage) -> None:
    quota.note(key, Standing(said, clocks.unix(), "asked"))


def accounts(*names: str) -> dict[str, UUID]:
    return {name: uuid4() for name in names}


def plan(held: dict[str, UUID], strategy: str = "quota_first", **fields: Any) -> Any:
    views = [credential(id=key, account_id=name, **fields.get(name, {})) for name, key in held.items()]
    moved = providers.overlaid(providers.load()["openai"], {"strategy": strategy})
    return planner.plan(
        model="gpt-x",
        dialect="openai_chat",
        tenant=TENANT,
        snapshot=picture(*views, providers={"openai": moved}),
        now=clocks.monotonic(),
    )


def order(held: dict[str, UUID], strategy: str = "quota_first", **fields: Any) -> str:
    return "".join(one.account for one in plan(held, strategy, **fields).candidates)


def one_of(key: UUID) -> Candidate:
    found: Candidate = plan({"a": key}).candidates[0]
    return found


@pytest.mark.parametrize("strategy", ["quota_first", "affinity", "round_robin", "priority"])
def test_who_has_nothing_left_is_struck_out_until_its_window_ends(strategy: str, clock: clocks.Stopped) -> None:
    held = accounts("a", "b")
    know(held["a"], usage(98, 40, clock=clock))
    found = plan(held, strategy)
    assert [one.account for one in found.candidates] == ["b"]
    assert [(one.credential_id, one.code) for one in found.excluded] == [(held["a"], "quota_spent")]
    clock.advance(3601)
    assert set(order(held, strategy)) == {"a", "b"}


def test_when_nobody_has_anything_left_the_soonest_return_is_told(clock: clocks.Stopped) -> None:
    held = accounts("a", "b")
    know(held["a"], usage(20, 100, clock=clock, ends=7200))
    know(held["b"], usage(100, 20, clock=clock))
    found = plan(held)
    assert (found.candidates, found.refusal) == ((), "all_resting")
    assert found.retry_after == pytest.approx(3600)


def test_of_two_windows_that_are_used_up_the_later_end_counts(clock: clocks.Stopped) -> None:
    held = accounts("a")
    know(held["a"], usage(100, 100, clock=clock, ends=7200))
    assert plan(held).retry_after == pytest.approx(7200)


def test_credits_go_on_where_windows_end_but_not_against_a_refusal(clock: clocks.Stopped) -> None:
    held = accounts("a")
    know(held["a"], usage(100, 10, clock=clock, has_credits=True))
    assert order(held) == "a"
    clock.advance(1)
    know(held["a"], usage(100, 10, clock=clock, has_credits=True, stopped=True))
    assert order(held) == ""


def test_a_stop_without_a_time_lasts_some_minutes(clock: clocks.Stopped) -> None:
    held = accounts("a")
    know(held["a"], usage(10, 10, clock=clock, stopped=True))
    assert plan(held).retry_after == pytest.approx(quota.UNSAID)
    clock.advance(quota.UNSAID + 1)
    assert order(held) == "a"


def test_the_threshold_is_a_setting_and_does_not_hold_for_limits_by_the_minute(
    settings: Any, clock: clocks.Stopped
) -> None:
    held = accounts("a")
    know(held["a"], PlanUsage((Window("requests", 100.0, clock.unix() + 30), Window("tokens", 100.0))))
    assert order(held) == "a"
    clock.advance(1)
    know(held["a"], usage(60, 10, clock=clock))
    assert order(held) == "a"
    settings.PROXY_QUOTA_SPENT_PERCENT = 50
    clock.advance(1)
    know(held["a"], usage(60, 10, clock=clock))
    assert order(held) == ""


def test_old_news_does_not_overwrite_young(clock: clocks.Stopped) -> None:
    held = accounts("a")
    know(held["a"], usage(100, 10, clock=clock))
    quota.note(held["a"], Standing(usage(0, 0, clock=clock), clock.unix() - 60, "asked"))
    assert order(held) == ""


def test_headers_of_an_answer_are_heard_once_a_second(clock: clocks.Stopped) -> None:
    key = uuid4()
    candidate = one_of(key)
    after = (b"x-codex-primary-reset-after-seconds", b"9")
    for said, seconds in ((b"10", 0.5), (b"20", 0.6), (b"30", 0)):
        quota.heard(candidate, [(b"x-codex-primary-used-percent", said), after])
        clock.advance(seconds)
    assert quota.standings[key].usage.windows[0].used == 30
    assert quota.news[key].source == "headers"


def test_what_headers_do_not_mention_is_kept(clock: clocks.Stopped) -> None:
    key = uuid4()
    know(key, usage(1, 2, clock=clock, plan="plus"))
    clock.advance(1)
    quota.heard(one_of(key), [(b"x-codex-primary-used-percent", b"50")])
    said = quota.standings[key].usage
    assert ({one.name: one.used for one in said.windows}, said.plan) == ({"five_hour": 50.0, "weekly": 2.0}, "plus")


@pytest.mark.parametrize(("seconds", "name"), [(600.0, "five_hour"), (80000.0, "weekly")])
def test_a_refusal_with_a_time_fills_the_window_that_it_must_mean(
    seconds: float, name: str, clock: clocks.Stopped
) -> None:
    key = uuid4()
    candidate = one_of(key)
    failure = failures.classify(429, {}, b'{"error":{"type":"usage_limit_reached","resets_in_seconds":%d}}' % seconds)
    quota.refused(candidate, failure)
    assert [(one.name, one.used) for one in quota.standings[key].usage.windows] == [(name, 100.0)]
    assert quota.spent_until(key, clock.monotonic()) == pytest.approx(clock.monotonic() + seconds)


def test_quota_first_wakes_the_untouched_then_asks_the_unknown_then_saves_what_would_be_lost(
    clock: clocks.Stopped,
) -> None:
    held = accounts("late", "soon", "unknown", "fresh", "spent")
    know(held["late"], usage(1, 1, clock=clock, ends=5 * 86400))
    know(held["soon"], usage(90, 90, clock=clock, ends=86400))
    know(held["fresh"], usage(0, 0, clock=clock))
    know(held["spent"], usage(0, 99, clock=clock, ends=3600))
    assert [one.account for one in plan(held).candidates] == ["fresh", "unknown", "soon", "late"]


def test_an_account_whose_window_ended_is_untouched_again(clock: clocks.Stopped) -> None:
    held = accounts("a", "b")
    know(held["a"], usage(50, 50, clock=clock, ends=86400))
    know(held["b"], usage(50, 50, clock=clock, ends=7200))
    assert order(held) == "ba"
    clock.advance(86401)
    know(held["b"], usage(1, 1, clock=clock))
    assert order(held) == "ab"


def test_quota_first_keeps_its_choice_for_five_minutes_while_it_can_be_used(clock: clocks.Stopped) -> None:
    held = accounts("a", "b", "c")
    know(held["a"], usage(5, 5, clock=clock, ends=7200))
    know(held["b"], usage(5, 5, clock=clock, ends=86400))
    know(held["c"], usage(5, 5, clock=clock, ends=2 * 86400))
    assert order(held) == "abc"
    clock.advance(60)
    know(held["b"], usage(5, 5, clock=clock, ends=3600))
    assert order(held) == "abc"
    clock.advance(policies.STICKY)
    assert order(held) == "bac"
    health.rest(held["b"], 60.0)
    assert order(held) == "ac"


def test_priority_goes_before_quota(clock: clocks.Stopped) -> None:
    held = accounts("a", "b")
    know(held["b"], usage(0, 0, clock=clock))
    assert order(held, a={"priority": 1}) == "ab"


def test_unknown_accounts_take_turns(clock: clocks.Stopped) -> None:
    held = accounts("a", "b", "c")
    assert {order(held)[0] for _ in range(3)} == {"a", "b", "c"}


def test_plan_aware_begins_with_the_plan_that_is_worth_most_and_free_first_with_the_cheapest() -> None:
    held = accounts("f", "u", "t", "b", "p")
    plans = dict(zip("futbp", ({"plan_type": one} for one in ("free", "", "team", "business", "plus")), strict=True))
    assert order(held, "plan_aware", **plans) == "pbtuf"
    assert order(held, "free_first", **plans)[0] == "f"
    assert set(order(held, "free_first", **plans)[1:3]) == {"u", "t"}


def test_of_equally_fast_accounts_the_cheaper_plan_comes_first() -> None:
    held = accounts("p", "f")
    for key in held.values():
        health.spoke(key, "gpt-x", 0.2)
    policies.forget()
    policies.next_turn("openai")  # the first call of all explores
    assert order(held, "fastest", p={"plan_type": "plus"}, f={"plan_type": "free"}) == "fp"


def test_rooms_forget_one_account_alone(clock: clocks.Stopped) -> None:
    held = accounts("a", "b")
    for key in held.values():
        know(key, usage(100, 0, clock=clock))
    quota.forget(held["a"])
    assert order(held) == "a"


@pytest.mark.parametrize("ends", [1.9e12, 9e14, 1e300])
def test_an_end_that_no_window_has_rests_nobody_for_longer_than_one_that_is_not_told(
    ends: float, clock: clocks.Stopped
) -> None:
    held = accounts("a")
    know(held["a"], PlanUsage((Window("five_hour", 100.0, ends, FIVE_HOURS),)))
    assert order(held) == ""
    clock.advance(quota.UNSAID + 1)
    assert order(held) == "a"
