"""Strategies by name: who of a provider's equal accounts comes first."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from routing import health, planner, policies, providers
from routing.plan import Candidate
from tests.routing.pictures import TENANT, credential, picture


def group(*weights: int) -> tuple[Candidate, ...]:
    """Return equal candidates a, b, c ... of these weights."""
    held = [credential(account_id="abcdefgh"[place], weight=weight) for place, weight in enumerate(weights)]
    candidates = planner.plan(
        model="gpt-x", dialect="openai_chat", tenant=TENANT, snapshot=picture(*held), now=0.0, turns=lambda _: 0
    ).candidates
    return tuple(sorted(candidates, key=lambda one: one.account))


def firsts(strategy: str, group: Sequence[Candidate], calls: int) -> str:
    return "".join(policies.STRATEGIES[strategy](group, turn)[0].account for turn in range(calls))


def test_every_name_has_its_function_and_its_words() -> None:
    assert policies.STRATEGIES.keys() == providers.STRATEGIES.keys()


@pytest.mark.parametrize("strategy", policies.STRATEGIES)
def test_a_strategy_orders_and_loses_nobody(strategy: str) -> None:
    four = group(1, 2, 1, 3)
    for turn in range(20):
        assert set(policies.STRATEGIES[strategy](four, turn)) == set(four)


def test_priority_keeps_the_order() -> None:
    assert firsts("priority", group(1, 5, 1), 4) == "aaaa"


def test_round_robin_gives_turns_in_a_row_and_weighted_mixes_them() -> None:
    assert firsts("round_robin", group(3, 1), 8) == "aaabaaab"
    mixed = firsts("weighted", group(2, 2, 1), 500)
    assert {name: count // 10 for name, count in Counter(mixed).items()} == {"a": 20, "b": 20, "c": 10}
    assert "aaa" not in mixed


def test_who_has_the_fewest_calls_under_way_for_its_weight_comes_first() -> None:
    one, two, heavy = three = group(1, 1, 4)
    for candidate, calls in ((one, 2), (two, 1), (heavy, 3)):
        for _ in range(calls):
            health.begin(candidate.key)
    try:
        assert policies.least_in_flight(three, 0) == [heavy, two, one]
    finally:
        for candidate in (one, one, two, heavy, heavy, heavy):
            health.done(candidate.key)


def test_idle_accounts_take_turns() -> None:
    assert firsts("least_in_flight", group(1, 1, 1), 6) == "abcabc"


def test_the_fastest_leads_and_a_tenth_of_the_calls_explores() -> None:
    slow, quick, slower = three = group(1, 1, 1)
    for candidate, seconds in ((slow, 2.0), (quick, 0.3), (slower, 4.0)):
        health.spoke(candidate.key, candidate.model, seconds)
    counted = Counter(firsts("fastest", three, 3000))
    assert counted["b"] == pytest.approx(2700 + 100, abs=15)
    assert counted["a"] == pytest.approx(100, abs=15)
    assert policies.fastest(three, 1) == [quick, slow, slower]


def test_accounts_that_nobody_can_tell_apart_by_speed_take_turns() -> None:
    for candidate, seconds in zip(three := group(1, 1, 1), (0.30, 0.35, 0.41), strict=True):
        health.spoke(candidate.key, candidate.model, seconds)
    assert Counter(firsts("fastest", three, 300)) == {"a": 100, "b": 100, "c": 100}


def test_an_account_that_was_never_heard_counts_as_average_and_gets_heard() -> None:
    slow, quick, unknown = three = group(1, 1, 1)
    health.spoke(slow.key, slow.model, 3.0)
    health.spoke(quick.key, quick.model, 1.0)
    assert policies.fastest(three, 1) == [quick, unknown, slow]
    assert "c" in firsts("fastest", three, 100)


def test_speed_is_measured_per_model() -> None:
    one, other = pair = group(1, 1)
    health.spoke(one.key, "other-model", 9.0)
    health.spoke(other.key, "other-model", 0.1)
    assert firsts("fastest", pair, 4) == "abab"


def test_lots_are_drawn_by_weight_and_again_alike_from_the_same_seed() -> None:
    policies.forget(seed=7)
    drawn = firsts("random", pair := group(3, 1), 2000)
    assert Counter(drawn)["a"] == pytest.approx(1500, abs=90)
    policies.forget(seed=7)
    random.seed(1)  # nobody else's dice count
    assert firsts("random", pair, 2000) == drawn


def test_each_provider_orders_its_accounts_as_its_setting_says() -> None:
    steady = replace(providers.load()["openai"], strategy="priority")
    snapshot = picture(credential(account_id="a"), credential(account_id="b"), providers={"openai": steady})
    orders = {
        planner.plan(model="gpt-x", dialect="openai_chat", tenant=TENANT, snapshot=snapshot, now=0.0)
        .candidates[0]
        .account
        for _ in range(5)
    }
    assert orders == {"a"}


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(providers.ProviderFault, match="unknown strategy 'luck'"):
        providers.overlaid(providers.load()["openai"], {"strategy": "luck"})
