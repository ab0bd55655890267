"""Values as compact JSON, also those that the fast encoder refuses: numbers of more than 64 bits, deep nesting, halves
of a surrogate pair.

JSON allows all three, clients and models send them, and what a request holds is the upstream's to judge.
"""

import json
from collections.abc import Iterator

import orjson


def encoded(value: object) -> bytes:
    """Return a value as JSON; raise `TypeError` for what JSON has no form for."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b"".join(_pieces(value))


def _pieces(value: object) -> Iterator[bytes]:
    """Write without recursion: a value may be nested deeper than the interpreter's stack."""
    todo = [iter(((b"", value),))]
    ends = [b""]
    while todo:
        found = next(todo[-1], None)
        if found is None:
            todo.pop()
            yield ends.pop()
            continue
        before, one = found
        yield before
        if isinstance(one, dict):
            todo.append(iter([(_before(place) + _key(key) + b":", one[key]) for place, key in enumerate(one)]))
            yield b"{"
            ends.append(b"}")
        elif isinstance(one, list | tuple):
            todo.append(iter([(_before(place), item) for place, item in enumerate(one)]))
            yield b"["
            ends.append(b"]")
        else:
            yield _leaf(one)


def _before(place: int) -> bytes:
    return b"," if place else b""


def _key(name: object) -> bytes:
    if not isinstance(name, str):
        raise TypeError("a member's name must be a text")
    return _text(name)


def _leaf(value: object) -> bytes:
    if isinstance(value, str):
        return _text(value)
    return str(value).encode() if type(value) is int else orjson.dumps(value)


def _text(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()
