"""Decode JSON that is sound but for half a character: an escape of one half of a surrogate pair.

Streams cut an emoji between two events, and some clients send what they were given. The grammar allows it (RFC 8259,
8.2), strict decoders do not. For reading only; the bytes that travel stay as they are.
"""

import re
from typing import TypeVar

import msgspec

T = TypeVar("T")

FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# Each escape as a whole: a pair is a character, and what follows an escaped backslash is text.
_ESCAPE = re.compile(
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def decode(decoder: "msgspec.json.Decoder[T]", data: bytes) -> T:
    """Decode; a lone surrogate reads as the replacement character. Raises one of `FAULTS` for what is no JSON."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except FAULTS:
        mended = _ESCAPE.sub(_whole, data)
        if mended == data:
            raise
        return decoder.decode(mended)


def _whole(escape: "re.Match[bytes]") -> bytes:
    return rb"\ufffd" if escape[2] else escape[0]
