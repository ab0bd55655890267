"""Tool specs and tool choice -> Gemini's `tools` and `toolConfig`, and the mends that undo what was changed."""

import re
from typing import Any

import msgspec

from proxx.protocols.gemini.write_request.parts import is_older
from proxx.protocols.hub.freeform import WRAPPED, UnwrapFreeform, wrapper
from proxx.protocols.hub.history import undeclared
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.output import AnswerAsText, answer_tool
from proxx.protocols.hub.request import HostedConfig, Request, ToolChoice, ToolSpec
from proxx.protocols.hub.schemas import cleaned, rooted
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Mend

DIALECT = "gemini"
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]*")
LONGEST = 64  # what every generation takes
SUBSET_SCHEMAS = "openapi_schemas"  # quirk: JSON Schema is not taken, only the subset

_SEARCH: dict[str, Any] = {"googleSearch": {}}
# Vendors' own tools that Google has, too, by the beginning of their names.
_EQUIVALENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("web_fetch", {"urlContext": {}}),
    ("code_execution", {"codeExecution": {}}),
    ("code_interpreter", {"codeExecution": {}}),
)


class Tools(msgspec.Struct):
    """What a body says of tools, and how the answer is mended."""

    declared: list[dict[str, Any]]
    hosted: list[dict[str, Any]]
    calling: dict[str, Any]
    mends: tuple[Mend, ...]

    def members(self) -> dict[str, Any]:
        """Return the body's members."""
        body: dict[str, Any] = {}
        tools = [{"functionDeclarations": self.declared}] if self.declared else []
        if tools or self.hosted:
            body["tools"] = [*tools, *self.hosted]
        config: dict[str, Any] = {"functionCallingConfig": self.calling} if self.calling else {}
        if self.declared and self.hosted:
            config["includeServerSideToolInvocations"] = True
        if config:
            body["toolConfig"] = config
        return body


def write_tools(request: Request, target: Target, names: NameTable, losses: Losses) -> Tools:
    """Return the tools of a request; the names go into the table, the declared ones first."""
    functions, hosted = _sorted(request, losses)
    choice = request.tool_choice
    form_alone = request.output.format in ("json", "schema") and is_older(target)
    if form_alone and choice is not None and choice.mode == "none":
        functions = []  # tools that must not be called, in the way of an answer's form
    functions, hosted = _mixable(functions, hosted, request, target, losses)
    by_tool = form_alone and bool(functions)
    declared, kinds = _declared(functions, target, names)
    in_the_way = form_alone or (hosted and is_older(target))
    forgotten = () if in_the_way else undeclared(request.turns, request.tools, dialect=DIALECT)
    calling = _calling(choice, functions, names, losses, target=target)
    mends: list[Mend] = []
    if by_tool:
        answer = answer_tool(request.output, taken=[tool.name for tool in functions])
        declared.append(_function(answer, names.upstream(answer.name), target))
        mends.append(AnswerAsText(names.upstream(answer.name)))
        if calling.get("mode") not in ("ANY", "NONE"):
            calling = {"mode": "ANY"}
    elif forgotten:
        calling = calling if functions else {"mode": "NONE"}
        declared += [_function(tool, names.upstream(tool.name, tool.namespace), target) for tool in forgotten]
    if kinds:
        mends.append(UnwrapFreeform(kinds))
    return Tools(declared, hosted, calling, tuple(mends))


def answers_by_tool(request: Request, tools: Tools) -> bool:
    """Tell whether the form of the answer is asked for by way of a tool."""
    return request.output.format in ("json", "schema") and any(isinstance(one, AnswerAsText) for one in tools.mends)


def _sorted(request: Request, losses: Losses) -> tuple[list[ToolSpec], list[dict[str, Any]]]:
    """Return the tools that the client runs, each once, and those that Google runs."""
    functions: dict[tuple[str, str], ToolSpec] = {}
    hosted: list[dict[str, Any]] = []
    everything_given = any(tool.deferred for tool in request.tools)
    for tool in request.tools:
        if tool.kind == "tool_search" and everything_given:
            continue  # nothing is left to be searched for
        if tool.kind == "function" or tool.kind in WRAPPED:
            functions.setdefault((tool.namespace, tool.name), tool)
            continue
        found = _hosted(tool, losses)
        if found is not None and found not in hosted:
            hosted.append(found)
        elif found is None:
            _left_out(tool, request, losses)
    return list(functions.values()), hosted


def _hosted(tool: ToolSpec, losses: Losses) -> dict[str, Any] | None:
    if tool.dialect == DIALECT and tool.raw:
        return tool.raw
    if tool.kind == "web_search":
        for name in _unsaid(tool.hosted):
            losses.drop(f"tools[web_search].{name}", "Google's search cannot be told")
        return dict(_SEARCH)
    return next((dict(raw) for name, raw in _EQUIVALENTS if tool.name.startswith(name)), None)


def _unsaid(config: HostedConfig | None) -> list[str]:
    return [name for name in HostedConfig.__struct_fields__ if config is not None and getattr(config, name)]


def _left_out(tool: ToolSpec, request: Request, losses: Losses) -> None:
    choice = request.tool_choice
    forced = choice is not None and choice.mode == "named" and any(ref.name == tool.name for ref in choice.tools)
    if forced or len(request.tools) == 1:
        losses.refuse(f"tools[{tool.name}]", "only its own vendor can run it")
    losses.drop(f"tools[{tool.name}]", "only its own vendor can run it")


def _mixable(
    functions: list[ToolSpec], hosted: list[dict[str, Any]], request: Request, target: Target, losses: Losses
) -> tuple[list[ToolSpec], list[dict[str, Any]]]:
    """Models before Gemini 3 take one of functions, a form of the answer, and hosted tools: these last give way, unless
    a search was forced."""
    if not hosted or not is_older(target):
        return functions, hosted
    if request.output.format in ("json", "schema"):
        losses.drop("tools[web_search]", "this model takes either its own search or a form of the answer")
        return functions, []
    if not functions:
        return functions, hosted
    choice = request.tool_choice
    own = {(tool.namespace, tool.name) for tool in functions}
    if (
        choice is not None
        and choice.mode == "named"
        and all((ref.namespace, ref.name) not in own for ref in choice.tools)
    ):
        losses.drop("tools[].function", "this model takes either functions or its own search")
        return [], hosted
    losses.drop("tools[web_search]", "this model takes either functions or its own search")
    return functions, []


def _declared(
    functions: list[ToolSpec], target: Target, names: NameTable
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    declared, kinds = [], {}
    for tool in functions:
        name = names.upstream(tool.name, tool.namespace)
        if tool.kind in WRAPPED:
            kinds[name] = tool.kind
            description, schema = wrapper(tool)
            tool = msgspec.structs.replace(tool, description=description, schema=schema)
        declared.append(_function(tool, name, target))
    return declared, kinds


def _function(tool: ToolSpec, name: str, target: Target) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": name}
    if tool.description:
        declared["description"] = tool.description
    schema = rooted(tool.schema, field=f"tools[{tool.name}].parameters")
    if not schema["properties"] and schema.keys() <= {"type", "properties"}:
        return declared  # no parameters are said by saying nothing
    if SUBSET_SCHEMAS in target.quirks:
        declared["parameters"] = cleaned(schema)[0]
    else:
        declared["parametersJsonSchema"] = schema
    return declared


def _calling(
    choice: ToolChoice | None, functions: list[ToolSpec], names: NameTable, losses: Losses, *, target: Target
) -> dict[str, Any]:
    if choice is None or not functions:
        return {}
    own = {(tool.namespace, tool.name) for tool in functions}
    refs = [ref for ref in choice.tools if (ref.namespace, ref.name) in own]
    allowed = [names.upstream(ref.name, ref.namespace) for ref in refs]
    match choice.mode:
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case "named" | "subset" if not allowed:
            losses.drop("tool_choice", "a tool that Google runs cannot be forced")
            return {}
        case "named":
            return {"mode": "ANY", "allowedFunctionNames": allowed}
        case "subset":
            return {"mode": "ANY" if choice.must else "VALIDATED", "allowedFunctionNames": allowed}
    return {"mode": "AUTO"}
