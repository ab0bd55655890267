"""What Anthropic refuses in tools, tool_choice, strict schemas and cache marks, and with which 400."""

import re
from collections.abc import Iterator
from typing import Any

from tests.upstreams import anthropic_blocks
from tests.upstreams.answer import Refused
from tests.upstreams.anthropic_refusals import invalid

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
SERVER_TOOL = re.compile(
    r"(web_search|web_fetch|code_execution|tool_search_tool_(bm25|regex)|bash|text_editor|memory|computer)_\d{8}"
)
CUSTOM = frozenset(
    {
        "type", "name", "description", "input_schema", "cache_control", "strict", "defer_loading",
        "eager_input_streaming", "input_examples", "allowed_callers",
    }
)  # fmt: skip
CHOICES: dict[str, set[str]] = {
    "auto": {"type", "disable_parallel_tool_use"},
    "any": {"type", "disable_parallel_tool_use"},
    "none": {"type"},
    "tool": {"type", "name", "disable_parallel_tool_use"},
}
MARKS = 4
# What structured output does not take, by the type it would stand beside.
UNSUPPORTED = {
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "string": {"minLength", "maxLength"},
    "array": {"maxItems", "uniqueItems", "contains", "prefixItems"},
    "object": {"minProperties", "maxProperties", "patternProperties", "propertyNames", "if", "then", "else"},
}


def check(body: dict[str, Any]) -> None:
    """Raise Refused for the first thing that is wrong with tools, the choice among them, or cache marks."""
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, list):
        raise Refused(invalid("tools: Input should be a valid list"))
    names = [_tool(tool, f"tools.{index}") for index, tool in enumerate(tools or ())]
    if len(set(names)) < len(names):
        raise Refused(invalid("tools: Tool names must be unique."))
    _choice(body.get("tool_choice"), names)
    _marks(body)


def _tool(tool: Any, where: str) -> str:
    if not isinstance(tool, dict):
        raise Refused(invalid(f"{where}: Input should be a valid dictionary"))
    kind = tool.get("type") or "custom"
    if kind != "custom":
        if not isinstance(kind, str) or not SERVER_TOOL.fullmatch(kind):
            text = f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            raise Refused(invalid(text + "'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20250305'"))
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            raise Refused(invalid(f"{where}: only one of allowed_domains and blocked_domains may be given"))
        return str(tool.get("name"))
    for member in tool:
        if member not in CUSTOM:
            raise Refused(invalid(f"{where}.custom.{member}: Extra inputs are not permitted"))
    for member in ("name", "input_schema"):
        if member not in tool:
            raise Refused(invalid(f"{where}.custom.{member}: Field required"))
    if not isinstance(tool["name"], str) or not NAME.fullmatch(tool["name"]):
        text = f"{where}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        raise Refused(invalid(text))
    if "description" in tool and not isinstance(tool["description"], str):
        raise Refused(invalid(f"{where}.custom.description: Input should be a valid string"))
    _schema(tool["input_schema"], f"{where}.custom.input_schema")
    if tool.get("strict"):
        check_strict(tool["input_schema"], f"{where}.custom.input_schema")
    return str(tool["name"])


def _schema(schema: Any, where: str) -> None:
    if not isinstance(schema, dict):
        raise Refused(invalid(f"{where}: Input should be a valid dictionary"))
    if "type" not in schema:
        raise Refused(invalid(f"{where}.type: Field required"))
    if schema["type"] != "object":
        raise Refused(invalid(f"{where}.type: Input should be 'object'"))
    if any(joined in schema for joined in ("oneOf", "allOf", "anyOf")):
        text = f"{where}: input_schema does not support oneOf, allOf, or anyOf at the top level"
        raise Refused(invalid(text))
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        text = f"{where}: JSON schema is invalid. It must match JSON Schema draft 2020-12"
        raise Refused(invalid(text))


def check_strict(schema: Any, where: str) -> None:
    """Raise Refused unless the schema is one that the answer can be held to."""
    if not isinstance(schema, dict):
        raise Refused(invalid(f"{where}: Input should be a valid dictionary"))
    if schema.get("type") != "object" and "$ref" not in schema:
        raise Refused(invalid(f"{where}: the root of the schema must be of type 'object'"))
    for part in _schemas(schema):
        kinds = part.get("type")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            _strict_part(part, kind, where)
        if "oneOf" in part or "not" in part:
            raise Refused(invalid(f"{where}: oneOf and not are not supported"))


def _strict_part(part: dict[str, Any], kind: Any, where: str) -> None:
    if kind == "object" and part.get("additionalProperties") is not False:
        text = f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false"
        raise Refused(invalid(text))
    found = sorted(UNSUPPORTED.get(kind, set()) & set(part)) if isinstance(kind, str) else []
    if found:
        raise Refused(invalid(f"{where}: For '{kind}' type, properties {', '.join(found)} are not supported"))
    if kind == "array" and part.get("minItems", 0) not in (0, 1):
        text = f"{where}: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        raise Refused(invalid(text))


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Walk through a schema and all schemas in it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for named in ("properties", "$defs", "definitions"):
        inner = schema.get(named)
        for part in inner.values() if isinstance(inner, dict) else ():
            yield from _schemas(part)
    yield from _schemas(schema.get("items"))
    for joined in ("anyOf", "allOf", "oneOf"):
        inner = schema.get(joined)
        for part in inner if isinstance(inner, list) else ():
            yield from _schemas(part)


def _choice(choice: Any, names: list[str]) -> None:
    if choice is None:
        return
    kind = anthropic_blocks.tag(choice)
    if kind not in CHOICES:
        text = f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
        raise Refused(invalid(text + ", ".join(f"'{name}'" for name in sorted(CHOICES))))
    for member in set(choice) - CHOICES[kind]:
        raise Refused(invalid(f"tool_choice.{kind}.{member}: Extra inputs are not permitted"))
    if not names:
        raise Refused(invalid("tool_choice: may only be specified while providing `tools`"))
    if kind == "tool" and choice.get("name") not in names:
        raise Refused(invalid(f"Tool '{choice.get('name')}' not found in provided tools"))


def _marks(body: dict[str, Any]) -> None:
    """Check cache marks in the order in which the service reads: tools, system, messages, the whole."""
    found = list(_marked(body))
    if len(found) > MARKS:
        text = f"A maximum of {MARKS} blocks with cache_control may be provided. Found {len(found)}."
        raise Refused(invalid(text))
    short = False
    for where, mark in found:
        ttl = mark.get("ttl", "5m") if isinstance(mark, dict) else None
        if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
            raise Refused(invalid(f"{where}.cache_control.type: Input should be 'ephemeral'"))
        for member in set(mark) - {"type", "ttl"}:
            raise Refused(invalid(f"{where}.cache_control.ephemeral.{member}: Extra inputs are not permitted"))
        if ttl not in ("5m", "1h"):
            raise Refused(invalid(f"{where}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'"))
        if ttl == "1h" and short:
            text = (
                f"{where}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following order: `tools`, `system`, "
                "`messages`."
            )
            raise Refused(invalid(text))
        short = short or ttl == "5m"


def _marked(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _marks_of(body.get("tools"), "tools")
    yield from _marks_of(body.get("system"), "system")
    for index, message in enumerate(body["messages"] if isinstance(body["messages"], list) else ()):
        content = message.get("content") if isinstance(message, dict) else None
        yield from _marks_of(content, f"messages.{index}.content")
    if body.get("cache_control") is not None:
        yield "", body["cache_control"]


def _marks_of(blocks: Any, where: str) -> Iterator[tuple[str, Any]]:
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        if block.get("type") == "tool_result":
            yield from _marks_of(block.get("content"), f"{where}.{index}.tool_result.content")
        if block.get("cache_control") is not None:
            yield f"{where}.{index}", block["cache_control"]
