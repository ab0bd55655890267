"""Each row of the cooldown table: who rests, how long, and the next move."""

from dataclasses import replace
from typing import Any

import pytest

from proxx.kit import clock as clocks
from proxx.upstream import failures
from proxx.upstream.failures import KINDS, Failure
from routing import cooldown, health, planner
from routing.plan import Candidate
from tests.routing.pictures import TENANT, credential, picture

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(autouse=True)
def _no_jitter(settings: Any) -> None:
    settings.PROXY_KEY_COOLDOWN_JITTER_FACTOR = 0
    settings.PROXY_KEY_COOLDOWN = 30.0
    settings.UPSTREAM_TRANSIENT_RETRY_COUNT = 2


def candidate(provider_id: str = "openai", model: str = "m") -> Candidate:
    snapshot = picture(credential(provider_id))
    return planner.plan(
        model=f"{provider_id}/{model}", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0
    ).candidates[0]


def failure(kind: str, **facts: Any) -> Failure:
    return replace(failures.named(kind), **facts)


def rests(one: Candidate, model: str = "m") -> health.Rest | None:
    return health.rest_of(one.key, model, clocks.monotonic())


def seconds(one: Candidate, model: str = "m") -> float:
    return health.resting(one.key, model, clocks.monotonic()) or 0.0


def test_every_kind_of_failure_has_its_row() -> None:
    assert set(cooldown.TABLE) == set(KINDS) | {"refused_by_policy"}


@pytest.mark.parametrize(
    ("kind", "rest", "is_soft", "move"),
    [
        ("invalid_request", 0, False, "give_up"),
        ("context_length", 0, False, "give_up"),
        ("content_policy", 0, False, "give_up"),
        ("too_large", 0, False, "give_up"),
        ("auth", 10, False, "next"),
        ("permission", 30, False, "next"),
        ("quota_spent", 30, False, "next"),
        ("rate_limited", 30, False, "same_again"),
        ("too_many_at_once", 15, False, "same_again"),
        ("not_found", 0, False, "next"),
        ("overloaded", 5, True, "same_again"),
        ("upstream_error", 5, True, "same_again"),
        ("connect_failed", 5, True, "same_again"),
        ("timed_out", 0, False, "next"),
        ("empty", 10, True, "next"),
        ("malformed", 10, True, "next"),
        ("truncated", 5, True, "next"),
    ],
)
def test_a_row_says_rest_and_move(kind: str, rest: float, is_soft: bool, move: str) -> None:
    one = candidate()
    assert cooldown.apply(failure(kind), one, tried_in_place=0) == move
    assert seconds(one) == pytest.approx(rest)
    if found := rests(one):
        assert found.is_soft is is_soft


@pytest.mark.parametrize("kind", ["rate_limited", "quota_spent", "permission", "overloaded", "too_many_at_once"])
def test_a_time_the_upstream_gave_is_kept_as_it_is(kind: str) -> None:
    one = candidate()
    cooldown.apply(failure(kind, retry_after=77.5), one, tried_in_place=0)
    found = rests(one)
    assert found is not None
    assert (seconds(one), found.is_soft) == (pytest.approx(77.5), False)


@pytest.mark.parametrize(("given", "kept"), [(0.0, 1.0), (10 * 86400.0, 8 * 86400.0)])
def test_a_given_time_is_clamped(given: float, kept: float) -> None:
    one = candidate()
    cooldown.apply(failure("rate_limited", retry_after=given), one, tried_in_place=0)
    assert seconds(one) == pytest.approx(kept)


def test_a_guess_doubles_with_each_failure_up_to_thirty_minutes_and_a_success_begins_anew(
    clock: clocks.Stopped,
) -> None:
    one = candidate()
    lengths = []
    for _ in range(9):
        cooldown.apply(failure("rate_limited"), one, tried_in_place=0)
        lengths.append(round(seconds(one)))
        clock.advance(2000)
    assert lengths == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    health.good(one.key, one.model)
    cooldown.apply(failure("rate_limited"), one, tried_in_place=0)
    assert round(seconds(one)) == 30


def test_jitter_only_adds_and_never_to_a_given_time(settings: Any) -> None:
    settings.PROXY_KEY_COOLDOWN_JITTER_FACTOR = 0.4
    guessed = [candidate() for _ in range(50)]
    for one in guessed:
        cooldown.apply(failure("rate_limited"), one, tried_in_place=0)
    found = [seconds(one) for one in guessed]
    assert 30 <= min(found) < max(found) <= 42
    told = candidate()
    cooldown.apply(failure("rate_limited", retry_after=20), told, tried_in_place=0)
    assert seconds(told) == pytest.approx(20)


def test_a_failure_about_a_model_rests_only_that_model() -> None:
    one = candidate()
    cooldown.apply(failure("rate_limited", scope="model"), one, tried_in_place=0)
    assert (seconds(one), seconds(one, "another")) == (pytest.approx(30), 0)


def test_tries_in_place_have_an_end() -> None:
    one = candidate()
    moves = [cooldown.apply(failure("upstream_error"), one, tried_in_place=tried) for tried in range(3)]
    assert moves == ["same_again", "same_again", "next"]


def test_a_weekly_limit_of_ollama_cloud_rests_twenty_four_times_as_long() -> None:
    one = candidate("ollama-cloud")
    spent = failure("quota_spent", message="you have reached your weekly usage limit")
    cooldown.apply(spent, one, tried_in_place=0)
    assert seconds(one) == pytest.approx(30 * 24)


def test_factorys_403_is_a_passing_trouble() -> None:
    one = candidate("factory")
    assert cooldown.apply(failure("permission", status=403), one, tried_in_place=0) == "same_again"
    found = rests(one)
    assert found is not None
    assert found.is_soft


def test_requestys_403_is_a_policy_and_no_verdict_on_the_key() -> None:
    one = candidate("requesty", "openai/m")
    assert cooldown.apply(failure("permission", status=403), one, tried_in_place=0) == "next"
    assert rests(one, one.model) is None
