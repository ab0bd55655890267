"""Members of a Gemini object, in either spelling: its parser takes camelCase and snake_case alike.

Only names that the protocol itself gives are turned; arguments, responses and JSON Schemas are the client's own.
"""

import re
from typing import Any, TypeVar

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable

T = TypeVar("T")
Object = dict[str, Any]

_UNDERSCORE = re.compile(r"_([a-z0-9])")
_AT = re.compile(r" - at `(?:key )?\$?(.*)`$")
_raws = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list_of_raws = msgspec.json.Decoder(list[msgspec.Raw])


def camel(name: str) -> str:
    """Return a member's name in camelCase."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def raw_members(data: bytes, param: str) -> dict[str, msgspec.Raw]:
    """Return an object's members undecoded; null reads as an empty object."""
    if data == b"null":
        return {}
    return _named(typed(_raws, data, param), param)


def raw_list(data: bytes, param: str) -> list[bytes]:
    """Return a list's elements undecoded. A single object reads as a list of one, as Google's parser has it."""
    if data == b"null":
        return []
    if data[:1] == b"{":
        return [data]
    return [bytes(one) for one in typed(_list_of_raws, data, param)]


def typed(decoder: "msgspec.json.Decoder[T]", data: bytes, param: str) -> T:
    """Decode a value that must have a type; raise `Unreadable` naming where it does not."""
    try:
        return decode(decoder, data)
    except msgspec.ValidationError as fault:
        at = _AT.search(str(fault))
        where = param + (at[1] if at else "")
        raise Unreadable(f"Invalid value at '{where}'.", code="invalid_type", param=where) from None
    except FAULTS:
        raise Unreadable(f"The value of '{param}' is not valid JSON.", param=param) from None


def named(found: object, param: str) -> Object:
    """Return an object with its members' names in camelCase; null reads as an empty object."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise wrong(param, "an object")
    return _named(found, param)


def objects(found: object, param: str) -> list[Object]:
    """Return a list of objects; null is an empty one, a single object a list of one."""
    if found is None:
        return []
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise wrong(param, "a list")
    return [named(one, f"{param}[{place}]") for place, one in enumerate(found)]


def text(holder: Object, name: str, param: str) -> str:
    """Return a text; empty if there is none."""
    found = holder.get(name)
    if found is None or isinstance(found, str):
        return found or ""
    raise wrong(f"{param}.{name}", "a string")


def flag(holder: Object, name: str, param: str) -> bool | None:
    """Return true or false; None if it is not said."""
    found = holder.get(name)
    if found is None or isinstance(found, bool):
        return found
    raise wrong(f"{param}.{name}", "true or false")


def number(holder: Object, name: str, param: str) -> float | None:
    """Return a number, which may be written as text."""
    found = holder.get(name)
    if isinstance(found, str):
        try:
            found = float(found)
        except ValueError:
            raise wrong(f"{param}.{name}", "a number") from None
    if found is None or (isinstance(found, int | float) and not isinstance(found, bool)):
        return found
    raise wrong(f"{param}.{name}", "a number")


def whole_number(holder: Object, name: str, param: str) -> int | None:
    """Return a whole number, which may be written as text or with a point."""
    found = number(holder, name, param)
    if found is None or isinstance(found, int):
        return found
    if found != found or found in (float("inf"), float("-inf")) or not found.is_integer():
        raise wrong(f"{param}.{name}", "a whole number")
    return int(found)


def texts(holder: Object, name: str, param: str) -> tuple[str, ...]:
    """Return a list of texts; empty if it is not said."""
    found = holder.get(name)
    if found is None:
        return ()
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return tuple(found)
    raise wrong(f"{param}.{name}", "a list of strings")


def wrong(param: str, expected: str) -> Unreadable:
    """Return the error for a value of another type than the field has."""
    return Unreadable(f"'{param}' must be {expected}.", code="invalid_type", param=param)


def _named(found: dict[str, T], param: str) -> dict[str, T]:
    if not any("_" in name for name in found):
        return found
    told: dict[str, T] = {}
    for name, value in found.items():
        name = camel(name) if name[:1] != "_" else name
        if name in told:
            raise Unreadable(f"'{param}.{name}' is given in two spellings.", param=f"{param}.{name}")
        told[name] = value
    return told
