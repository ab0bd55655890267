"""Tool specs and tool choice -> `tools` and `tool_choice`, and the mends that undo what was changed."""

from typing import Any

import msgspec

from proxx.protocols.anthropic.read_request.shapes import DIALECT, FAMILY
from proxx.protocols.anthropic.write_request.blocks import control_of
from proxx.protocols.hub.freeform import WRAPPED, UnwrapFreeform, wrapper
from proxx.protocols.hub.history import EMPTY_SCHEMA, undeclared
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.output import AnswerAsText, answer_tool
from proxx.protocols.hub.reasoning import ClaudeThinking
from proxx.protocols.hub.request import HostedConfig, Request, ToolChoice, ToolSpec
from proxx.protocols.hub.schemas import qualifies_strict, rooted
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Mend

SEARCH_TYPE = "web_search_20250305"  # the one that all models and clouds with a search have
MOST_STRICT = 20

Json = dict[str, Any]
_NOT_OURS = frozenset(("cache_control", "defer_loading"))
_FORCING = ("required", "named")


class Tools(msgspec.Struct):
    """What a body says of tools, and how the answer is mended."""

    tools: list[Json]
    choice: Json | None
    mends: list[Mend]


def answers_by_tool(request: Request, target: Target) -> bool:
    """Tell whether the form of the answer has to be asked for by way of a tool."""
    return request.output.format == "schema" and not target.facts.native_schema


def enter_names(request: Request, names: NameTable) -> None:
    """Enter the names of the client's tools, so that they come before those of the history."""
    for tool in request.tools:
        if tool.kind == "function" or tool.kind in WRAPPED:
            names.upstream(tool.name, tool.namespace)


def write_tools(
    request: Request, target: Target, names: NameTable, losses: Losses, *, thinking: ClaudeThinking
) -> Tools:
    """Return the tools of a request."""
    offered = _offered(request, thinking, target, losses)
    told: list[Json] = []
    kinds: dict[str, str] = {}
    strict = 0
    for tool in offered:
        written = _hosted(tool, request, target, losses)
        if written is None and (tool.kind == "function" or tool.kind in WRAPPED):
            name = names.upstream(tool.name, tool.namespace)
            strict += bool(tool.strict)
            written = _function(tool, name, target, losses, strict_left=MOST_STRICT - strict)
            if tool.kind in WRAPPED:
                kinds[name] = tool.kind
        if written is not None:
            told.append(_marked(written, tool))
    choice = _choice(request, told, names, losses, thinking=thinking, target=target)
    if not told:
        told = _forgotten(request, names)
        choice = {"type": "none"} if told else None
    mends: list[Mend] = [UnwrapFreeform(kinds)] if kinds else []
    if answers_by_tool(request, target):
        answer = answer_tool(request.output, taken=[str(tool.get("name")) for tool in told])
        told.append(_function(answer, names.upstream(answer.name), target, losses, strict_left=0))
        mends.insert(0, AnswerAsText(names.upstream(answer.name)))
        choice = _demanded(choice, told)
    return Tools(told, choice, mends)


def _offered(request: Request, thinking: ClaudeThinking, target: Target, losses: Losses) -> list[ToolSpec]:
    """Return the tools to declare: each once, the chosen ones only where a choice cannot be said."""
    unique: dict[tuple[str, str], ToolSpec] = {}
    everything_given = any(tool.deferred for tool in request.tools)
    for tool in request.tools:
        if tool.kind == "tool_search" and everything_given:
            continue  # nothing is left to be searched for
        unique.setdefault((tool.namespace, tool.name), tool)
    choice = request.tool_choice
    narrowing = choice is not None and (
        choice.mode == "subset" or (choice.mode == "named" and not _can_force(thinking, target))
    )
    if choice is None or not narrowing:
        return list(unique.values())
    chosen = {(ref.namespace, ref.name) for ref in choice.tools}
    kept = [tool for key, tool in unique.items() if key in chosen]
    if choice.mode == "subset" and len(kept) < len(unique):
        losses.drop("tool_choice.allowed_tools", "only these tools are sent and that changes what is cached")
    return kept


def _forgotten(request: Request, names: NameTable) -> list[Json]:
    """Return tools of the history for a request that has none of its own: calls are not taken without any tools."""
    known = undeclared(request.turns, request.tools, dialect="")
    return [{"name": names.upstream(one.name, one.namespace), "input_schema": EMPTY_SCHEMA} for one in known]


def _can_force(thinking: ClaudeThinking, target: Target) -> bool:
    return not thinking.manual and target.facts.forced_tool is not False


def _function(tool: ToolSpec, name: str, target: Target, losses: Losses, *, strict_left: int) -> Json:
    if tool.kind in WRAPPED:
        description, schema = wrapper(tool)
        return {"name": name, "description": description, "input_schema": schema}
    if tool.dialect == DIALECT and tool.raw:
        own = {member: value for member, value in tool.raw.items() if member not in _NOT_OURS}
        return own | {"name": name}
    told: Json = {"name": name}
    if tool.description:
        told["description"] = tool.description
    told["input_schema"] = rooted(tool.schema, field="tools[].parameters")
    if tool.strict:
        if target.facts.native_schema and strict_left >= 0 and qualifies_strict(tool.schema):
            told["strict"] = True
        else:
            losses.drop("tools[].strict", "this model cannot keep to this schema strictly")
    return told


def _hosted(tool: ToolSpec, request: Request, target: Target, losses: Losses) -> Json | None:
    """Return a tool that Anthropic runs; None for the client's own, and for one that nobody here can run."""
    if tool.kind == "function" or tool.kind in WRAPPED:
        return None
    if tool.dialect == DIALECT and tool.raw:
        return {member: value for member, value in tool.raw.items() if member not in _NOT_OURS}
    if tool.kind == "web_search" and target.facts.family == FAMILY:
        return _search(tool.hosted or HostedConfig(), request, losses)
    choice = request.tool_choice
    forced = choice is not None and choice.mode == "named" and any(ref.name == tool.name for ref in choice.tools)
    if forced or len(request.tools) == 1:
        losses.refuse(f"tools[{tool.name or tool.kind}]", "only its own vendor can run it")
    losses.drop(f"tools[{tool.name or tool.kind}]", "only its own vendor can run it")
    return None


def _search(config: HostedConfig, request: Request, losses: Losses) -> Json:
    told: Json = {"type": SEARCH_TYPE, "name": "web_search"}
    uses = config.max_uses or request.max_tool_calls
    if uses:
        told["max_uses"] = uses
    if config.allowed_domains:
        told["allowed_domains"] = list(config.allowed_domains)
        if config.blocked_domains:
            losses.drop("tools[web_search].blocked_domains", "either allowed or blocked domains are taken")
    elif config.blocked_domains:
        told["blocked_domains"] = list(config.blocked_domains)
    if config.user_location:
        told["user_location"] = {"type": "approximate"} | config.user_location
    if config.context_size:
        losses.drop("tools[web_search].search_context_size", "Anthropic's search has no such setting")
    return told


def _marked(written: Json, tool: ToolSpec) -> Json:
    return written | {"cache_control": control_of(tool.cache)} if tool.cache is not None else written


def _choice(
    request: Request,
    told: list[Json],
    names: NameTable,
    losses: Losses,
    *,
    thinking: ClaudeThinking,
    target: Target,
) -> Json | None:
    choice = request.tool_choice
    if not told:
        return None  # neither a choice nor a wish for one call at a time is taken without tools
    said: Json | None = None
    if choice is not None:
        said = _said(choice, told, names, losses)
        forcing = said["type"] in ("any", "tool")
        if forcing and not _can_force(thinking, target):
            losses.drop("tool_choice", "a call cannot be forced while the model thinks")
            said = {"type": "auto"}
    if request.parallel is False and (said is None or said["type"] != "none"):
        said = (said or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    return said


def _said(choice: ToolChoice, told: list[Json], names: NameTable, losses: Losses) -> Json:
    match choice.mode:
        case "none":
            return {"type": "none"}
        case "required":
            return {"type": "any"}
        case "subset":
            return {"type": "any" if choice.must else "auto"}
        case "named" if choice.tools:
            name = names.upstream(choice.tools[0].name, choice.tools[0].namespace)
            if all(tool.get("name") != name for tool in told):
                losses.refuse("tool_choice", "the tool that it names is not declared")
            return {"type": "tool", "name": name}
    return {"type": "auto"}


def _demanded(choice: Json | None, told: list[Json]) -> Json:
    """Return the choice when the answer is a tool, too: a call of some tool, of the answer's if it is the only one."""
    if choice is not None and choice["type"] == "tool":
        return choice
    if len(told) == 1 or (choice is not None and choice["type"] == "none"):
        return {"type": "tool", "name": told[-1]["name"], "disable_parallel_tool_use": True}
    return (choice or {}) | {"type": "any"}
