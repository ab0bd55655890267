"""A schema whose root is an object, for upstreams that take no other as a tool's parameters."""

from typing import Any

from proxx.protocols.hub.errors import Inexpressible
from proxx.protocols.hub.schemas.shapes import (
    DEEPEST,
    MOST_NODES,
    Schema,
    described,
    members,
    merged,
    options,
    referred,
    texts,
)


def rooted(schema: Schema | None, *, field: str = "tools[].parameters") -> Schema:
    """Return the schema with `type: object` and `properties` at its root; untouched if it has them.

    allOf is merged; anyOf and oneOf of objects become one object with all their properties, of which those required
    everywhere stay required, and the alternatives are said in the description. Raises `Inexpressible`, naming `field`,
    for a root that can be something else than an object.
    """
    if not schema:
        return {"type": "object", "properties": {}}
    root = _Flattening(schema, field).flat(schema, 0)
    kind = root.get("type")
    if isinstance(kind, list) and "object" in kind:
        kind = "object"
    if kind not in (None, "object"):
        raise Inexpressible(f"'{field}' must describe an object.", param=field)
    if root is schema and schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        return schema
    return {**root, "type": "object", "properties": members(root.get("properties"))}


class _Flattening:
    __slots__ = ("_field", "_left", "_root")

    def __init__(self, root: Schema, field: str) -> None:
        self._root, self._field, self._left = root, field, MOST_NODES

    def flat(self, node: Schema, depth: int) -> Schema:
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise Inexpressible(f"'{self._field}' is nested too deeply.", param=self._field)
        if "$ref" in node:
            target = referred(self._root, node["$ref"])
            if target is None:
                raise Inexpressible(f"'{self._field}' refers to something it does not contain.", param=self._field)
            return self.flat({**target, **{name: value for name, value in node.items() if name != "$ref"}}, depth + 1)
        if "allOf" in node:
            whole = {name: value for name, value in node.items() if name != "allOf"}
            for one in options(node["allOf"]):
                whole = merged(whole, self.flat(one, depth + 1))
            return self.flat(whole, depth + 1)
        for word in ("anyOf", "oneOf"):
            if word in node:
                return self.flat(self._united(node, word, depth), depth + 1)
        return node

    def _united(self, node: Schema, word: str, depth: int) -> Schema:
        several = [self.flat(one, depth + 1) for one in options(node[word])]
        rest = {name: value for name, value in node.items() if name != word}
        if not several:
            return rest
        if not all(one.get("type", "object") == "object" for one in several):
            raise Inexpressible(f"'{self._field}' must describe an object.", param=self._field)
        properties: dict[str, Any] = {}
        for one in several:
            properties = {**members(one.get("properties")), **properties}
        wanted = [texts(one.get("required")) for one in several]
        everywhere = [name for name in wanted[0] if all(name in names for names in wanted)]
        choices = [
            {"properties": sorted(members(one.get("properties"))), "required": names}
            for one, names in zip(several, wanted, strict=True)
        ]
        whole = merged(rest, {"type": "object", "properties": properties, "required": everywhere})
        return described(whole, {word: choices})
