"""JSON in and out, by orjson: strict (no NaN, no duplicate guessing), bytes out."""

from typing import Any

import orjson

JSONDecodeError = orjson.JSONDecodeError


def loads(data: bytes | bytearray | memoryview | str) -> Any:
    """Parse JSON; raise `JSONDecodeError` (a `ValueError`) if it is not JSON."""
    return orjson.loads(data)


def dumps(value: Any) -> bytes:
    """Write compact UTF-8 JSON."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
