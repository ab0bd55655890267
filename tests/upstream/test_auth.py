"""Credentials in headers."""

import httpx
import pytest

from proxx.upstream import auth, failures


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("bearer", ((b"authorization", b"Bearer s3cret"),)),
        ("x-api-key", ((b"x-api-key", b"s3cret"),)),
        ("x-goog-api-key", ((b"x-goog-api-key", b"s3cret"),)),
        ("api-key", ((b"api-key", b"s3cret"),)),
        ("none", ()),
    ],
)
def test_each_style_shows_the_secret_in_its_own_header(style: str, expected: object) -> None:
    assert auth.known(style)
    assert auth.headers(style, "s3cret") == expected


def test_every_style_in_the_table_is_known_and_no_other() -> None:
    assert all(auth.known(style) for style in auth.STYLES)
    assert not auth.known("query")
    with pytest.raises(httpx.LocalProtocolError, match="no auth style"):
        auth.headers("query", "s3cret")


@pytest.mark.parametrize("secret", ["", "a\r\nx: y", "a\0b", "schlüssel", "a\tb"])
def test_a_secret_that_cannot_travel_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(httpx.LocalProtocolError, match="secret") as caught:
        auth.headers("bearer", secret)
    assert not secret or secret not in str(caught.value)
    assert isinstance(caught.value, tuple(known for known, _ in failures.EXCEPTIONS))  # an attempt that failed
    assert failures.from_exception(caught.value).kind == "upstream_error"


@pytest.mark.parametrize(
    ("secret", "travels"), [("sk-a b~", True), ("sk-é", False), ("sk\rx", False), ("s\x7f", False)]
)
def test_what_can_stand_in_a_header_is_told_beforehand(secret: str, travels: bool) -> None:
    assert auth.travels(secret) is travels


def test_no_secret_is_needed_where_none_is_shown() -> None:
    assert auth.headers("none", "") == ()


def test_the_callers_own_credentials_are_taken_out() -> None:
    pairs = [(b"Authorization", b"Bearer c"), (b"X-API-Key", b"c"), (b"x-goog-api-key", b"c"), (b"accept", b"*/*")]
    assert auth.without_auth(pairs) == [(b"accept", b"*/*")]
