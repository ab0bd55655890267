"""JSON in and out, by orjson: strict (no NaN, no duplicate guessing), bytes out."""

import re
from typing import Any

import orjson

JSONDecodeError = orjson.JSONDecodeError

# One escape after another, so that a backslash that is escaped itself begins none: a whole pair, or half of one.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
LOST = "\ufffd"


def loads(data: bytes | bytearray | memoryview | str) -> Any:
    """Parse JSON; raise `JSONDecodeError` (a `ValueError`) if it is not JSON."""
    return orjson.loads(data)


def loads_damaged(data: bytes) -> Any:
    """Parse JSON in which some texts may be damaged: half a surrogate pair, or bytes that are no UTF-8, read as `LOST`.

    For lists in which one bad entry must not cost the others. Raises `JSONDecodeError` for what is no JSON even so.
    """
    try:
        return loads(data)
    except JSONDecodeError:
        whole = data.decode("utf-8", "replace").encode()
        return loads(_ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], whole))


def dumps(value: Any) -> bytes:
    """Write compact UTF-8 JSON."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
