"""JSON Schema -> the subset of OpenAPI that Gemini's `parameters` and `responseSchema` take.

An allow-list: what is not known here is not sent. A constraint that the subset lacks is said in the description, so
that the model still knows of it.
"""

from typing import Any

from proxx.protocols.hub.schemas.shapes import (
    DEEPEST,
    MOST_NODES,
    SILENT,
    Schema,
    described,
    members,
    merged,
    options,
    referred,
    texts,
)

REFERENCES = 5  # how many references inside each other are followed; a recursive schema must end somewhere

_KEPT = frozenset(
    {
        "title",
        "description",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minimum",
        "maximum",
        "minLength",
    }
    | {"maxLength", "pattern", "default", "example", "nullable", "propertyOrdering"}
)
_FORMATS = {
    "string": frozenset({"enum", "date-time"}),
    "integer": frozenset({"int32", "int64"}),
    "number": frozenset({"float", "double"}),
}
_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_READ = frozenset(  # keywords that are translated below
    {"type", "format", "enum", "const", "items", "properties", "required", "anyOf", "oneOf", "examples"} | _KEPT
)


def cleaned(schema: Schema) -> tuple[Schema, tuple[str, ...]]:
    """Return the schema in Gemini's subset (types in capitals), and the keywords that had to go into words."""
    cleaner = _Cleaner(schema)
    return cleaner.clean(schema, 0, 0), tuple(sorted(cleaner.lost))


class _Cleaner:
    __slots__ = ("lost", "nodes", "root")

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.lost: set[str] = set()
        self.nodes = 0

    def clean(self, node: object, depth: int, refs: int) -> Schema:
        self.nodes += 1
        if not isinstance(node, dict):
            return {}
        if depth > DEEPEST or self.nodes > MOST_NODES:
            self.lost.add("depth")
            return {"type": "OBJECT"}
        if "$ref" in node:
            return self._followed(node, depth, refs)
        if "allOf" in node:
            return self.clean(self._together(node), depth + 1, refs)
        simpler = _one_of_several(node)
        if simpler != node:
            return self.clean(simpler, depth + 1, refs)
        out: Schema = {name: value for name, value in node.items() if name in _KEPT}
        words: Schema = {}
        kind = self._typed(node, out, words)
        self._contents(node, out, kind, depth, refs)
        self._alternatives(node, out, depth, refs)
        words |= {
            name: value for name, value in node.items() if name not in _READ and self._is_worth_saying(name, value)
        }
        self.lost.update(words)
        return described(out, words)

    def _followed(self, node: Schema, depth: int, refs: int) -> Schema:
        siblings = {name: value for name, value in node.items() if name != "$ref"}
        target = referred(self.root, node["$ref"])
        if target is None or refs >= REFERENCES:
            self.lost.add("$ref")
            target = {"type": "object"}
        return self.clean({**target, **siblings}, depth + 1, refs + 1)

    def _together(self, node: Schema) -> Schema:
        whole = {name: value for name, value in node.items() if name != "allOf"}
        for one in options(node["allOf"]):
            target = referred(self.root, one.get("$ref")) if "$ref" in one else None
            whole = merged(whole, {**(target or {}), **{k: v for k, v in one.items() if k != "$ref"}})
        return whole

    def _typed(self, node: Schema, out: Schema, words: Schema) -> str:
        kind = node.get("type")
        values = node["enum"] if isinstance(node.get("enum"), list) else None
        if values is None and "const" in node:
            values = [node["const"]]
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            kind = _guessed(node)
        kind = kind.lower()
        if values is not None:
            kind = self._enumerated(values, out, words, kind)
        if kind:
            out["type"] = kind.upper()
        form = node.get("format")
        if isinstance(form, str):
            (out if form in _FORMATS.get(kind, ()) else words)["format"] = form
        examples = node.get("examples")
        if isinstance(examples, list) and examples and "example" not in out:
            out["example"] = examples[0]
        return kind

    def _enumerated(self, values: list[Any], out: Schema, words: Schema, kind: str) -> str:
        if None in values:
            out["nullable"] = True
        real = [value for value in values if value is not None]
        if not real:
            return kind
        if all(isinstance(value, str) for value in real):
            out["enum"] = real
            return "string"
        if kind == "boolean" and {True, False} == set(map(bool, real)):
            return kind
        if all(isinstance(value, str | int | float) for value in real):
            out["enum"] = [value if isinstance(value, str) else _spelled(value) for value in real]
            words["enum"] = real
            return "string"
        words["enum"] = real
        return kind

    def _contents(self, node: Schema, out: Schema, kind: str, depth: int, refs: int) -> None:
        properties = members(node.get("properties"))
        if properties:
            out["properties"] = {str(name): self.clean(one, depth + 1, refs) for name, one in properties.items()}
            required = [name for name in texts(node.get("required")) if name in properties]
            if required:
                out["required"] = required
        if kind != "array":
            return
        items = node.get("items")
        if isinstance(items, list):
            self.lost.add("items")
            items = {"anyOf": items}
        # An array must say what is in it.
        out["items"] = self.clean(items, depth + 1, refs) or {"type": "STRING"}

    def _alternatives(self, node: Schema, out: Schema, depth: int, refs: int) -> None:
        several = options(node.get("anyOf")) or options(node.get("oneOf"))
        if several:
            out["anyOf"] = [self.clean(one, depth + 1, refs) for one in several]

    def _is_worth_saying(self, name: str, value: object) -> bool:
        if name == "additionalProperties":
            return isinstance(value, dict) and bool(value)
        return name not in SILENT and not name.startswith(("x-", "$"))


def _one_of_several(node: Schema) -> Schema:
    """Take null out of a list of types or alternatives, and a list of one out of its list."""
    node = dict(node)
    kinds = node.get("type")
    if isinstance(kinds, list):
        real = [kind for kind in texts(kinds) if kind.lower() != "null"]
        if len(real) < len(kinds):
            node["nullable"] = True
        node.pop("type")
        if len(real) == 1:
            node["type"] = real[0]
        elif real and "anyOf" not in node:
            node["anyOf"] = [
                {"type": kind, **({"items": node["items"]} if kind == "array" and "items" in node else {})}
                for kind in real
            ]
    for word in ("anyOf", "oneOf"):
        several = options(node.get(word))
        real_ones = [one for one in several if not _is_null(one)]
        if len(real_ones) < len(several):
            node["nullable"] = True
            node[word] = real_ones
        if several and len(real_ones) <= 1:
            del node[word]
            node = {**(real_ones[0] if real_ones else {}), **node}
    return node


def _is_null(node: Schema) -> bool:
    kind = node.get("type")
    return (
        (isinstance(kind, str) and kind.lower() == "null")
        or node.get("enum") == [None]
        or ("const" in node and node["const"] is None)
    )


def _guessed(node: Schema) -> str:
    if "properties" in node:
        return "object"
    return "array" if "items" in node else ""


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
