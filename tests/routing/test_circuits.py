"""What rests beyond one account: a provider's address, and a circuit that opens and closes."""

from dataclasses import replace
from typing import Any

import pytest

from proxx.kit import clock as clocks
from proxx.upstream import failures
from proxx.upstream.failures import Failure
from routing import cooldown, health, planner
from routing.plan import Candidate
from tests.routing.pictures import TENANT, credential, picture

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(autouse=True)
def _plain_settings(settings: Any) -> None:
    settings.PROXY_KEY_COOLDOWN_JITTER_FACTOR = 0
    settings.PROXY_BREAKER_FAILURES = 4
    settings.PROXY_BREAKER_SECONDS = 7.0
    settings.PROXY_BREAKER_SECONDS_MAX = 20.0


def candidate() -> Candidate:
    return plan(1)[0]


def plan(accounts: int) -> tuple[Candidate, ...]:
    snapshot = picture(*(credential("openai") for _ in range(accounts)))
    return planner.plan(
        model="openai/m", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=clocks.monotonic()
    ).candidates


def failure(kind: str, **facts: Any) -> Failure:
    return replace(failures.named(kind), **facts)


def rests(one: Candidate) -> health.Rest | None:
    return health.rest_of(one.key, one.model, clocks.monotonic())


def seconds(one: Candidate) -> float:
    return health.resting(one.key, one.model, clocks.monotonic()) or 0.0


def test_two_accounts_that_cannot_connect_let_their_providers_address_rest() -> None:
    first, second, third = plan(3)
    lost = failure("connect_failed")

    def standing() -> health.Rest | None:
        return health.standing(third.key, third.site, "m", clocks.monotonic())

    for one in (first, first):
        cooldown.apply(lost, one)
        assert standing() is None
    cooldown.apply(lost, second)
    found = standing()
    assert found is not None
    assert found.is_soft
    health.reached(third.key, third.site, "m")
    assert standing() is None


def test_a_country_that_is_not_served_rests_the_address() -> None:
    one = candidate()
    cooldown.apply(failure("permission", scope="provider"), one)
    assert rests(one) is None
    assert health.standing(one.key, one.site, "m", clocks.monotonic()) is not None


def test_an_open_circuit_lets_one_call_at_a_time_try_and_doubles_when_that_fails(clock: clocks.Stopped) -> None:
    one = candidate()
    spot = (one.key, one.site, one.model)
    for _ in range(4):
        cooldown.apply(failure("upstream_error"), one)
    for length in (7, 14, 20, 20):
        assert seconds(one) == pytest.approx(length)
        clock.advance(length)
        assert health.standing(*spot, clocks.monotonic()) is None
        taken = health.begin_probe(*spot)
        assert taken
        beside = health.standing(*spot, clocks.monotonic())
        assert beside is not None
        assert beside.is_open
        cooldown.apply(failure("upstream_error"), one)
        health.end_probe(taken)
    clock.advance(20)
    taken = health.begin_probe(*spot)
    health.reached(*spot)
    health.end_probe(taken)
    assert health.rests == {}
    cooldown.apply(failure("upstream_error"), one)
    found = rests(one)
    assert found is not None
    assert found.is_soft


def test_calls_that_fail_together_open_a_circuit_once() -> None:
    one = candidate()
    for _ in range(40):
        cooldown.apply(failure("upstream_error"), one)
    assert seconds(one) == pytest.approx(7)


@pytest.mark.parametrize("kind", ["upstream_error", "empty"])
def test_without_a_number_of_failures_no_circuit_opens(settings: Any, kind: str) -> None:
    settings.PROXY_BREAKER_FAILURES = 0
    one = candidate()
    for _ in range(50):
        cooldown.apply(failure(kind), one)
    found = rests(one)
    assert found is not None
    assert not found.is_open


@pytest.mark.parametrize(
    ("kinds", "refusal"),
    [
        (["upstream_error"], "all_failing"),
        (["auth"], "all_refused"),
        (["rate_limited"], "all_resting"),
        (["auth", "upstream_error"], "all_failing"),
        (["auth", "quota_spent"], "all_resting"),
    ],
)
def test_the_plan_says_why_nobody_is_there(kinds: list[str], refusal: str) -> None:
    snapshot = picture(*(credential("openai") for _ in kinds))

    def ask() -> planner.Plan:
        return planner.plan(
            model="openai/m", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=clocks.monotonic()
        )

    for kind, one in zip(kinds, ask().candidates, strict=True):
        for _ in range(4):
            cooldown.apply(failure(kind), one)
    found = ask()
    assert found.refusal == refusal
    assert found.retry_after is not None
    assert found.retry_after > 0


def test_names_of_models_leave_the_memory_bounded() -> None:
    one = candidate()
    for number in range(health.MODELS_AT_MOST * 2):
        cooldown.apply(failure("not_found"), replace(one, model=f"strange-{number}"))
    assert len(health.rests[one.key]) <= health.MODELS_AT_MOST
    assert len(health.streaks[one.key]) <= health.MODELS_AT_MOST + 1


def test_failures_between_answers_are_not_in_a_row_even_if_nobody_hears_the_answers_end() -> None:
    one = candidate()
    for _ in range(3):
        for _ in range(3):
            cooldown.apply(failure("upstream_error"), one)
        health.reached(one.key, one.site, one.model)
    found = rests(one)
    assert found is not None
    assert not found.is_open
