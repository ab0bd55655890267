"""Addresses that nobody types: the console refuses them before anything asks the database."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", ["/console/analytics/requestlog/?model=%00", "/console/%00/", "/console/?q=a%00b"])
def test_an_address_with_a_zero_byte_is_refused(console, place):
    answer = console.get(place)
    assert (answer.status_code, answer["X-Robots-Tag"]) == (400, "noindex, nofollow")


async def test_under_the_server_it_is_refused_the_same_way(async_client):
    assert (await async_client.get("/console/login/?next=%00")).status_code == 400
