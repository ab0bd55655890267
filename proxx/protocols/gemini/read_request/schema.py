"""Gemini's subset of OpenAPI -> JSON Schema: types in small letters, null as a type, numbers that came as text."""

from typing import Any

from proxx.protocols.gemini.read_request.fields import camel, wrong
from proxx.protocols.hub.errors import Unreadable

DEEPEST = 64

_NUMBERS = frozenset({"minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"})
_NESTED = frozenset({"properties", "items", "anyOf", "defs"})
_OTHER_NAMES = {"defs": "$defs", "ref": "$ref"}
_LEFT_OUT = frozenset({"nullable", "propertyOrdering", "example"})


def read_schema(found: object, param: str, depth: int = 0) -> dict[str, Any]:
    """Return a schema as JSON Schema says it; raise `Unreadable` for what is none."""
    if not isinstance(found, dict):
        raise wrong(param, "an object")
    if depth > DEEPEST:
        raise Unreadable(f"'{param}' is nested too deeply.", param=param)
    out: dict[str, Any] = {}
    for spelled, value in found.items():
        name = camel(spelled)
        if name in _NESTED and isinstance(value, dict | list):
            out[_OTHER_NAMES.get(name, name)] = _inner(value, f"{param}.{name}", depth + 1, single=name == "items")
        elif name == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                out[name] = value.lower()
        elif name in _NUMBERS and isinstance(value, str) and value.isdecimal():
            out[name] = int(value)
        elif name not in _LEFT_OUT:
            out[_OTHER_NAMES.get(name, name)] = value
    if "example" in found:
        out["examples"] = [found["example"]]
    if found.get("nullable") is True:
        _allow_null(out)
    return out


def _inner(value: Any, param: str, depth: int, *, single: bool) -> Any:
    if single:
        return read_schema(value, param, depth)
    if isinstance(value, list):
        return [read_schema(one, f"{param}[{at}]", depth) for at, one in enumerate(value)]
    return {key: read_schema(one, f"{param}.{key}", depth) for key, one in value.items()}


def _allow_null(out: dict[str, Any]) -> None:
    if isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
        if isinstance(out.get("enum"), list):
            out["enum"] = [*out["enum"], None]
    elif "anyOf" in out:
        out["anyOf"] = [*out["anyOf"], {"type": "null"}]
