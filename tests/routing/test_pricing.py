"""What a reply cost, in whole nano-dollars, and what has no price."""

from typing import Any

import pytest

from proxx.protocols.hub.events import Usage
from routing.pricing import FREE, Price, Tier, cost, from_dict, in_dollars, rate_of, to_dict, worst

# $2.50 in, $0.25 from the cache, $15 out, each per million tokens.
PLAIN = Price(input=2_500_000_000, cache_read=250_000_000, output=15_000_000_000, source="list")


def test_input_and_output_are_paid_by_their_rates() -> None:
    assert cost(Usage(input_total=1000, output_total=100), PLAIN) == 1000 * 2500 + 100 * 15000


def test_cached_input_costs_its_own_rate_and_is_not_paid_twice() -> None:
    assert cost(Usage(input_total=1000, output_total=0, cache_read=900), PLAIN) == 100 * 2500 + 900 * 250


def test_cached_input_without_a_rate_costs_what_input_does() -> None:
    price = Price(input=1_000_000_000, output=0)
    assert cost(Usage(input_total=10, output_total=0, cache_read=4, cache_write=3), price) == 10 * 1000


def test_writes_into_the_cache_cost_by_their_life() -> None:
    price = Price(input=3_000_000_000, cache_write=3_750_000_000, cache_write_1h=6_000_000_000, output=0)
    usage = Usage(input_total=100, output_total=0, cache_write=60, cache_write_1h=20)
    assert cost(usage, price) == 40 * 3000 + 40 * 3750 + 20 * 6000


def test_reasoning_is_part_of_the_output_and_may_cost_more() -> None:
    price = Price(input=0, output=2_000_000_000, reasoning=8_000_000_000)
    assert cost(Usage(input_total=0, output_total=10, reasoning=4), price) == 6 * 2000 + 4 * 8000


@pytest.mark.parametrize(("tokens", "rate"), [(272_000, 2500), (272_001, 5000)])
def test_long_input_costs_the_tiers_rate_for_the_whole_call(tokens: int, rate: int) -> None:
    price = Price(input=2_500_000_000, output=0, tiers=(Tier(above=272_000, input=5_000_000_000),))
    assert cost(Usage(input_total=tokens, output_total=0), price) == tokens * rate


def test_a_fraction_of_a_nano_dollar_is_rounded_once() -> None:
    price = Price(input=rate_of("0.0004"), output=rate_of("0.0004"))
    assert cost(Usage(input_total=1, output_total=1), price) == 1


@pytest.mark.parametrize(
    ("usage", "price"),
    [
        (Usage(input_total=10, output_total=10), None),
        (Usage(), PLAIN),
        (Usage(input_total=10, output_total=10), Price(input=1)),
        (Usage(input_total=10, output_total=10), Price(output=1)),
    ],
)
def test_what_nobody_counted_or_priced_is_unpriced_and_not_free(usage: Usage, price: Price | None) -> None:
    assert cost(usage, price) is None


def test_a_fee_for_each_call_comes_on_top() -> None:
    assert (
        cost(Usage(input_total=10, output_total=0), Price(input=1_000_000_000, output=0, request=5_000_000))
        == 5_010_000
    )


def test_a_model_on_our_own_machine_costs_nothing() -> None:
    assert cost(Usage(input_total=10, output_total=10), FREE) == 0


def test_counts_that_contradict_each_other_never_give_a_negative_cost() -> None:
    usage = Usage(input_total=10, output_total=2, cache_read=50, cache_write=50, reasoning=9, audio_in=7)
    assert cost(usage, PLAIN) == 10 * 250 + 2 * 15000


@pytest.mark.parametrize(
    ("dollars", "rate"),
    [
        (2.5, 2_500_000_000),
        ("0.075", 75_000_000),
        (0, 0),
        (-1, None),
        ("-1", None),
        ("free", None),
        (True, None),
        (None, None),
        ("nan", None),
        ("1e99", None),
        ("1e999999", None),
    ],
)
def test_dollars_become_whole_rates_or_nothing(dollars: Any, rate: int | None) -> None:
    assert rate_of(dollars) == rate


def test_a_rate_per_single_token_is_the_same_number() -> None:
    assert rate_of("0.0000025", per_tokens=1) == rate_of(2.5) == 2_500_000_000


def test_a_price_survives_a_row_and_is_told_in_dollars() -> None:
    price = Price(input=1_000_000_000, output=0, tiers=(Tier(above=9, output=2_000_000_000),), source="provider")
    assert from_dict(to_dict(price), source="provider") == price
    assert in_dollars(price) == {
        "currency": "USD",
        "input": 1.0,
        "output": 0.0,
        "tiers": [{"above": 9, "output": 2.0}],
        "source": "provider",
    }


@pytest.mark.parametrize(
    "damaged", [{"inptu": 1}, {"input": 1.5}, {"input": "1"}, {"tiers": [{"above": None, "x": 1}]}]
)
def test_a_damaged_row_is_told(damaged: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
        from_dict(damaged, source="provider")


@pytest.mark.parametrize(
    ("price", "tokens", "nano"),
    [
        (Price(input=3_000_000_000, output=15_000_000_000), (1000, 100), 4_500_000),
        (Price(input=3_000_000_000, output=1, cache_write=6_000_000_000, reasoning=2_000_000), (1000, 1000), 6_002_000),
        (Price(input=1, output=0), (1, 0), 1),  # rounded up
        (Price(input=0, output=0, request=5), (1, 1), 5),
        (Price(input=1_000_000), (1, 1), None),
        (Price(input=1_000_000), (7, 0), 7),
        (None, (1, 1), None),
    ],
)
def test_the_worst_case_takes_the_dearest_rate_of_each_side(price, tokens, nano):
    assert worst(*tokens, price) == nano
