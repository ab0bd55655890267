"""Gemini's tools and tool config -> tool specs and a tool choice."""

from typing import Any

from proxx.protocols.gemini.read_request.fields import Object, flag, named, objects, text, texts, wrong
from proxx.protocols.gemini.read_request.schema import read_schema
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import HostedConfig, ToolChoice, ToolRef, ToolSpec

DIALECT = "gemini"
SEARCHES = ("googleSearch", "googleSearchRetrieval")
MODES = ("", "MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")


def read_tools(found: object) -> tuple[ToolSpec, ...]:
    """Read `tools`: functions, and tools that Google itself runs."""
    specs: list[ToolSpec] = []
    for place, tool in enumerate(objects(found, "tools")):
        for kind, value in tool.items():
            param = f"tools[{place}].{kind}"
            if kind == "functionDeclarations":
                declared = objects(value, param)
                specs += [_function(one, f"{param}[{at}]") for at, one in enumerate(declared)]
            elif value is not None:
                specs.append(_hosted(kind, value, param))
    return tuple(specs)


def read_choice(found: object, losses: Losses) -> ToolChoice | None:
    """Read `toolConfig`; None if it leaves the choice open."""
    config = named(found, "toolConfig")
    for name in config:
        if name not in ("functionCallingConfig", "includeServerSideToolInvocations"):
            losses.drop(f"toolConfig.{name}", "unknown to other dialects")
    param = "toolConfig.functionCallingConfig"
    calling = named(config.get("functionCallingConfig"), param)
    mode = text(calling, "mode", param).upper()
    if mode not in MODES:
        raise Unreadable(f"'{param}.mode' must be AUTO, ANY, NONE or VALIDATED.", param=f"{param}.mode")
    refs = tuple(ToolRef(name) for name in texts(calling, "allowedFunctionNames", param))
    if mode == "NONE":
        return ToolChoice("none")
    if mode == "ANY":
        if not refs:
            return ToolChoice("required")
        return ToolChoice("named", refs) if len(refs) == 1 else ToolChoice("subset", refs, must=True)
    if mode == "VALIDATED" and refs:
        return ToolChoice("subset", refs)
    return ToolChoice("auto") if mode in ("AUTO", "VALIDATED") else None


def _function(declared: Object, param: str) -> ToolSpec:
    name = text(declared, "name", param)
    if not name:
        raise Unreadable(f"'{param}.name' must not be empty.", code="invalid_value", param=f"{param}.name")
    given: Any = declared.get("parametersJsonSchema")
    if given is not None and not isinstance(given, dict):
        raise wrong(f"{param}.parametersJsonSchema", "an object")
    if given is None and declared.get("parameters") is not None:
        given = read_schema(declared["parameters"], f"{param}.parameters")
    return ToolSpec("function", name, DIALECT, description=text(declared, "description", param), schema=given)


def _hosted(kind: str, value: object, param: str) -> ToolSpec:
    config = named(value, param)
    raw = {kind: value}
    if kind in SEARCHES:
        blocked = texts(config, "excludeDomains", param)
        return ToolSpec(
            "web_search",
            "web_search",
            DIALECT,
            hosted=HostedConfig(blocked_domains=blocked) if blocked else None,
            raw=raw,
        )
    flag(config, "enableWidget", param)
    return ToolSpec("hosted", kind, DIALECT, raw=raw)
