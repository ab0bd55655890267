"""What OpenAI refuses in the tools and schemas of a Responses request."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.upstreams.answer import Refused
from tests.upstreams.responses_errors import (
    missing,
    only,
    pattern,
    refused,
    text,
    wrong_type,
    wrong_value,
)

NAME = re.compile(r"[a-zA-Z0-9_-]+")
NAME_LIMIT = 128
NAMESPACE_LIMIT = 64
FUNCTION = frozenset({
    "type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers", "output_schema",
})  # fmt: skip
CUSTOM = frozenset({"type", "name", "description", "format", "defer_loading", "allowed_callers"})
NAMESPACE = frozenset({"type", "name", "description", "tools", "defer_loading"})
# Tools of the service itself, and the client's own without a schema: their members are not looked at.
OTHERS = (
    "web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11", "file_search",
    "code_interpreter", "image_generation", "mcp", "computer", "computer_use_preview", "local_shell", "shell",
    "apply_patch", "tool_search", "programmatic_tool_calling",
)  # fmt: skip
# Strict schemas know neither of these.
NOT_STRICT = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
    "propertyNames", "uniqueItems",
)  # fmt: skip
NOT_AT_THE_TOP = ("oneOf", "anyOf", "allOf", "enum", "not")


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool that the model may call: `kind` is function, custom, or the type of another tool."""

    kind: str
    name: str
    namespace: str
    schema: dict[str, Any]


def check(tools: Any, where: str = "tools") -> list[Declared]:
    """Return the declared tools, or raise Refused with the 400 that OpenAI would give."""
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise wrong_type(where, "an array of objects", tools)
    found: list[Declared] = []
    for index, tool in enumerate(tools):
        found += _tool(tool, f"{where}[{index}]")
    return found


def check_choice(choice: Any, declared: list[Declared]) -> str:
    """Return the tool that must be called: a name, `*` for any, or nothing; raise Refused."""
    if choice is None or choice in ("auto", "none"):
        return ""
    if choice == "required":
        if not declared:
            raise refused("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
        return "*"
    if not isinstance(choice, dict):
        raise wrong_value("tool_choice", choice, ("none", "auto", "required"))
    kind = choice.get("type")
    if kind in ("function", "custom"):
        return _named(choice, kind, declared)
    if kind == "allowed_tools":
        return _allowed(choice, declared)
    if kind not in OTHERS:
        raise wrong_value("tool_choice.type", kind, ("function", "custom", "allowed_tools", *OTHERS))
    if not any(tool.kind == kind for tool in declared):
        raise refused(f"Tool choice '{kind}' not found in 'tools' parameter.", "tool_choice")
    return ""


def check_schema(schema: Any, *, what: str, param: str, code: str, strict: bool) -> None:
    """Raise Refused for a schema that OpenAI would not take; `what` names it: function 'f'."""

    def wrong(fault: str) -> Refused:
        return refused(f"Invalid schema for {what}: {fault}", param, code)

    if not isinstance(schema, dict):
        raise wrong_type(param, "an object", schema)
    if schema.get("type") != "object":
        found = "None" if schema.get("type") is None else f'"{schema["type"]}"'
        raise wrong(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {found}'.")
    at_top = [word for word in NOT_AT_THE_TOP if word in schema]
    if at_top:
        raise wrong(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
        )
    for place, part in _walk(schema, ()):
        context = f"In context={place!r}, "
        if _shape_fault(part):
            raise wrong(f"{context}{_shape_fault(part)}")
        if part.get("type") == "array" and "items" not in part:
            raise wrong(f"{context}array schema missing items.")
        fault = _strict_fault(part) if strict else ""
        if fault:
            raise wrong(f"{context}{fault}")


def _shape_fault(part: dict[str, Any]) -> str:
    """Return what is wrong with a part that is no JSON Schema at all."""
    required = part.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        return f"{required!r} is not of type 'array'."
    found = part.get("properties", {})
    if not isinstance(found, dict):
        return f"{found!r} is not of type 'object'."
    odd = [inner for inner in found.values() if not isinstance(inner, dict | bool)]
    return f"{odd[0]!r} is not of type 'object', 'boolean'." if odd else ""


def _strict_fault(part: dict[str, Any]) -> str:
    for word in NOT_STRICT:
        if word in part:
            return f"'{word}' is not permitted."
    if not any(word in part for word in ("type", "anyOf", "$ref", "enum", "const")):
        return "schema must have a 'type' key."
    if "object" not in (part.get("type") if isinstance(part.get("type"), list) else [part.get("type")]):
        return ""
    if part.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    required = part.get("required") or []
    left_out = [name for name in part.get("properties") or {} if name not in required]
    extra = [name for name in required if name not in (part.get("properties") or {})]
    if left_out:
        rule = "'required' is required to be supplied and to be an array including every key in properties."
        return f"{rule} Missing '{left_out[0]}'."
    return f"'required' holds '{extra[0]}', which is no key in properties." if extra else ""


def _walk(part: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    if not isinstance(part, dict):
        return
    yield place, part
    for word in ("properties", "$defs", "definitions"):
        children = part.get(word)
        for name, child in children.items() if isinstance(children, dict) else ():
            yield from _walk(child, (*place, word, name))
    yield from _walk(part.get("items"), (*place, "items"))
    options = part.get("anyOf")
    for index, child in enumerate(options if isinstance(options, list) else ()):
        yield from _walk(child, (*place, "anyOf", str(index)))


def _tool(tool: Any, where: str, namespace: str = "") -> list[Declared]:
    if not isinstance(tool, dict):
        raise wrong_type(where, "an object", tool)
    kind = tool.get("type")
    if kind is None:
        raise missing(f"{where}.type")
    if kind == "function":
        return [_function(tool, where, namespace)]
    if kind == "custom":
        return [_custom(tool, where, namespace)]
    if kind == "namespace" and not namespace:
        return _namespace(tool, where)
    if kind not in OTHERS or namespace:
        known = ("function", "custom") if namespace else ("function", "custom", "namespace", *OTHERS)
        raise wrong_value(where, kind, known)
    return [Declared(kind, kind, "", {})]


def _name(tool: dict[str, Any], where: str, most: int = NAME_LIMIT) -> str:
    if "name" not in tool:
        raise missing(f"{where}.name")
    name = text(tool["name"], f"{where}.name", most=most)
    if not NAME.fullmatch(name):
        raise pattern(f"{where}.name", "^[a-zA-Z0-9_-]+$")
    return name


def _function(tool: dict[str, Any], where: str, namespace: str) -> Declared:
    name = _name(tool, where)
    only(tool, FUNCTION, f"{where}.")
    strict, schema = tool.get("strict"), tool.get("parameters")
    if strict is not None and not isinstance(strict, bool):
        raise wrong_type(f"{where}.strict", "a boolean", strict)
    if schema is not None:
        place = f"{where}.parameters"
        check_schema(
            schema,
            what=f"function '{name}'",
            param=place,
            code="invalid_function_parameters",
            strict=strict is not False,
        )
    return Declared("function", name, namespace, schema or {})


def _custom(tool: dict[str, Any], where: str, namespace: str) -> Declared:
    name = _name(tool, where)
    only(tool, CUSTOM, f"{where}.")
    shape = tool.get("format")
    if shape is None:
        return Declared("custom", name, namespace, {})
    kind = shape.get("type") if isinstance(shape, dict) else None
    if kind not in ("text", "grammar"):
        raise wrong_value(f"{where}.format.type", kind, ("text", "grammar"))
    if kind == "grammar":
        if shape.get("syntax") not in ("lark", "regex"):
            raise wrong_value(f"{where}.format.syntax", shape.get("syntax"), ("lark", "regex"))
        if not isinstance(shape.get("definition"), str):
            raise missing(f"{where}.format.definition")
    return Declared("custom", name, namespace, {})


def _namespace(tool: dict[str, Any], where: str) -> list[Declared]:
    name = _name(tool, where, NAMESPACE_LIMIT)
    only(tool, NAMESPACE, f"{where}.")
    if not isinstance(tool.get("description"), str):
        raise missing(f"{where}.description")
    if not isinstance(tool.get("tools"), list):
        raise missing(f"{where}.tools")
    found: list[Declared] = []
    for index, inner in enumerate(tool["tools"]):
        found += _tool(inner, f"{where}.tools[{index}]", name)
    return found


def _named(choice: dict[str, Any], kind: str, declared: list[Declared]) -> str:
    if "name" not in choice:
        raise missing("tool_choice.name")
    only(choice, ("type", "name", "namespace"), "tool_choice.")
    if not any(tool.kind == kind and tool.name == choice["name"] for tool in declared):
        raise refused(f"Tool choice '{kind}' not found in 'tools' parameter.", "tool_choice")
    return str(choice["name"])


def _allowed(choice: dict[str, Any], declared: list[Declared]) -> str:
    if choice.get("mode") not in ("auto", "required"):
        raise wrong_value("tool_choice.mode", choice.get("mode"), ("auto", "required"))
    tools = choice.get("tools")
    if not isinstance(tools, list):
        raise missing("tool_choice.tools")
    names = {tool.name for tool in declared} | {tool.kind for tool in declared}
    for index, tool in enumerate(tools):
        where = f"tool_choice.tools[{index}]"
        name = tool.get("name", tool.get("type")) if isinstance(tool, dict) else None
        if name is None:
            raise missing(f"{where}.name")
        if not isinstance(name, str) or name not in names:
            raise refused(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
    return "*" if choice["mode"] == "required" else ""
