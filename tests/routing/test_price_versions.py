"""Versions of prices: made of the rates, told by records until the database has them."""

import pytest

from routing import price_versions, pricing
from routing.models import PriceVersion
from routing.pricing import Price


@pytest.fixture(autouse=True)
def fresh():
    price_versions.forget()
    yield
    price_versions.forget()


def test_the_same_rates_are_one_version_and_other_rates_another():
    one, same, other = Price(input=1, output=2), Price(input=1, output=2), Price(input=1, output=3)
    assert price_versions.version_of(one) == price_versions.version_of(same)
    assert len({price_versions.version_of(price) for price in (one, other, Price(input=1, output=2, source="x"))}) == 3
    assert 0 <= price_versions.version_of(one) < 2**63


@pytest.mark.django_db
def test_a_price_is_told_until_the_database_has_it_and_reads_back():
    price = Price(input=1_000, output=2_000, source="provider")
    version = price_versions.version_of(price)
    told = price_versions.to_tell(version, price)
    assert told is not None
    for _ in range(2):  # what is there already stays
        price_versions.keep({version: told})
    price_versions.confirm({version: told})
    assert price_versions.to_tell(version, price) is None
    row = PriceVersion.objects.get()
    assert pricing.from_dict(row.rates, source=row.source) == price
