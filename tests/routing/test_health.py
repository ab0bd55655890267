"""What one process knows of its credentials: rests, streaks, calls in flight."""

from uuid import uuid4

import pytest

from proxx.kit import clock as clocks
from routing import health


def test_a_rest_ends_by_itself(clock: clocks.Stopped) -> None:
    one = uuid4()
    health.rest(one, 30)
    clock.advance(10)
    assert health.resting(one, "any", clocks.monotonic()) == pytest.approx(20)
    clock.advance(20)
    assert health.resting(one, "any", clocks.monotonic()) is None


def test_a_shorter_or_softer_rest_changes_nothing(clock: clocks.Stopped) -> None:
    one = uuid4()
    health.rest(one, 30)
    health.rest(one, 5, is_soft=True)
    found = health.rest_of(one, "", clocks.monotonic())
    assert found is not None
    assert (found.until - clocks.monotonic(), found.is_soft) == (pytest.approx(30), False)


def test_a_hard_rest_for_the_model_counts_before_a_soft_one_for_all(clock: clocks.Stopped) -> None:
    one = uuid4()
    health.rest(one, 60, is_soft=True)
    health.rest(one, 5, model="m")
    assert health.resting(one, "m", clocks.monotonic()) == pytest.approx(5)
    assert health.resting(one, "other", clocks.monotonic()) == pytest.approx(60)


def test_many_calls_that_fail_together_count_as_one_failure(clock: clocks.Stopped) -> None:
    one = uuid4()
    for _ in range(32):
        assert health.failed(one).length == 1
        health.rest(one, 30)
    clock.advance(31)
    assert health.failed(one).length == 2


def test_a_success_ends_the_streak_and_our_guesses_but_not_the_upstreams_wish(clock: clocks.Stopped) -> None:
    guessed, told = uuid4(), uuid4()
    for one, is_soft in ((guessed, True), (told, False)):
        health.failed(one)
        health.rest(one, 30, is_soft=is_soft)
        health.good(one, "m")
        assert health.failed(one).length == 1
    now = clocks.monotonic()
    assert health.resting(guessed, "m", now) is None
    assert health.resting(told, "m", now) == pytest.approx(30)


def test_calls_in_flight_are_counted_and_never_below_zero() -> None:
    one = uuid4()
    health.begin(one)
    health.begin(one)
    health.done(one)
    assert health.in_flight(one) == 1
    health.done(one)
    health.done(one)
    assert health.in_flight(one) == 0


def test_past_rests_are_swept_out(clock: clocks.Stopped) -> None:
    for number in range(health.MODELS_AT_MOST):
        health.failed("ollama", model=f"model-{number}")
        health.rest("ollama", 1, model=f"model-{number}")
    clock.advance(2)
    health.rest("ollama", 1)
    assert list(health.rests["ollama"]) == [""]


def test_a_rest_that_is_over_leaves_no_trace(clock: clocks.Stopped) -> None:
    one = uuid4()
    health.rest(one, 1)
    clock.advance(2)
    assert health.rest_of(one, "m", clocks.monotonic()) is None
    assert health.rests == {}


def test_the_usual_wait_follows_what_is_measured_and_forgets_slowly() -> None:
    one = uuid4()
    assert health.first_event(one, "m") is None
    health.spoke(one, "m", 1.0)
    health.spoke(one, "m", 2.0)
    assert health.first_event(one, "m") == pytest.approx(1.2)
    assert health.first_event(one, "other") is None
    health.forget(one)
    assert health.first_event(one, "m") is None


def test_waits_of_strange_names_leave_the_memory_bounded() -> None:
    one = uuid4()
    for number in range(health.MODELS_AT_MOST * 2):
        health.spoke(one, f"strange-{number}", 1.0)
    assert len(health._waits[one]) == health.MODELS_AT_MOST
    health.forget(one)
