"""The lines of a cost: whatever was used at whatever price, they add up to what the call cost."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import Usage
from routing import buckets, price_lines, pricing
from routing.pricing import MILLION, Price, Tier

RATES = [one.name for one in fields(Price) if one.name not in {"tiers", "source"}]
rate = st.one_of(st.none(), st.integers(0, 10**11))
count = st.integers(0, 10**6)
tiers = st.lists(st.builds(Tier, above=st.integers(0, 10**5), input=rate, output=rate), max_size=2)
prices = st.builds(
    lambda rates, tiers: Price(**rates, tiers=tuple(sorted(tiers, key=lambda one: one.above))),
    st.fixed_dictionaries({name: rate for name in RATES}),
    tiers,
)
usages = st.builds(
    Usage,
    input_total=count,
    output_total=count,
    cache_read=count,
    cache_write=count,
    cache_write_1h=count,
    reasoning=count,
    image_out=count,
    pictures=st.integers(0, 4),
    web_searches=st.integers(0, 4),
)


@given(usages, prices)
def test_the_lines_add_up_to_the_cost(usage: Usage, price: Price) -> None:
    whole = pricing.cost(usage, price)
    if whole is None:
        return
    found = price_lines.lines(usage, price, buckets.of(usage))
    amount = sum(line.amount or 0 for line in found)
    assert (amount + MILLION // 2) // MILLION == whole
