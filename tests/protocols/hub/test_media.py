"""Data URLs taken apart, media known by their bytes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.media import data_url, is_document, is_text, medium, sniffed, standard, text_of
from proxx.protocols.hub.parts import Audio, File, Image

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"\0" * 20).decode()


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        (f"data:image/png;base64,{PNG}", "image/png", PNG),
        (f"DATA:IMAGE/PNG;charset=utf-8;name=a.png;BASE64,{PNG}", "image/png", PNG),
        ("data:text/plain;charset=utf-8,a%20b", "text/plain", "YSBi"),
        ("data:,hello", "text/plain", "aGVsbG8="),
        ("data:text/plain;base64,aGk", "text/plain", "aGk="),
        ("data:text/plain;base64,aG%6B%3D", "text/plain", "aGk="),
        ("data:application/x-unknown;base64,-_\n8=", "application/x-unknown", "+/8="),
        (f"data:;base64,{PNG}", "image/png", PNG),
    ],
)
def test_every_form_of_data_url_is_taken_apart(url, media_type, data):
    """D40."""
    assert data_url(url) == (media_type, data)


@pytest.mark.parametrize(
    "url", ["https://x/y.png", "data:image/png;base64", "data:a/b;base64,!!!!", "data:a/b;base64,a"]
)
def test_what_is_no_data_url_is_none(url):
    """D40."""
    assert data_url(url) is None


@given(st.binary(max_size=300))
def test_any_bytes_come_back_from_any_alphabet(data):
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data).rstrip(b"=")):
        found = standard(encoded.decode())
        assert found is not None
        assert base64.b64decode(found, validate=True) == data


def test_sound_base64_is_not_copied():
    large = PNG * 10000
    assert standard(large) is large


@pytest.mark.parametrize(
    ("data", "declared", "real"),
    [
        (JPEG, "image/png", "image/jpeg"),
        ("AAAA", "image/jpg", "image/jpeg"),
        (PNG, "", "image/png"),
        (base64.b64encode(b"%PDF-1.7").decode(), "image/png", "application/pdf"),
        (base64.b64encode(b"RIFF\0\0\0\0WEBPVP8").decode(), "image/png", "image/webp"),
        (base64.b64encode(b"plain").decode(), "text/csv; charset=utf-8", "text/csv"),
        ("AAAA", "", "application/octet-stream"),
        ("AAA", "video/mp4", "video/mp4"),
    ],
)
def test_the_bytes_say_what_a_medium_is(data, declared, real):
    """D41."""
    assert sniffed(data, declared) == real


def test_documents_are_told_from_pictures_and_sound():
    """D44."""
    assert [is_document(one) for one in ("application/pdf", "text/csv", "image/png", "audio/wav")] == [
        True,
        True,
        False,
        False,
    ]
    assert [is_text(one) for one in ("text/csv", "application/json", "application/pdf")] == [True, True, False]
    assert text_of("w7w=") == "ü"


def test_a_medium_becomes_the_part_it_is():
    """D44."""
    assert medium("image/png", PNG) == Image(data=PNG, media_type="image/png")
    assert medium("audio/wav", "AAAA") == Audio("AAAA", "audio/wav")
    assert medium("video/mp4", "AAAA", filename="a.mp4") == File(data="AAAA", media_type="video/mp4", filename="a.mp4")
