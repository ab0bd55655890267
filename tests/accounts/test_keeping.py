import pytest

from accounts import keeping, keys
from accounts.keeping import ALL, ERRORS, share_of, share_of_key
from accounts.key_memory import _read
from routing.snapshot import building
from tests import factories


@pytest.mark.parametrize(
    ("mode", "percent", "share"),
    [("off", 50, 0), ("errors", 50, ERRORS), ("sampled", 50, 50), ("full", 50, ALL), ("whatever", 50, 0)],
)
def test_a_mode_is_the_share_of_calls_that_are_kept(mode, percent, share):
    assert share_of(mode, percent) == share


@pytest.mark.parametrize(
    ("most", "shares"),
    [("off", [0, 0, 0, 0]), ("errors", [0, -1, -1, -1]), ("sampled", [0, -1, 7, 7]), ("full", [0, -1, 7, 100])],
)
def test_the_house_sets_the_most_that_anybody_keeps(settings, most, shares):
    settings.PROXY_BODIES_MOST = most
    assert [share_of(mode, 7) for mode in keeping.Keeping] == shares


def test_a_key_that_says_nothing_leaves_it_to_its_tenant():
    assert share_of_key("", 50) is None
    assert share_of_key("off", 50) == 0


@pytest.mark.django_db
def test_the_picture_and_the_remembered_key_know_the_shares():
    tenant = factories.make_tenant(bodies="sampled", bodies_percent=25)
    plain = factories.make_key(tenant).row
    own = factories.make_key(tenant, restrictions={"bodies": "errors"}).row
    assert building.build().tenants[tenant.pk].bodies == 25
    held = _read([plain.digest, own.digest])
    assert (held[plain.digest].bodies, held[own.digest].bodies) == (None, ERRORS)


@pytest.mark.django_db
def test_a_rotated_key_goes_on_keeping_what_it_kept():
    from datetime import timedelta

    key = factories.make_key(restrictions={"bodies": "sampled", "bodies_percent": 3}).row
    successor, _ = keys.rotate(key, overlap=timedelta(0))
    assert (successor.bodies, successor.bodies_percent) == ("sampled", 3)
