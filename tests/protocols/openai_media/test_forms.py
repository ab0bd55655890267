"""Forms: where text fields stand, whatever the parts say, and what is no form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.openai_media import forms

KIND = "multipart/form-data; boundary=XyZ"


def part(head: str, value: bytes) -> bytes:
    return b"--XyZ\r\n" + head.encode() + b"\r\n\r\n" + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--XyZ--\r\n"


def model(head: str = 'Content-Disposition: form-data; name="model"', value: bytes = b"m") -> bytes:
    return part(head, value)


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: form-data; name="model"',
        'content-disposition:form-data;name="model"',
        "Content-Type: text/plain\r\nContent-Disposition: form-data; name=model",
        'Content-Disposition: form-data; name="model"\r\nContent-Type: text/plain; charset=utf-8',
    ],
)
def test_a_field_is_found_however_its_head_is_written(head: str) -> None:
    body = form(part('Content-Disposition: form-data; name="a"', b"1"), model(head, b"whisper-1"))
    assert forms.text(body, forms.fields(body, KIND), b"model") == "whisper-1"


def test_a_file_named_like_a_field_is_none() -> None:
    body = form(model('Content-Disposition: form-data; name="model"; filename="x"', b"evil"), model(value=b"good"))
    assert forms.text(body, forms.fields(body, KIND), b"model") == "good"


@pytest.mark.parametrize(
    "kind", ['multipart/form-data; boundary="XyZ"', f"{KIND}; charset=utf-8", KIND.upper()[:30] + "XyZ"]
)
def test_the_boundary_is_read_with_and_without_quotes(kind: str) -> None:
    assert forms.boundary(kind) == b"XyZ"


def test_text_before_the_first_boundary_is_no_matter() -> None:
    body = b"preamble\r\n" + form(model())
    assert forms.text(body, forms.fields(body, KIND), b"model") == "m"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_only_the_named_value_changes(before: bytes, after: bytes) -> None:
    if b"XyZ" in before + after:
        return
    file = 'Content-Disposition: form-data; name="file"; filename="f"'
    body = form(part(file, before), model(value=b"alias"), part(file, after))
    changed = forms.replaced(body, forms.fields(body, KIND), b"model", b"whisper-1")
    assert changed == form(part(file, before), model(value=b"whisper-1"), part(file, after))


def test_a_field_that_stands_twice_is_refused() -> None:
    body = form(model(), model())
    with pytest.raises(Unreadable):
        forms.text(body, forms.fields(body, KIND), b"model")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", form(model())),
        (KIND, b""),
        (KIND, b"--XyZ"),
        (KIND, form(model())[:-12]),
        (KIND, b"--XyZ\r\nno end of head"),
        (KIND, b"--XyZ\r\n" + b"x" * 9000 + b"\r\n\r\n\r\n--XyZ--"),
        (KIND, form(*[part('Content-Disposition: form-data; name="a"', b"")] * 1001)),
        (KIND, form(model(value=b"\xff"))),
    ],
)
def test_what_is_no_form_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        forms.text(body, forms.fields(body, kind), b"model")
