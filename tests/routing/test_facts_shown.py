"""Facts of a model in words and signs."""

from dataclasses import replace

import pytest

from routing import facts_shown
from routing.capabilities import Facts
from routing.pricing import FREE, Price


def test_signs_stand_for_what_a_model_can_and_carry_words() -> None:
    shown = facts_shown.able(Facts(images=True, audio=False, tools=True))
    assert shown.count("<span") == 3
    assert 'title="reads pictures"' in shown
    assert "audio" not in shown


def test_nothing_known_is_not_the_same_as_nothing_possible() -> None:
    assert facts_shown.able(Facts(context_window=5)) == "–"
    assert facts_shown.able(Facts(images=False)) == "no pictures"
    assert facts_shown.size(Facts()) == ["–", ""]


def test_text_only_is_said_only_of_a_model_known_to_read_nothing_else() -> None:
    assert facts_shown.able(Facts(reasoning=False, tools=False)) == "no tools, no reasoning"
    blind = Facts(images=False, pdf=False, audio=False, video=False)
    assert facts_shown.able(blind) == "text only"
    assert facts_shown.able(replace(blind, tools=False)) == "text only, no tools"


def test_an_operators_word_is_told_both_ways() -> None:
    assert (
        facts_shown.words(Facts(images=False, tools=True, context_window=5))
        == "no pictures, calls tools, 5 tokens of context"
    )


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (None, ["unpriced", ""]),
        (FREE, ["free", "own machine"]),
        (Price(input=75_000_000, output=10_000_000_000, source="maker"), ["$0.075 / $10", "the maker's price"]),
        (Price(input=1, output=None, source="list"), ["$0.000000001 / ?", "price list"]),
    ],
)
def test_a_price_is_told_in_dollars_with_its_source(price: Price | None, words: list[str]) -> None:
    assert facts_shown.price(price) == words
