import pytest
from django.test import RequestFactory

from accounts.sanitized import is_sanitized, masked, without_addresses


def asked(address, session):
    request = RequestFactory().get(address)
    request.session = session
    return request


@pytest.mark.parametrize("words", ["sanitized=1", "safe=1", "sanitized=yes&page=2"])
def test_an_address_turns_it_on_and_the_sign_in_keeps_it(words):
    session = {}
    assert is_sanitized(asked(f"/console/?{words}", session))
    assert is_sanitized(asked("/console/", session))


@pytest.mark.parametrize("words", ["sanitized=0", "safe=off"])
def test_an_address_turns_it_off_again(words):
    session = {"sanitized": True}
    assert not is_sanitized(asked(f"/console/?{words}", session))
    assert not is_sanitized(asked("/console/", session))


def test_a_page_that_says_nothing_masks_nothing():
    assert not is_sanitized(asked("/console/", {}))


def test_nothing_of_a_name_is_left_but_two_names_stay_two():
    one, two = masked("kim@example.com"), masked("kim@example.org")
    assert one != two
    assert masked("kim@example.com") == one
    assert one.startswith("****-")
    assert not any(part in one for part in ("kim", "example", "@"))
    assert masked("") == ""


def test_the_mark_of_a_name_is_this_installations_own(settings):
    before = masked("kim")
    settings.SECRET_KEY = "another one, " * 5
    assert masked("kim") != before


def test_addresses_are_masked_between_tags_and_left_in_what_a_form_sends_back():
    page = '<p>Ask kim@example.com, or not @all.</p><input value="kim@example.com"><script>{"a":"x@y.org"}</script>'
    hidden = without_addresses(page)
    assert hidden.count("kim@example.com") == 1
    assert '<input value="kim@example.com">' in hidden
    assert "x@y.org" not in hidden
    assert "@all." in hidden
