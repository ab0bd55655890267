"""Profiles as rows: what they become, and what is refused."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from accounts.models import Profile, Tenant
from accounts.profile import headers_of, names_of


def test_a_new_profile_asks_for_nothing():
    told = Profile(name="x").options()
    assert told == type(told)()


@pytest.mark.parametrize(
    ("least", "most", "delay"),
    [(None, None, None), (0, None, None), (20, None, (0.02, 0.02)), (20, 60, (0.02, 0.06)), (None, 50, (0.0, 0.05))],
)
def test_a_pause_is_fixed_or_between_two_bounds(least, most, delay):
    """F-120."""
    assert Profile(chunk_delay_ms=least, chunk_delay_max_ms=most).options().delay == delay


def test_headers_are_read_line_by_line_and_the_last_of_a_name_counts():
    assert headers_of("X-Team: lab\r\n\n x-team :  other \nX-Empty:") == ((b"x-team", b"other"), (b"x-empty", b""))
    assert names_of("Anthropic-Beta\n") == ("anthropic-beta",)


@pytest.mark.parametrize(
    "line",
    [
        "no colon",
        "Authorization: x",
        "X-Api-Key: x",
        "cookie: a=b",
        "Host: x",
        "proxy-authorization: x",
        "Content-Length: 3",
        "bad name: x",
        "X-Team: ä",
        "X-Team: a\x00b",
        "X-Team: sk-0123456789abcdef",
    ],
)
def test_headers_that_are_ours_or_none_or_secrets_are_refused(line):
    with pytest.raises(ValueError, match=r"."):
        headers_of(line)


@pytest.mark.parametrize(
    ("field", "value"),
    [("headers", "Host: x"), ("blocked_headers", "authorization"), ("temperature", 3.0), ("chunk_delay_ms", 99_999)],
)
def test_the_form_says_which_field_is_at_fault(field, value):
    with pytest.raises(ValidationError) as caught:
        Profile(name="x", **{field: value}).clean_fields() or Profile(name="x", **{field: value}).clean()
    assert list(caught.value.message_dict) == [field]


def test_pauses_end_after_they_begin():
    with pytest.raises(ValidationError):
        Profile(name="x", chunk_delay_ms=50, chunk_delay_max_ms=20).clean()


@pytest.mark.django_db
def test_a_profile_in_use_is_not_deleted():
    profile = Profile.objects.create(name="x")
    Tenant.objects.create(slug="acme", profile=profile)
    with pytest.raises(ProtectedError):
        profile.delete()
