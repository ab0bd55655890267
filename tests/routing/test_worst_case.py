"""What a budget reserves is never less than what the call can cost, whatever tier serves it and its tokens are."""

from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import Usage
from routing.pricing import Price, Tier, cost, worst

RATE = st.none() | st.integers(0, 10**12)
KNOWN = st.integers(0, 10**12)
PART = st.none() | st.integers(0, 1000)
TIER = st.builds(
    Tier,
    above=st.sampled_from([0, 100]),
    input=RATE,
    output=RATE,
    cache_read=RATE,
    cache_write=RATE,
    service=st.sampled_from(["", "flex", "priority"]),
).filter(lambda tier: tier.above or tier.service)
PRICE = st.builds(
    Price,
    input=KNOWN,
    output=KNOWN,
    cache_read=RATE,
    cache_write=RATE,
    cache_write_1h=RATE,
    reasoning=RATE,
    audio_in=RATE,
    audio_out=RATE,
    image_in=RATE,
    image_out=RATE,
    request=RATE,
    tiers=st.lists(TIER, max_size=4).map(lambda rows: tuple(sorted(rows, key=lambda tier: tier.above))),
)
USAGE = st.builds(
    Usage,
    input_total=st.integers(0, 1000),
    output_total=st.integers(0, 1000),
    cache_read=PART,
    cache_write=PART,
    cache_write_1h=PART,
    reasoning=PART,
    audio_in=PART,
    audio_out=PART,
    image_in=PART,
    image_out=PART,
    tier=st.sampled_from(["", "flex", "priority", "unheard-of"]),
)


@given(usage=USAGE, price=PRICE)
def test_no_reply_of_that_size_costs_more_than_its_worst_case(usage: Usage, price: Price) -> None:
    paid = cost(usage, price)
    most = worst(usage.input_total or 0, usage.output_total or 0, price)
    assert paid is not None
    assert most is not None
    assert paid <= most


def test_a_dearer_service_tier_counts_though_the_call_names_none() -> None:
    priority = Tier(above=0, service="priority", input=5_000_000, output=20_000_000)
    flex = Tier(above=0, service="flex", input=1_000_000, output=4_000_000)
    assert worst(10, 10, Price(input=2_000_000, output=8_000_000, tiers=(flex, priority))) == 250
