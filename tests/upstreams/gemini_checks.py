"""What Gemini refuses outside contents: names nobody knows, tools, schemas, generation settings, thinking."""

import json
import re
from typing import Any

from tests.upstreams import gemini_contents
from tests.upstreams.answer import Refused
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import World
from tests.upstreams.gemini_models import MOST_TOKENS, Family, family
from tests.upstreams.gemini_refusals import invalid, unreadable
from tests.upstreams.gemini_shapes import Parser
from tests.upstreams.media import has_lone_surrogate

BUILT_IN = ("googleSearch", "urlContext", "codeExecution", "googleMaps", "fileSearch", "computerUse")
JSON_TYPES = ("application/json", "text/x.enum")
RANGES = {
    "temperature": (0, 2),
    "topP": (0, 1),
    "topK": (0, 1_000_000),
    "candidateCount": (1, 8),
    "presencePenalty": (-2, 2),
    "frequencyPenalty": (-2, 2),
    "logprobs": (0, 20),
}
STOPS = 5


def parse(arrival: Arrival, world: World, shape: str) -> tuple[dict[str, Any], list[str]]:
    """Return a body with camelCase names and the names that were not; raise Refused for what the parser refuses."""
    try:
        body = json.loads(arrival.body or b"{}")
    except ValueError as error:
        raise Refused(invalid(f"Invalid JSON payload received. {error}")) from None
    if has_lone_surrogate(body):
        raise Refused(invalid("Invalid JSON payload received. Unpaired surrogate in string."))
    parser = Parser()
    read = parser.read(body, shape)
    if world.only_camel_case:
        text = "A good client writes camelCase (World.only_camel_case is on): "
        parser.violations += [(name, text + name) for name in parser.snake]
    if parser.violations:
        raise Refused(unreadable(parser.violations))
    return read, parser.snake


def check(model: str, body: dict[str, Any]) -> None:
    """Raise Refused with the 400 that Gemini would give, or return."""
    kind = family(model)
    _tools(body, kind)
    _settings(body.get("generationConfig", {}), body, kind)
    gemini_contents.check_system(body.get("systemInstruction"))
    gemini_contents.check(body.get("contents", []), kind)


def declared(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all function declarations."""
    return [one for tool in body.get("tools", ()) for one in tool.get("functionDeclarations", ())]


def _tools(body: dict[str, Any], kind: Family) -> None:
    names: set[str] = set()
    for index, tool in enumerate(body.get("tools", ())):
        if not tool:
            raise _at(f"tools[{index}].tool_type", "required one_of 'tool_type' must have one initialized field")
        for number, function in enumerate(tool.get("functionDeclarations", ())):
            where = f"tools[{index}].function_declarations[{number}]"
            _function(function, where, kind)
            if function["name"] in names:
                raise Refused(invalid(f"Duplicate function declaration found: {function['name']}"))
            names.add(function["name"])
    config = body.get("toolConfig", {})
    if names and any(name in tool for tool in body["tools"] for name in BUILT_IN):
        if not kind.mixes_tools:
            raise Refused(invalid("Tool use with function calling is unsupported"))
        if not config.get("includeServerSideToolInvocations"):
            text = "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function "
            raise Refused(invalid(f"{text}calling."))
    _calling(config.get("functionCallingConfig"), names)


def _function(function: dict[str, Any], where: str, kind: Family) -> None:
    name = function.get("name", "")
    if not re.fullmatch(rf"[a-zA-Z_][a-zA-Z0-9_.:-]{{0,{kind.name_length - 1}}}", name):
        text = (
            "[FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be a-z, A-Z, 0-9, "
            "or contain underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of "
            f"{kind.name_length}."
        )
        raise Refused(invalid(f"The GenerateContentRequest proto is invalid:\n  * {where}.name: {text}"))
    if "parameters" in function and "parametersJsonSchema" in function:
        raise _at(where, "only one of parameters and parameters_json_schema can be set.")
    if "parametersJsonSchema" in function and not isinstance(function["parametersJsonSchema"], dict):
        raise _at(f"{where}.parameters_json_schema", "must be a JSON schema of an object.")
    if "parameters" in function:
        if function["parameters"].get("type") != "OBJECT":
            raise _at(f"{where}.parameters.type", "schema type for parameters must be OBJECT.")
        _schema(function["parameters"], f"{where}.parameters", kind)


def _calling(config: dict[str, Any] | None, names: set[str]) -> None:
    if config is None:
        return
    mode, allowed = config.get("mode", "AUTO"), config.get("allowedFunctionNames", [])
    if mode in ("ANY", "VALIDATED") and not names:
        raise Refused(invalid("Function calling config is set without function_declarations."))
    where = "tool_config.function_calling_config.allowed_function_names"
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise _at(where, "should only be set when function_calling_config.mode is ANY or VALIDATED.")
    for index, name in enumerate(allowed):
        if name not in names:
            raise _at(f"{where}[{index}]", f"function {name} is not declared.")


def _schema(schema: dict[str, Any], where: str, kind: Family) -> None:
    """Check what the parser lets pass: formats, enums, items, required names."""
    found, formats = schema.get("type", ""), _FORMATS.get(schema.get("type", ""))
    if formats is not None and schema.get("format", "") not in ("", *formats):
        text = f"only {' and '.join(repr(name) for name in formats)} are supported for {found} type"
        raise _at(f"{where}.format", text)
    if schema.get("enum") and found != "STRING":
        raise _at(f"{where}.enum", "only allowed for STRING type")
    if any(name == "" for name in schema.get("enum", ())):
        raise _at(f"{where}.enum[0]", "cannot be empty")
    if found == "ARRAY" and "items" not in schema:
        raise _at(f"{where}.items", "missing field.")
    if found == "OBJECT" and not schema.get("properties") and not kind.empty_objects:
        raise _at(f"{where}.properties", "should be non-empty for OBJECT type")
    for index, name in enumerate(schema.get("required", ())):
        if name not in schema.get("properties", {}):
            raise _at(f"{where}.required[{index}]", "property is not defined")
    for name, inner in schema.get("properties", {}).items():
        _schema(inner, f"{where}.properties[{name}]", kind)
    for index, inner in enumerate(schema.get("anyOf", ())):
        _schema(inner, f"{where}.any_of[{index}]", kind)
    if "items" in schema:
        _schema(schema["items"], f"{where}.items", kind)


def _settings(config: dict[str, Any], body: dict[str, Any], kind: Family) -> None:
    for name, (least, most) in RANGES.items():
        if name in config and not least <= float(config[name]) <= most:
            raise _at(f"generation_config.{_snake(name)}", f"must be in range [{least}, {most}].")
    most = config.get("maxOutputTokens")
    if most is not None and not 1 <= int(most) <= MOST_TOKENS:
        text = f"Unable to submit request because it has a maxOutputTokens value of {most} but the supported range is "
        text += f"from 1 (inclusive) to {MOST_TOKENS + 1} (exclusive). Update the value and try again."
        raise Refused(invalid(text))
    if len(config.get("stopSequences", ())) > STOPS:
        raise _at("generation_config.stop_sequences", f"at most {STOPS} stop sequences are supported.")
    if config.get("logprobs") is not None and not config.get("responseLogprobs"):
        raise _at("generation_config.logprobs", "should only be set when response_logprobs is true.")
    _answer_form(config, body, kind)
    _thinking(config.get("thinkingConfig", {}), kind)


def _answer_form(config: dict[str, Any], body: dict[str, Any], kind: Family) -> None:
    mime = config.get("responseMimeType", "text/plain")
    if mime not in ("text/plain", *JSON_TYPES):
        allowed = "`text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`"
        raise _at("generation_config.response_mime_type", f"allowed mimetypes are {allowed}.")
    if "responseSchema" in config and "responseJsonSchema" in config:
        raise _at("generation_config", "only one of response_schema and response_json_schema can be set.")
    if ("responseSchema" in config or "responseJsonSchema" in config) and mime not in JSON_TYPES:
        text = "controlled generation with a response schema needs response_mime_type application/json or text/x.enum."
        raise _at("generation_config.response_schema", text)
    if mime == "application/json" and declared(body) and not kind.json_with_tools:
        raise Refused(invalid("Function calling with a response mime type: 'application/json' is unsupported"))
    if "responseSchema" in config:
        _schema(config["responseSchema"], "generation_config.response_schema", kind)


def _thinking(config: dict[str, Any], kind: Family) -> None:
    budget, level = config.get("thinkingBudget"), config.get("thinkingLevel")
    if budget is not None and level is not None:
        raise Refused(invalid("You can only set only one of thinking budget and thinking level."))
    if level is not None and level not in kind.levels:
        text = f"Thinking level {level} is not supported for this model." if kind.levels else ""
        raise Refused(invalid(text or "Thinking level is not supported for this model."))
    if budget is None:
        return
    number = int(budget)
    if kind.budget is None and not (kind.levels and number == -1):
        raise Refused(invalid("Thinking budget is not supported for this model. Please use thinking level instead."))
    if number == 0 and not kind.budget_zero:
        raise Refused(invalid("Budget 0 is invalid. This model only works in thinking mode."))
    if kind.budget is not None and number not in (0, -1) and not kind.budget[0] <= number <= kind.budget[1]:
        text = f"The thinking budget {number} is invalid. Please choose a value between {kind.budget[0]} and "
        raise Refused(invalid(f"{text}{kind.budget[1]}."))


def _at(where: str, text: str) -> Refused:
    return Refused(invalid(f"* GenerateContentRequest.{where}: {text}\n"))


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


_FORMATS = {
    "STRING": ("enum", "date-time"),
    "NUMBER": ("float", "double"),
    "INTEGER": ("int32", "int64"),
}
