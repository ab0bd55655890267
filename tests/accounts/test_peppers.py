"""A new pepper beside the former ones: keys of either open, and it is told which still need an old one."""

from datetime import timedelta

import pytest

from accounts import key_state, keys
from accounts.models import ApiKey
from proxx.kit import clock as clocks
from proxx.kit import sealing
from proxx.server import checks
from tests.accounts.conftest import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "the-second-pepper-0123456789-abcdefghijklmnop"


@pytest.fixture
def changed(settings, issued) -> str:
    """A key that was issued before the pepper changed."""
    settings.FORMER_PEPPERS, settings.KEY_PEPPER = ("never-used-pepper", settings.KEY_PEPPER), NEW
    keys.forget()
    return issued[1]


async def test_a_key_made_under_a_former_pepper_is_found_and_then_remembered(changed, reads):
    holder = await keys.find(changed)
    assert holder is not None
    asked = len(reads)
    assert await keys.find(changed) is holder
    assert keys.remembered(changed) is holder
    assert len(reads) == asked


async def test_without_the_former_pepper_it_is_no_key(changed, settings):
    settings.FORMER_PEPPERS = ()
    assert await keys.find(changed) is None


async def test_a_wrong_key_is_refused_from_memory_once_all_peppers_were_tried(changed, reads):
    wrong = "pxx_" + "B" * 43
    assert await keys.find(wrong) is None
    asked = len(reads)
    assert await keys.find(wrong) is None
    assert len(reads) == asked == 3


async def test_one_that_has_expired_is_known_as_such(changed, clock: clocks.Stopped):
    await in_thread(ApiKey.objects.update, expires_at=clocks.now() + timedelta(seconds=5))
    assert await keys.find(changed) is not None
    clock.advance(6)
    assert await keys.find(changed) is None
    assert keys.has_expired(changed)


def test_rotation_makes_keys_under_the_new_pepper_and_a_start_says_how_many_are_left(changed, issued, settings):
    assert key_state.under_former_peppers() == 1
    assert "1 active key(s)" in checks.data_warnings()[0]
    _, token = keys.rotate(issued[0], overlap=timedelta(0))
    assert checks.data_warnings() == []
    settings.FORMER_PEPPERS = ()
    assert ApiKey.objects.get(digest=sealing.digest(token)).pepper_version == sealing.pepper_version()


@pytest.mark.parametrize("former", [("short",), ("an-example-pepper-0123456789-abcdefghij",)])
def test_a_former_pepper_that_is_none_refuses_the_start(settings, former):
    settings.FORMER_PEPPERS = former
    with pytest.raises(checks.CannotStart, match="PROXY_TOKEN_PEPPER_FORMER"):
        checks.check_settings(settings)
