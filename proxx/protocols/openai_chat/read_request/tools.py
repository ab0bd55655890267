"""Tools and tool choice, in OpenAI's form and in those that clients of other dialects send to this path."""

from typing import Any

from proxx.protocols.hub.parts import CacheMark
from proxx.protocols.hub.request import HostedConfig, ToolChoice, ToolRef, ToolSpec
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.read_request.fields import Fields
from proxx.protocols.openai_chat.read_request.parts import cache_mark

WEB_SEARCH = "web_search"

_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_CHOICES = "none, auto, required, a function, a custom tool and allowed_tools"


def read_tools(body: Fields) -> tuple[ToolSpec, ...]:
    """Return all declared tools, old functions among them; of two with one name the first counts."""
    found: dict[tuple[str, str], ToolSpec] = {}
    declared = [_tool(tool) for tool in body.objects("tools")]
    declared += [_function(function, function) for function in body.objects("functions")]
    search = body.object("web_search_options")
    if search is not None:
        declared.append(_search(search))
    for tool in declared:
        found.setdefault((tool.kind if tool.kind == "hosted" else "", tool.name), tool)
    return tuple(found.values())


def read_choice(body: Fields) -> ToolChoice | None:
    """Return the tool choice; None if nothing is said."""
    name = "tool_choice" if "tool_choice" in body else "function_call"
    value = body.raw.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return ToolChoice(_MODES[value]) if value in _MODES else body.unknown(name, _CHOICES)
    choice = body.object(name)
    assert choice is not None
    kind = choice.text("type") or "function"
    if kind in _MODES:
        return ToolChoice(_MODES[kind])
    if kind == "allowed_tools":
        return _subset(choice.object("allowed_tools") or choice)
    if kind in ("function", "custom", "tool"):
        inner = choice.object(kind) if kind != "tool" else None
        return ToolChoice("named", (ToolRef((inner or choice).required("name")),))
    return ToolChoice("named", (ToolRef(WEB_SEARCH if kind.startswith(WEB_SEARCH) else kind),))


def _subset(allowed: Fields) -> ToolChoice:
    refs = []
    for tool in allowed.objects("tools"):
        inner = tool.object(tool.text("type") or "function") or tool
        refs.append(ToolRef(inner.text("name") or tool.required("type")))
    return ToolChoice("subset", tuple(refs), must=allowed.text("mode") == "required")


def _tool(tool: Fields) -> ToolSpec:
    kind = tool.text("type")
    if kind == "custom" and "input_schema" not in tool:
        return _custom(tool.object("custom") or tool, tool)
    if kind in ("", "function", "custom"):
        return _function(tool.object("function") or tool, tool)
    if kind.startswith(WEB_SEARCH):
        return _search(tool)
    return ToolSpec("hosted", kind, NAME, raw=tool.raw)


def _function(function: Fields, tool: Fields) -> ToolSpec:
    schema = "parameters" if "parameters" in function else "input_schema"
    return ToolSpec(
        kind="function",
        name=function.required("name"),
        dialect=NAME,
        description=function.text("description"),
        schema=function.plain(schema),
        strict=function.flag("strict"),
        cache=_mark(function, tool),
    )


def _custom(custom: Fields, tool: Fields) -> ToolSpec:
    shape = custom.object("format")
    grammar: dict[str, str] | None = None
    if shape is not None and shape.text("type") == "grammar":
        inner = shape.object("grammar") or shape
        grammar = {"syntax": inner.required("syntax"), "definition": inner.required("definition")}
    return ToolSpec(
        kind="custom",
        name=custom.required("name"),
        dialect=NAME,
        description=custom.text("description"),
        grammar=grammar,
        cache=_mark(custom, tool),
    )


def _mark(inner: Fields, tool: Fields) -> CacheMark | None:
    return cache_mark(tool) or cache_mark(inner)


def _search(tool: Fields) -> ToolSpec:
    place = tool.object("user_location")
    filters = tool.object("filters") or tool
    hosted = HostedConfig(
        allowed_domains=filters.texts("allowed_domains"),
        blocked_domains=filters.texts("blocked_domains"),
        user_location=_location(place),
        max_uses=tool.whole("max_uses"),
        context_size=tool.text("search_context_size"),
    )
    return ToolSpec(WEB_SEARCH, WEB_SEARCH, NAME, hosted=hosted, raw=tool.raw)


def _location(place: Fields | None) -> dict[str, Any] | None:
    if place is None:
        return None
    inner = place.object("approximate")
    return place.raw if inner is None else {"type": "approximate", **inner.raw}
