"""Tools and the choice among them. Ollama knows no choice: it is made by what is offered, and a line of instruction."""

from typing import Any

import msgspec

from proxx.protocols.hub.freeform import WRAPPED, wrapper
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.request import Request, ToolSpec
from proxx.protocols.hub.schemas import rooted

MUST_CALL = "Answer by calling one of the tools, whatever else was said."
_HIDDEN = ("tool_search",)  # all deferred tools are given at once, so there is nothing to search
_NO_CHOICE = "it cannot be forced and is only asked for"


class Tools(msgspec.Struct, frozen=True):
    """What is `declared`, the `kinds` of wrapped tools by their upstream names, and an `order` to call one, if any."""

    declared: list[dict[str, Any]] = []
    kinds: dict[str, str] = {}
    order: str = ""


def written_tools(request: Request, table: NameTable, losses: Losses) -> Tools:
    """Return the tools that are offered; raise `Inexpressible` where the tool that matters cannot be."""
    choice = request.tool_choice
    if choice is not None and choice.mode == "none":
        return Tools()
    offered = _chosen(request, _callable(request, losses), losses)
    if not offered:
        return Tools()
    order = ""
    if choice is not None and (choice.mode in ("required", "named") or (choice.mode == "subset" and choice.must)):
        losses.drop("tool_choice", _NO_CHOICE)
        order = MUST_CALL
    kinds: dict[str, str] = {}
    declared = []
    for tool in offered:
        name = table.upstream(tool.name, tool.namespace)
        if tool.kind in WRAPPED:
            kinds[name] = tool.kind
        declared.append(_declared(tool, name))
    return Tools(declared, kinds, order)


def _callable(request: Request, losses: Losses) -> list[ToolSpec]:
    """Return the tools that a client runs, each once: the first declaration counts (D72)."""
    found: dict[tuple[str, str], ToolSpec] = {}
    for tool in request.tools:
        if tool.kind in _HIDDEN:
            continue
        if tool.kind == "function" or tool.kind in WRAPPED:
            found.setdefault((tool.namespace, tool.name), tool)
            continue
        field = f"tools[{tool.name or tool.kind}]"
        choice = request.tool_choice
        forced = choice is not None and any(ref.name in (tool.name, tool.kind) for ref in choice.tools)
        if forced or len(request.tools) == 1:
            losses.refuse(field, "it has no such tool of its own")
        losses.drop(field, "it has no such tool of its own")
    return list(found.values())


def _chosen(request: Request, offered: list[ToolSpec], losses: Losses) -> list[ToolSpec]:
    choice = request.tool_choice
    if choice is None or choice.mode not in ("named", "subset"):
        return offered
    wanted = {(ref.namespace, ref.name) for ref in choice.tools}
    chosen = [tool for tool in offered if (tool.namespace, tool.name) in wanted]
    if not chosen:
        losses.refuse("tool_choice", "it names a tool that is not declared")
    return chosen


def _declared(tool: ToolSpec, name: str) -> dict[str, Any]:
    if tool.kind in WRAPPED:
        description, schema = wrapper(tool)
    else:
        description, schema = tool.description, rooted(tool.schema, field=f"tools[{tool.name}].parameters")
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}
