"""Settings as the path of a call reads them."""

from django.test import override_settings

from proxx.kit.configured import settings


def test_a_setting_that_a_test_changes_is_seen_at_once_and_afterwards_again():
    before = settings.PROXY_MAX_ATTEMPTS
    with override_settings(PROXY_MAX_ATTEMPTS=before + 1):
        assert before + 1 == settings.PROXY_MAX_ATTEMPTS
    assert before == settings.PROXY_MAX_ATTEMPTS
