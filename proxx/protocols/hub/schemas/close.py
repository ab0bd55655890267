"""A schema in the form that Anthropic's structured answers take: closed objects, few keywords, the rest in words."""

import re

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.schemas.root import rooted
from proxx.protocols.hub.schemas.shapes import DEEPEST, SILENT, Schema, described, members, options

_KEPT = frozenset({"type", "title", "description", "enum", "const", "default", "required", "$ref"})
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_HARD_PATTERN = re.compile(r"\(\?(?!:)|\\[bB1-9]")  # look-around, word borders and back references are refused


def closed(schema: Schema, *, field: str = "response_format") -> Schema:
    """Return a schema with an object at its root, every object closed, and unsupported keywords in descriptions.

    Raises `Inexpressible`, naming `field`, where the root is no object.
    """
    return _closed(rooted(schema, field=field), field, 0)


def _closed(node: object, field: str, depth: int) -> Schema:
    if depth > DEEPEST:
        raise Inexpressible(f"'{field}' is nested too deeply.", param=field)
    if not isinstance(node, dict):
        return {}
    out: Schema = {name: value for name, value in node.items() if name in _KEPT}
    words: Schema = {}
    for name, value in node.items():
        match name:
            case "properties":
                out[name] = {key: _closed(one, field, depth + 1) for key, one in members(value).items()}
            case "$defs" | "definitions":
                out[name] = {key: _closed(one, field, depth + 1) for key, one in members(value).items()}
            case "anyOf" | "oneOf":
                out["anyOf"] = [_closed(one, field, depth + 1) for one in options(value)]
            case "allOf":
                out[name] = [_closed(one, field, depth + 1) for one in options(value)]
            case "items" if isinstance(value, dict):
                out[name] = _closed(value, field, depth + 1)
            case _ if _is_taken(name, value):
                out[name] = value
            case _ if (
                name not in _KEPT
                and name not in SILENT
                and not (name == "additionalProperties" and value in (True, False))
            ):
                words[name] = value
    if _is_object(node):
        out["additionalProperties"] = False
        out.setdefault("properties", {})
    return described(out, words)


def _is_taken(name: str, value: object) -> bool:
    if name == "format":
        return value in _FORMATS
    if name == "minItems":
        return value in (0, 1)
    return name == "pattern" and isinstance(value, str) and _HARD_PATTERN.search(value) is None


def _is_object(node: Schema) -> bool:
    kind = node.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in node
