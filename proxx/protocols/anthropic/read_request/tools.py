"""Tool declarations and the choice among them.

The client's own tools of Anthropic's making (bash, text editor, memory) have schemas that Anthropic keeps to itself;
here they are written out, so that other vendors' models can call them.
"""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.blocks import mark_of
from proxx.protocols.anthropic.read_request.shapes import DIALECT, CacheControl, read_as
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import HostedConfig, ToolChoice, ToolRef, ToolSpec


class _Tool(msgspec.Struct):
    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    defer_loading: bool | None = None
    cache_control: CacheControl | None = None
    max_uses: int | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    user_location: dict[str, Any] | None = None


class _Choice(msgspec.Struct):
    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


_tool = msgspec.json.Decoder(_Tool)
_object = msgspec.json.Decoder(dict[str, Any])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_choice = msgspec.json.Decoder(_Choice)

_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
_SEARCH = "web_search_"
_TOOL_SEARCH = "tool_search_tool_"
_COMPUTER = "computer_"


def read_tools(raw: msgspec.Raw) -> tuple[ToolSpec, ...]:
    """Read all declarations; of two with one name the first counts."""
    tools: dict[str, ToolSpec] = {}
    declared = read_as(_raws, raw, "tools")
    for place, one in enumerate(declared):
        tool = _spec(read_as(_tool, one, f"tools[{place}]"), one, f"tools[{place}]")
        if tool is not None:
            tools.setdefault(tool.name, tool)
    return tuple(tools.values())


def read_choice(raw: msgspec.Raw) -> tuple[ToolChoice | None, bool | None]:
    """Read the choice, and whether calls may be made in parallel (None: not said)."""
    choice: _Choice = read_as(_choice, raw, "tool_choice")
    mode = _MODES.get(choice.type)
    if mode is None:
        raise Unreadable(f"tool_choice.type: '{choice.type}' is no choice.", param="tool_choice.type")
    if mode == "named" and not choice.name:
        raise Unreadable("tool_choice.name: a tool must be named.", param="tool_choice.name")
    refs = (ToolRef(choice.name),) if mode == "named" else ()
    off = choice.disable_parallel_tool_use
    return ToolChoice(mode, refs), None if off is None else not off


def _spec(tool: _Tool, raw: msgspec.Raw, where: str) -> ToolSpec | None:
    kind = tool.type or "custom"
    if kind.startswith(_TOOL_SEARCH):
        return None  # deferred tools are all told at once elsewhere, so nobody has to search them
    whole = read_as(_object, raw, where)
    cache = mark_of(tool.cache_control)
    if kind.startswith(_SEARCH):
        return ToolSpec("web_search", tool.name, DIALECT, hosted=_search(tool), cache=cache, raw=whole)
    built_in = next((one for prefix, one in _BUILT_IN.items() if kind.startswith(prefix)), None)
    if kind != "custom" and built_in is None:
        name = kind if not kind.startswith(_COMPUTER) else tool.name
        return ToolSpec("computer" if kind.startswith(_COMPUTER) else "hosted", name, DIALECT, cache=cache, raw=whole)
    if not tool.name:
        raise Unreadable(f"{where}.name: a tool must have a name.", param=f"{where}.name")
    description, schema = built_in or (tool.description or "", tool.input_schema)
    return ToolSpec(
        kind="function",
        name=tool.name,
        dialect=DIALECT,
        description=description,
        schema=schema,
        strict=tool.strict,
        deferred=bool(tool.defer_loading),
        cache=cache,
        raw=whole,
    )


def _search(tool: _Tool) -> HostedConfig:
    return HostedConfig(
        allowed_domains=tuple(tool.allowed_domains or ()),
        blocked_domains=tuple(tool.blocked_domains or ()),
        user_location=tool.user_location,
        max_uses=tool.max_uses,
    )


def _members(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_RANGE = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_EDITS = ["view", "create", "str_replace", "insert"]

_BUILT_IN: dict[str, tuple[str, dict[str, Any]]] = {
    "bash_": (
        "Run a command in a bash shell that keeps its state between calls. `restart` starts the shell anew.",
        _members([], command=_TEXT, restart={"type": "boolean"}),
    ),
    "text_editor_": (
        "View, create and edit files. `view` takes an optional `view_range` of two line numbers, `create` a "
        "`file_text`, `str_replace` an `old_str` that stands once in the file and a `new_str`, `insert` an "
        "`insert_line` and a text.",
        _members(
            ["command", "path"],
            command={"type": "string", "enum": _EDITS},
            path=_TEXT,
            file_text=_TEXT,
            old_str=_TEXT,
            new_str=_TEXT,
            insert_line=_NUMBER,
            insert_text=_TEXT,
            view_range=_RANGE,
        ),
    ),
    "memory_": (
        "Keep notes in files below /memories: view, create and edit them, delete and rename them. Look there first.",
        _members(
            ["command"],
            command={"type": "string", "enum": [*_EDITS, "delete", "rename"]},
            path=_TEXT,
            file_text=_TEXT,
            old_str=_TEXT,
            new_str=_TEXT,
            insert_line=_NUMBER,
            insert_text=_TEXT,
            old_path=_TEXT,
            new_path=_TEXT,
            view_range=_RANGE,
        ),
    ),
}
