"""Whether OpenAI's strict mode takes a schema as it stands.

It is never rewritten to fit: what is optional must not become required.
"""

from proxx.protocols.hub.schemas.shapes import Schema, members, texts

DEEPEST = 10  # levels of objects that strict mode takes
MOST_PROPERTIES = 5000

_TAKEN = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs"}
    | {"definitions", "$schema", "title", "description", "pattern", "format", "multipleOf", "minimum", "maximum"}
    | {"exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_TYPING = ("type", "anyOf", "$ref", "enum", "const")


def qualifies_strict(schema: Schema | None) -> bool:
    """Tell whether the root is an object, every object closed, every property required and every keyword known."""
    if not schema or schema.get("type") != "object":
        return False
    return _qualifies(schema, 0, [MOST_PROPERTIES])


def _qualifies(node: object, depth: int, left: list[int]) -> bool:
    if not isinstance(node, dict) or depth > DEEPEST * 2 or not _TAKEN.issuperset(node):
        return False
    if "$ref" in node:
        return set(node) == {"$ref"} and str(node["$ref"]).startswith("#")
    if not any(word in node for word in _TYPING) or ("format" in node and node["format"] not in _FORMATS):
        return False
    if _may_be(node, "object") and not _is_closed(node, left):
        return False
    if _may_be(node, "array") and "items" not in node:
        return False
    inner = [*members(node.get("properties")).values(), *members(node.get("$defs")).values()]
    inner += members(node.get("definitions")).values()
    inner += node["anyOf"] if isinstance(node.get("anyOf"), list) else []
    inner += [node["items"]] if "items" in node else []
    return all(_qualifies(one, depth + 1, left) for one in inner)


def _is_closed(node: Schema, left: list[int]) -> bool:
    properties = members(node.get("properties"))
    left[0] -= len(properties)
    required = texts(node.get("required"))
    return left[0] >= 0 and node.get("additionalProperties") is False and set(required) == set(properties)


def _may_be(node: Schema, kind: str) -> bool:
    said = node.get("type")
    return said == kind or (isinstance(said, list) and kind in said)
