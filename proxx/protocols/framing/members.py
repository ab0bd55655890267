"""Edit one top-level member of a JSON object and leave every other byte as it was.

A client's body goes upstream as it came; only `model` and the stream options may have to change. Decoding and encoding
again would lose number spellings, key order and unknown escapes, so the value's span is found and replaced. All work on
the body is done by C code in one pass: a body of many megabytes must not hold up the loop.
"""

import re
from functools import lru_cache

import msgspec

from proxx.protocols.framing.lenient import decode

LONG = 8  # bytes: room for a mark of its own for each place
MANY = 1000  # a key that stands this often is an attack, not a request

_ESCAPE = b"\\u00"
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7][0-9a-fA-F]")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTERS = bytes(range(128)) + b"?" * 128
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Unclear(ValueError):
    """A member that stands too often, or in escapes, so that another parser might read it differently."""


def spans(body: bytes, name: bytes) -> list[tuple[int, int]]:
    """Return where the values of the top-level member `name` begin and end; several if the key is repeated.

    Every place where the key stands gets a mark of the same length, and one decoding of the top level tells which
    marks are members of it. Raises `Unclear` for a key in escapes, and the decoder's faults for what is no object.
    """
    places, marks, top = _places(body, name, len(name))
    values = ((place.end(), top.get(mark)) for place, mark in zip(places, marks, strict=True))
    return [(start, start + len(bytes(value))) for start, value in values if value is not None]


def count(body: bytes, name: bytes) -> int:
    """Return how often the top-level member `name` stands, however short its name; raises what `spans` raises."""
    _, marks, top = _places(body, name, max(len(name), LONG))
    return sum(mark in top for mark in marks)


def only_place(body: bytes, name: bytes) -> int:
    """Return where the value of a member begins that the object is known to have, if its key stands in one place; else
    -1."""
    if may_repeat(body, name):
        return -1
    place = _key(name).search(body)
    return place.end() if place is not None else -1


def may_repeat(body: bytes, name: bytes) -> bool:
    """Tell cheaply whether a key could stand twice, or once in letters and once in escapes."""
    return body.count(b'"' + name + b'"') > 1 or escapes_letters(body)


def escapes_letters(body: bytes) -> bool:
    """Tell whether a letter is written as an escape, so that a key may stand there unseen."""
    return _ESCAPE in body and _ESCAPED_LETTER.search(body) is not None


def replaced(body: bytes, name: bytes, value: bytes) -> bytes:
    """Return the object with every top-level value of `name` replaced; unchanged if there is none."""
    for start, end in reversed(spans(body, name)):
        body = body[:start] + value + body[end:]
    return body


def with_first(body: bytes, member: bytes) -> bytes:
    """Return the object with `member` ("name":value) put in front of the others."""
    brace = body.index(b"{") + 1
    empty = body[brace : brace + 64].lstrip()[:1] == b"}"
    return body[:brace] + member + (b"" if empty else b",") + body[brace:]


def without(body: bytes, name: bytes) -> bytes:
    """Return the object without its top-level members of that name, and without the commas that were theirs."""
    for start, end in reversed(spans(body, name)):
        head = body[: body.rindex(b'"' + name + b'"', 0, start)].rstrip()
        tail = body[end:].lstrip()
        if tail[:1] == b",":
            tail = tail[1:].lstrip()
        elif head[-1:] == b",":
            head = head[:-1]
        body = head + tail
    return body


@lru_cache(maxsize=32)
def _key(name: bytes) -> re.Pattern[bytes]:
    # These quotes cannot stand inside a JSON string unescaped, so a match is a key, never somebody's text.
    return re.compile(b'"' + re.escape(name) + rb'"[ \t\r\n]*:[ \t\r\n]*')


def _places(body: bytes, name: bytes, length: int) -> tuple[list[re.Match[bytes]], list[str], dict[str, msgspec.Raw]]:
    """Return where the key stands, marks of that length in its places, and the top level that has them."""
    places = list(_key(name).finditer(body))
    if len(places) > MANY:
        raise Unclear(f"The key '{name.decode()}' stands too often in the body.")
    marks = [_mark(number, length) for number in range(len(places))]
    top = _top(_marked(body, places, marks, len(name)))
    if name.decode() in top:
        raise Unclear(f"The key '{name.decode()}' must be written without escapes.")
    return places, marks, top


def _top(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return decode(_members, body)
    except UnicodeDecodeError:
        # A name that is no text. Where things stand can be told without it, and judging it is the reader's business.
        return decode(_members, body.translate(_LETTERS))


def _mark(number: int, length: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return "\x7f" + digits.rjust(length - 1, "\x7f")


def _marked(body: bytes, places: list[re.Match[bytes]], marks: list[str], length: int) -> bytes:
    pieces, at = [], 0
    for place, mark in zip(places, marks, strict=True):
        key_from = place.start() + 1
        pieces += [body[at:key_from], mark.encode()]
        at = key_from + length
    pieces.append(body[at:])
    return b"".join(pieces)
