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
    settings.PROXY_BREAKER_FAILURES = 4
    settings.PROXY_BREAKER_SECONDS = 7.0
    settings.PROXY_BREAKER_SECONDS_MAX = 20.0


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


def test_every_row_has_a_test_named_after_it() -> None:
    assert {f"test_{kind}" for kind in cooldown.TABLE} - set(globals()) == set()


def leaves(kind: str, *, move: str, again: bool = False, **facts: Any) -> None:
    """Nobody rests after it."""
    one = candidate()
    row = cooldown.apply(failure(kind, **facts), one)
    assert (row.move, row.again) == (move, again)
    assert rests(one) is None


def lets_rest(kind: str, length: float, *, soft: bool = False, again: bool = False, others: bool = True) -> Candidate:
    """The credential rests so long, for this model or for others, too; the next candidate is tried."""
    one = candidate()
    row = cooldown.apply(failure(kind), one)
    assert (row.move, row.again) == ("next", again)
    found = rests(one)
    assert found is not None
    assert (seconds(one), found.is_soft, found.kind) == (pytest.approx(length), soft, kind)
    assert seconds(one, "other") == pytest.approx(length if others else 0)
    return one


def opens_after(kind: str, count: int, length: float) -> None:
    """So many failures in a row open the circuit, fewer do not."""
    one = candidate()
    for number in range(count):
        found = rests(one)
        assert found is None or not found.is_open, f"open after {number}"
        cooldown.apply(failure(kind), one)
    found = rests(one)
    assert found is not None
    assert (found.is_open, found.is_soft, found.until - clocks.monotonic()) == (True, False, pytest.approx(length))


def opens_never(kind: str) -> None:
    """No number of failures opens the circuit."""
    one = candidate()
    for _ in range(50):
        cooldown.apply(failure(kind), one)
    found = rests(one)
    assert found is None or not found.is_open


def test_invalid_request() -> None:
    leaves("invalid_request", move="another_protocol")


def test_context_length() -> None:
    leaves("context_length", move="another_model")


def test_content_policy() -> None:
    leaves("content_policy", move="give_up")


def test_too_large() -> None:
    leaves("too_large", move="give_up")


def test_inexpressible() -> None:
    leaves("inexpressible", move="next")


def test_auth() -> None:
    lets_rest("auth", 10)
    opens_never("auth")


def test_permission() -> None:
    lets_rest("permission", 30)
    opens_never("permission")


def test_not_renewed() -> None:
    lets_rest("not_renewed", 5)
    opens_never("not_renewed")


def test_refused_by_policy() -> None:
    assert cooldown.TABLE["refused_by_policy"].rests == "nobody"
    one = candidate("requesty", "openai/m")
    assert cooldown.apply(failure("permission", status=403), one).kind == "refused_by_policy"
    assert rests(one, one.model) is None


def test_quota_spent() -> None:
    lets_rest("quota_spent", 30)
    opens_never("quota_spent")


def test_rate_limited() -> None:
    lets_rest("rate_limited", 30, again=True)
    opens_never("rate_limited")


def test_too_many_at_once() -> None:
    lets_rest("too_many_at_once", 15, again=True)
    opens_never("too_many_at_once")


def test_not_found() -> None:
    lets_rest("not_found", 3600, soft=True, others=False)
    opens_never("not_found")


def test_overloaded() -> None:
    lets_rest("overloaded", 5, soft=True, again=True)
    opens_after("overloaded", 4, 7)


def test_upstream_error() -> None:
    lets_rest("upstream_error", 5, soft=True, again=True)
    opens_after("upstream_error", 4, 7)


def test_connect_failed() -> None:
    lets_rest("connect_failed", 5, soft=True, again=True)
    opens_after("connect_failed", 4, 7)


def test_timed_out() -> None:
    leaves("timed_out", move="next")
    opens_never("timed_out")


def test_empty() -> None:
    lets_rest("empty", 10, soft=True, others=False)
    opens_after("empty", 3, 30)


def test_unreasoned() -> None:
    leaves("unreasoned", move="next", again=True)


def test_malformed() -> None:
    lets_rest("malformed", 10, soft=True)
    opens_after("malformed", 4, 7)


def test_truncated() -> None:
    lets_rest("truncated", 5, soft=True)
    opens_after("truncated", 4, 7)


@pytest.mark.parametrize("kind", ["rate_limited", "quota_spent", "permission", "overloaded", "too_many_at_once"])
def test_a_time_the_upstream_gave_is_kept_as_it_is(kind: str) -> None:
    one = candidate()
    cooldown.apply(failure(kind, retry_after=77.5), one)
    found = rests(one)
    assert found is not None
    assert (seconds(one), found.is_soft) == (pytest.approx(77.5), False)


@pytest.mark.parametrize(("given", "kept"), [(0.0, 1.0), (10 * 86400.0, 8 * 86400.0)])
def test_a_given_time_is_clamped(given: float, kept: float) -> None:
    one = candidate()
    cooldown.apply(failure("rate_limited", retry_after=given), one)
    assert seconds(one) == pytest.approx(kept)


def test_a_guess_doubles_with_each_failure_up_to_thirty_minutes_and_a_success_begins_anew(
    clock: clocks.Stopped,
) -> None:
    one = candidate()
    lengths = []
    for _ in range(9):
        cooldown.apply(failure("rate_limited"), one)
        lengths.append(round(seconds(one)))
        clock.advance(2000)
    assert lengths == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    health.good(one.key, one.model)
    cooldown.apply(failure("rate_limited"), one)
    assert round(seconds(one)) == 30


def test_jitter_only_adds_and_never_to_a_given_time(settings: Any) -> None:
    settings.PROXY_KEY_COOLDOWN_JITTER_FACTOR = 0.4
    guessed = [candidate() for _ in range(50)]
    for one in guessed:
        cooldown.apply(failure("rate_limited"), one)
    found = [seconds(one) for one in guessed]
    assert 30 <= min(found) < max(found) <= 42
    told = candidate()
    cooldown.apply(failure("rate_limited", retry_after=20), told)
    assert seconds(told) == pytest.approx(20)


def test_a_failure_about_a_model_rests_only_that_model() -> None:
    one = candidate()
    cooldown.apply(failure("rate_limited", scope="model"), one)
    assert (seconds(one), seconds(one, "another")) == (pytest.approx(30), 0)


@pytest.mark.parametrize(
    ("kind", "length"), [("rate_limited", 60), ("quota_spent", 1800), ("auth", 300), ("permission", 300)]
)
def test_codes_of_z_ai_rest_as_long_as_they_say(kind: str, length: float) -> None:
    one = candidate("zai")
    cooldown.apply(failure(kind), one)
    assert seconds(one) == pytest.approx(length)


def test_a_weekly_limit_of_ollama_cloud_rests_twenty_four_times_as_long() -> None:
    one = candidate("ollama-cloud")
    spent = failure("quota_spent", message="you have reached your weekly usage limit")
    cooldown.apply(spent, one)
    assert seconds(one) == pytest.approx(30 * 24)


def test_factorys_403_is_a_passing_trouble() -> None:
    one = candidate("factory")
    assert cooldown.apply(failure("permission", status=403), one).again
    found = rests(one)
    assert found is not None
    assert found.is_soft
