"""Values as compact JSON, also those that the fast encoder refuses: numbers of more than 64 bits, deep nesting."""

import json

import orjson


def encoded(value: object) -> bytes:
    """Return a value as JSON; raise `RecursionError` for what is nested too deeply for anybody."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> object:
    # What is already written, such as an action in the model's own spelling.
    return json.loads(orjson.dumps(value))
