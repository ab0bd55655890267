"""Declared tools and the choice among them -> the hub's."""

from typing import Any

import msgspec

from proxx.protocols.hub.request import HostedConfig, ToolChoice, ToolRef, ToolSpec
from proxx.protocols.openai_responses.dialect import NAME
from proxx.protocols.openai_responses.read_request.typed import invalid, kinds, objects, read

_SEARCHES = ("web_search", "web_search_preview")
_COMPUTERS = ("computer", "computer_use", "computer_use_preview")


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    defer_loading: bool | None = None


class _Format(msgspec.Struct):
    type: str = "text"
    syntax: str = ""
    definition: str = ""


class _Custom(msgspec.Struct):
    name: str
    description: str | None = None
    format: _Format | None = None
    defer_loading: bool | None = None


class _Namespace(msgspec.Struct):
    name: str
    description: str | None = None
    tools: list[msgspec.Raw] | None = None


class _ToolSearch(msgspec.Struct):
    execution: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Filters(msgspec.Struct):
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None


class _WebSearch(msgspec.Struct):
    filters: _Filters | None = None
    user_location: dict[str, Any] | None = None
    search_context_size: str | None = None


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    namespace: str | None = None
    mode: str = "auto"
    tools: list[msgspec.Raw] | None = None


_function = msgspec.json.Decoder(_Function)
_custom = msgspec.json.Decoder(_Custom)
_namespace = msgspec.json.Decoder(_Namespace)
_tool_search = msgspec.json.Decoder(_ToolSearch)
_web_search = msgspec.json.Decoder(_WebSearch)
_chosen = msgspec.json.Decoder(_Choice)
_choice_or_word = msgspec.json.Decoder(str | dict[str, msgspec.Raw] | None)


def read_tools(tools: list[msgspec.Raw], where: str) -> list[ToolSpec]:
    """Read declarations in their order; the tools of a namespace stand for it, each with the whole of it as `raw`."""
    read_ones = (_read_tool(bytes(raw), f"{where}[{number}]") for number, raw in enumerate(tools))
    return [tool for some in read_ones for tool in some]


def first_of_each(tools: list[ToolSpec]) -> tuple[ToolSpec, ...]:
    """Leave out later declarations of a name that is taken."""
    found: dict[tuple[str, str], ToolSpec] = {}
    for tool in tools:
        found.setdefault((tool.namespace, tool.name), tool)
    return tuple(found.values())


def read_choice(raw: bytes) -> ToolChoice | None:
    """Read `tool_choice`; None for what says nothing."""
    told = read(_choice_or_word, raw, "tool_choice") if raw else None
    if told is None:
        return None
    if isinstance(told, str):
        if told not in ("auto", "none", "required"):
            raise invalid("tool_choice", f"'{told}' is none of auto, none, required")
        return ToolChoice(told)
    choice = read(_chosen, raw, "tool_choice")
    if choice.type == "allowed_tools":
        listed = [
            _ref(read(_chosen, bytes(tool), f"tool_choice.tools[{number}]"))
            for number, tool in enumerate(choice.tools or ())
        ]
        return ToolChoice("subset", tuple(listed), must=choice.mode == "required")
    return ToolChoice("named", (_ref(choice),))


def _ref(choice: _Choice) -> ToolRef:
    name = choice.name or ("web_search" if choice.type in _SEARCHES or _is_dated(choice.type) else choice.type)
    return ToolRef(name, choice.namespace or "")


def _read_tool(raw: bytes, where: str) -> list[ToolSpec]:
    kind = read(kinds, raw, where).type
    declared = read(objects, raw, where)
    match kind:
        case "function" | "":
            return [_read_function(raw, declared, where)]
        case "custom":
            return [_read_custom(raw, declared, where)]
        case "namespace":
            return _read_namespace(raw, declared, where)
        case "local_shell" | "apply_patch":
            return [ToolSpec(kind, kind, NAME, raw=declared)]
        case "shell":
            hosted = str(_object(declared.get("environment")).get("type", "local")).startswith("container")
            return [ToolSpec("hosted" if hosted else "shell", "shell", NAME, raw=declared)]
        case "tool_search":
            return [_read_tool_search(raw, declared, where)]
    if kind in _SEARCHES or _is_dated(kind):
        return [_read_web_search(raw, declared, where)]
    return [ToolSpec("computer" if kind in _COMPUTERS else "hosted", kind, NAME, raw=declared)]


def _is_dated(kind: str) -> bool:
    return kind.startswith("web_search_")


def _read_function(raw: bytes, declared: dict[str, object], where: str) -> ToolSpec:
    tool = read(_function, raw, where)
    return ToolSpec(
        kind="function",
        name=_named(tool.name, where),
        dialect=NAME,
        description=tool.description or "",
        schema=tool.parameters,
        strict=tool.strict,
        deferred=bool(tool.defer_loading),
        raw=declared,
    )


def _read_custom(raw: bytes, declared: dict[str, object], where: str) -> ToolSpec:
    tool = read(_custom, raw, where)
    grammar = None
    if tool.format is not None and tool.format.type == "grammar":
        grammar = {"syntax": tool.format.syntax, "definition": tool.format.definition}
    return ToolSpec(
        kind="custom",
        name=_named(tool.name, where),
        dialect=NAME,
        description=tool.description or "",
        grammar=grammar,
        deferred=bool(tool.defer_loading),
        raw=declared,
    )


def _read_namespace(raw: bytes, declared: dict[str, object], where: str) -> list[ToolSpec]:
    group = read(_namespace, raw, where)
    shell = {name: value for name, value in declared.items() if name != "tools"}
    inside = read_tools(group.tools or [], f"{where}.tools")
    return [
        msgspec.structs.replace(tool, namespace=_named(group.name, where), raw={**shell, "tools": [tool.raw]})
        for tool in inside
    ]


def _read_tool_search(raw: bytes, declared: dict[str, object], where: str) -> ToolSpec:
    tool = read(_tool_search, raw, where)
    # A search that the vendor runs needs its own index; without it, all deferred tools are given at once.
    kind = "tool_search" if tool.execution == "client" else "hosted"
    return ToolSpec(kind, "tool_search", NAME, description=tool.description or "", schema=tool.parameters, raw=declared)


def _read_web_search(raw: bytes, declared: dict[str, object], where: str) -> ToolSpec:
    tool = read(_web_search, raw, where)
    filters = tool.filters or _Filters()
    config = HostedConfig(
        allowed_domains=tuple(filters.allowed_domains or ()),
        blocked_domains=tuple(filters.blocked_domains or ()),
        user_location=tool.user_location,
        context_size=tool.search_context_size or "",
    )
    return ToolSpec("web_search", "web_search", NAME, hosted=config, raw=declared)


def _named(name: str, where: str) -> str:
    if not name:
        raise invalid(f"{where}.name", "it is empty")
    return name


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
