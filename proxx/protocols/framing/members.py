"""Edit one top-level member of a JSON object and leave every other byte as it was.

A client's body goes upstream as it came; only `model` and the stream options may have to change. Decoding and
encoding again would lose number spellings, key order and unknown escapes, so the value's span is found and replaced.
"""

import re
from collections.abc import Iterator

import orjson

# Strings first, so that brackets and colons inside them are passed over in one step.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)

_ESCAPED_LETTER = re.compile(rb"\\u00[4-7][0-9a-fA-F]")


def spans(body: bytes, name: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the values of the top-level member `name` begin and end; several if the key is repeated."""
    depth, key, value_from = 0, b"", -1
    expects_key = False
    for token in _TOKEN.finditer(body):
        mark = token.group()
        if mark in b"{[":
            depth += 1
            expects_key = depth == 1
        elif mark in b"}]":
            depth -= 1
            if depth == 0 and value_from >= 0:
                yield _trimmed(body, value_from, token.start())
                value_from = -1
        elif depth == 1 and mark == b",":
            if value_from >= 0:
                yield _trimmed(body, value_from, token.start())
                value_from = -1
            expects_key = True
        elif depth == 1 and mark == b":":
            if key == name:
                value_from = token.end()
        elif depth == 1 and expects_key and mark[:1] == b'"':
            key, expects_key = _spelled_out(mark), False


def may_repeat(body: bytes, name: bytes) -> bool:
    """Tell cheaply whether a key could stand twice, or once in letters and once in escapes."""
    return body.count(b'"' + name + b'"') > 1 or _ESCAPED_LETTER.search(body) is not None


def replaced(body: bytes, name: bytes, value: bytes) -> bytes:
    """Return the object with the top-level value of `name` replaced; unchanged if there is none.

    Only the first value is looked for: a reader refuses bodies that repeat a key which may have to change.
    """
    for start, end in spans(body, name):
        return body[:start] + value + body[end:]
    return body


def with_first(body: bytes, member: bytes) -> bytes:
    """Return the object with `member` ("name":value) put in front of the others."""
    brace = body.index(b"{") + 1
    rest = body[brace:].lstrip()
    return body[:brace] + member + (b"" if rest.startswith(b"}") else b",") + body[brace:]


def _spelled_out(mark: bytes) -> bytes:
    if b"\\" not in mark:
        return mark[1:-1]
    try:
        return str(orjson.loads(mark)).encode()
    except orjson.JSONDecodeError:
        return mark[1:-1]


def _trimmed(body: bytes, start: int, end: int) -> tuple[int, int]:
    value = body[start:end]
    start += len(value) - len(value.lstrip())
    return start, start + len(value.strip())
