"""Decode one object of a client's body, and say in one sentence what is wrong with it."""

import re
from typing import TypeVar

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable

T = TypeVar("T")

_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_PATH = re.compile(r"at `\$([^`]*)`")
_TYPES = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")


class Kind(msgspec.Struct):
    """Which kind of object this is: `type` goes before `role`, for items with a role need not be messages."""

    type: str = ""
    role: str | None = None


objects = msgspec.json.Decoder(dict[str, object])
kinds = msgspec.json.Decoder(Kind)


def read(decoder: "msgspec.json.Decoder[T]", raw: bytes, where: str) -> T:
    """Decode; raise `Unreadable` for another shape, naming the field under `where` ("input[2]", or nothing)."""
    try:
        return decode(decoder, raw)
    except msgspec.ValidationError as fault:
        raise _unreadable(str(fault), where) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None


def missing(field: str) -> Unreadable:
    """Return the refusal of a body that lacks a field."""
    return Unreadable(f"Missing required parameter: '{field}'.", code="missing_required_parameter", param=field)


def invalid(field: str, why: str) -> Unreadable:
    """Return the refusal of a value; `why` completes "Invalid value for 'field': "."""
    return Unreadable(f"Invalid value for '{field}': {why}.", code="invalid_value", param=field)


def _unreadable(fault: str, where: str) -> Unreadable:
    path = _PATH.search(fault)
    at = (where + (path[1] if path else "")).lstrip(".")
    lacking = _MISSING.match(fault)
    if lacking:
        return missing(f"{at}.{lacking[1]}".lstrip("."))
    if not at:
        return Unreadable("The body must be a JSON object.")
    types = _TYPES.match(fault)
    why = f": expected {types[1]}, got {types[2]}" if types else ""
    return Unreadable(f"Invalid type for '{at}'{why}.", code="invalid_type", param=at)
