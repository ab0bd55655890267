"""What all edits of schemas have in common: references, bounds, and constraints said in words."""

from typing import Any

from proxx.protocols.framing.encode import encoded

Schema = dict[str, Any]

MOST_NODES = 5000  # references multiply: a few lines can describe more than memory holds
DEEPEST = 64  # levels; a deeper schema is an attack or an accident, and recursion has its price
SILENT = frozenset(
    {"$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "deprecated", "readOnly", "writeOnly"}
)


def referred(root: Schema, ref: object) -> Schema | None:
    """Return what a local reference ("#/$defs/x") points to; None for any other, or one that leads nowhere."""
    if not isinstance(ref, str) or not ref.startswith("#"):
        return None
    found: Any = root
    for step in ref[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return None
    return found if isinstance(found, dict) else None


def described(node: Schema, constraints: Schema) -> Schema:
    """Return the node with constraints that have no keyword in the target said in its description."""
    if not constraints:
        return node
    words = f"Must also satisfy: {encoded(dict(sorted(constraints.items()))).decode()}"
    said = node.get("description")
    return {**node, "description": f"{said}\n{words}" if isinstance(said, str) and said else words}


def texts(value: object) -> list[str]:
    """Return the texts of a list; empty for anything else."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def members(value: object) -> Schema:
    """Return an object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def options(value: object) -> list[Schema]:
    """Return the schemas of an anyOf, oneOf or allOf; `true` reads as {}, what is no schema is left out."""
    if not isinstance(value, list):
        return []
    return [one if isinstance(one, dict) else {} for one in value if isinstance(one, dict) or one is True]


def merged(into: Schema, more: Schema) -> Schema:
    """Return both schemas as one: properties and required together, else the first one's word."""
    out = {**more, **into}
    properties = {**members(more.get("properties")), **members(into.get("properties"))}
    if properties:
        out["properties"] = properties
    required = [*texts(into.get("required")), *texts(more.get("required"))]
    if required:
        out["required"] = list(dict.fromkeys(required))
    return out
