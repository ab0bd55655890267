"""Lists of networks, as people type them."""

import pytest
from django.core.exceptions import ValidationError

from accounts.restricted import check_networks


@pytest.mark.parametrize(
    ("line", "instead"), [("10.0.0.1/8", "10.0.0.0/8 or 10.0.0.1"), ("2001:db8::1/32", "db8::/32")]
)
def test_an_address_inside_a_network_is_refused_with_both_readings(line, instead):
    with pytest.raises(ValidationError, match=instead):
        check_networks(f"192.0.2.0/24\n{line}")


@pytest.mark.parametrize("line", ["10.0.0.1", "10.0.0.0/8", "10.0.0.1/32", "::1", "2001:DB8::/32", "::/0"])
def test_addresses_and_whole_networks_are_taken(line):
    check_networks(line)
