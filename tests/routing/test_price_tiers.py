"""Tiers as operators write them, and prices of every kind by an operator's word."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from proxx.protocols.hub.events import Usage
from routing import price_tiers, pricing
from routing.buckets import Buckets
from routing.models import FactSetting
from routing.pricing import NANO, Tier


def test_a_tier_is_a_line():
    text = (
        "ABOVE 200,000: input 6, output 22.5, cache_read 0.6\n\n flex: output $2, input 1\npriority above 1000: input 9"
    )
    long = Tier(200_000, input=6 * NANO, output=22_500_000_000, cache_read=600_000_000)
    flex = Tier(0, input=NANO, output=2 * NANO, service="flex")
    tiers = price_tiers.read(text)
    assert tiers == (flex, Tier(1000, input=9 * NANO, service="priority"), long)
    assert price_tiers.read(price_tiers.written(tiers)) == tiers
    assert price_tiers.read(" \n") == ()


@pytest.mark.parametrize(
    "text",
    ["input 3", "above: input 3", ": input 3", "above 5 input 3", "cheap: input 3", "flex:", "flex: input",
     "flex: speed 3", "flex: input -3", "flex: input 1, input 2", "flex: input 1\nFLEX: input 2",
     "above 9999999999: input 1",
     "flex: input 99999999999", "\n".join(f"above {n}: input 1" for n in range(1, 18))],
)  # fmt: skip
def test_a_line_that_is_no_tier_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"[.]$"):
        price_tiers.read(text)


@pytest.mark.django_db
def test_every_bucket_may_have_an_operators_price():
    dearer = {name: Decimal(place) for place, name in enumerate(pricing.RATES, 1)}
    row = FactSetting(
        model="m", price_tiers="above 1000: input 100", **{f"price_{name}": rate for name, rate in dearer.items()}
    )
    row.full_clean()
    price = row.facts().price
    assert {name: getattr(price, name) for name in pricing.RATES} == {
        name: int(rate) * NANO for name, rate in dearer.items()
    }
    one_of_each = Buckets(fresh=1, cache_read=1, cache_write=1, cache_write_1h=1, audio_in=1, image_in=1, text=1,
                          reasoning=1, audio_out=1, image_out=1)  # fmt: skip
    usage = Usage(input_total=6, output_total=4, web_searches=1, pictures=None)
    tokens = sum(int(dearer[name]) * 1000 for name in pricing.RATES if name not in ("image", "search", "request"))
    assert pricing.cost(usage, price, one_of_each) == tokens + int(dearer["search"] + dearer["request"]) * NANO


@pytest.mark.django_db
@pytest.mark.parametrize(
    "said",
    [
        {"price_audio_in": 1},
        {"price_tiers": "flex: input 1"},
        {"price_input": 1, "price_output": 1, "price_tiers": "x"},
    ],
)
def test_half_a_price_and_a_tier_that_is_none_are_refused(said):
    with pytest.raises(ValidationError):
        FactSetting(model="m", **said).full_clean()
