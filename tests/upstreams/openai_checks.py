"""What OpenAI refuses in a Chat Completions request, and with which 400. Only the checks; answers are openai_chat.py.

Paths outside `/v1` stand for the many imitators, which take unknown members; `strict` is off for them.
"""

import re
from collections.abc import Sequence
from typing import Any

from tests.upstreams.answer import Refused
from tests.upstreams.refusals import invalid

# fmt: off
FIELDS = frozenset({
    "model", "messages", "max_completion_tokens", "max_tokens", "temperature", "top_p", "frequency_penalty",
    "presence_penalty", "stop", "n", "seed", "logit_bias", "logprobs", "top_logprobs", "stream", "stream_options",
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format",
    "reasoning_effort", "verbosity", "modalities", "audio", "prediction", "web_search_options", "store", "metadata",
    "user", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "service_tier", "moderation",
})
# fmt: on
ROLES = ("developer", "system", "user", "assistant", "tool", "function")
USER_PARTS = {"text": "text", "image_url": "image_url", "input_audio": "input_audio", "file": "file"}
RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "n": (1, 128),
    "max_tokens": (1, 10_000_000),
    "max_completion_tokens": (1, 10_000_000),
    "top_logprobs": (0, 20),
}
WHOLE = {"n", "max_tokens", "max_completion_tokens", "top_logprobs", "seed"}
BOOLEANS = ("stream", "logprobs", "store", "parallel_tool_calls")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
TOOL_LIMIT = 128
STOP_LIMIT = 4


def check(body: dict[str, Any], *, strict: bool) -> None:
    """Raise Refused with the 400 that OpenAI would give, or return."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused(invalid("you must provide a model parameter"))
    if strict:
        _fields(body)
    _scalars(body)
    _options(body)
    _tools(body)
    _messages(body.get("messages"))


def _fields(body: dict[str, Any]) -> None:
    for name in body:
        if name not in FIELDS:
            raise Refused(invalid(f"Unrecognized request argument supplied: {name}", param=None))


def _scalars(body: dict[str, Any]) -> None:
    for name in BOOLEANS:
        if body.get(name) is not None and not isinstance(body[name], bool):
            raise _type(name, "a boolean", body[name])
    for name, (least, most) in RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or (name in WHOLE and value != int(value)):
            raise _type(name, "an integer" if name in WHOLE else "a decimal", value)
        if not least <= value <= most:
            text = f"Invalid '{name}': expected a value between {least} and {most}, but got {value} instead."
            raise Refused(invalid(text, param=name, code="decimal_out_of_range"))


def _options(body: dict[str, Any]) -> None:
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > STOP_LIMIT:
        raise Refused(invalid("Invalid 'stop': at most 4 elements.", param="stop", code="array_above_max_length"))
    if body.get("stream_options") is not None and not body.get("stream"):
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(invalid(text, param="stream_options"))
    if body.get("stream_options") is not None and not isinstance(body["stream_options"], dict):
        raise _type("stream_options", "an object", body["stream_options"])
    shape = body.get("response_format")
    if shape is None:
        return
    if not isinstance(shape, dict) or shape.get("type") not in ("text", "json_object", "json_schema"):
        raise Refused(invalid("Invalid value for 'response_format'.", param="response_format", code="invalid_value"))
    if shape["type"] == "json_object" and "json" not in str(body.get("messages")).lower():
        text = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise Refused(invalid(text, param="messages"))
    if shape["type"] == "json_schema" and not (shape.get("json_schema") or {}).get("name"):
        raise _missing("response_format.json_schema.name")


def _tools(body: dict[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None:
                raise Refused(invalid(f"'{name}' is only allowed when 'tools' are specified.", param=name))
        return
    if not isinstance(tools, list):
        raise _type("tools", "an array", tools)
    if not tools:
        raise Refused(invalid("Invalid 'tools': empty array.", param="tools", code="empty_array"))
    if len(tools) > TOOL_LIMIT:
        raise Refused(invalid("Invalid 'tools': too many.", param="tools", code="array_above_max_length"))
    names = [_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)]
    _tool_choice(body.get("tool_choice"), names)


def _tool(tool: Any, where: str) -> str:
    if not isinstance(tool, dict):
        raise _type(where, "an object", tool)
    kind = tool.get("type")
    if kind not in ("function", "custom"):
        raise _value(f"{where}.type", kind, ("function", "custom"))
    inner = tool.get(kind)
    if not isinstance(inner, dict):
        raise _missing(f"{where}.{kind}")
    name = inner.get("name")
    if name is None:
        raise _missing(f"{where}.{kind}.name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        text = f"Invalid '{where}.{kind}.name': expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        raise Refused(invalid(text, param=f"{where}.{kind}.name", code="invalid_value"))
    schema = inner.get("parameters")
    if kind == "function" and schema is not None:
        found = schema.get("type") if isinstance(schema, dict) else None
        if schema != {} and found != "object":
            text = f"Invalid schema for function '{name}': schema must be of 'type: \"object\"', got 'type: {found!r}'."
            raise Refused(invalid(text, param=f"{where}.function.parameters", code="invalid_function_parameters"))
    return name


def _tool_choice(choice: Any, names: Sequence[str]) -> None:
    if choice is None or choice in ("none", "auto", "required"):
        return
    if not isinstance(choice, dict) or choice.get("type") not in ("function", "custom", "allowed_tools"):
        raise _value("tool_choice", choice, ("none", "auto", "required"))
    kind = choice["type"]
    wanted = (choice.get(kind) or {}).get("name")
    if kind != "allowed_tools" and wanted not in names:
        text = f"Tool choice '{wanted}' not found in 'tools' parameter."
        raise Refused(invalid(text, param="tool_choice"))


def _messages(messages: Any) -> None:
    if messages is None:
        raise _missing("messages")
    if not isinstance(messages, list):
        raise _type("messages", "an array", messages)
    if not messages:
        raise Refused(invalid("Invalid 'messages': empty array.", param="messages", code="empty_array"))
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise _type(where, "an object", message)
        role = message.get("role")
        if role not in ROLES:
            raise _value(f"{where}.role", role, ROLES)
        if role == "tool":
            _tool_message(message, where, open_calls)
            continue
        _no_open_calls(open_calls)
        open_calls = _assistant(message, where) if role == "assistant" else set()
        if role != "assistant":
            _content(message, where, USER_PARTS if role == "user" else {"text": "text"})
    _no_open_calls(open_calls)


def _tool_message(message: dict[str, Any], where: str, open_calls: set[str]) -> None:
    call = message.get("tool_call_id")
    if not isinstance(call, str):
        raise _missing(f"{where}.tool_call_id")
    if call not in open_calls:
        text = (
            "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
        )
        raise Refused(invalid(text, param=f"{where}.role"))
    open_calls.discard(call)
    _content(message, where, {"text": "text"})


def _no_open_calls(open_calls: set[str]) -> None:
    if open_calls:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. These had no response: {', '.join(sorted(open_calls))}"
        )
        raise Refused(invalid(text, param="messages"))


def _assistant(message: dict[str, Any], where: str) -> set[str]:
    calls = message.get("tool_calls")
    if calls is None:
        if not any(message.get(name) for name in ("refusal", "audio", "function_call")):
            _content(message, where, {"text": "text", "refusal": "refusal"})
        return set()
    if not isinstance(calls, list) or not calls:
        raise Refused(invalid(f"Invalid '{where}.tool_calls': empty array.", param=f"{where}.tool_calls"))
    for index, call in enumerate(calls):
        _call(call, f"{where}.tool_calls[{index}]")
    return {call["id"] for call in calls}


def _call(call: Any, where: str) -> None:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        raise _missing(f"{where}.id")
    kind = call.get("type")
    if kind not in ("function", "custom"):
        raise _value(f"{where}.type", kind, ("function", "custom"))
    inner = call.get(kind)
    text = "arguments" if kind == "function" else "input"
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise _missing(f"{where}.{kind}.name")
    if not isinstance(inner.get(text), str):
        raise _type(f"{where}.{kind}.{text}", "a string", inner.get(text))


def _content(message: dict[str, Any], where: str, kinds: dict[str, str]) -> None:
    content = message.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        text = f"Invalid value for 'content': expected a string, got {_json_type(content)}."
        raise Refused(invalid(text, param=f"{where}.content", code="invalid_type"))
    for index, part in enumerate(content):
        place = f"{where}.content[{index}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in kinds:
            raise _value(f"{place}.type", kind, tuple(kinds))
        if kinds[kind] not in part:
            raise _missing(f"{place}.{kinds[kind]}")


def _missing(param: str) -> Refused:
    return Refused(invalid(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"))


def _type(param: str, wanted: str, value: Any) -> Refused:
    text = f"Invalid type for '{param}': expected {wanted}, but got {_json_type(value)} instead."
    return Refused(invalid(text, param=param, code="invalid_type"))


def _value(param: str, value: Any, allowed: Sequence[str]) -> Refused:
    text = f"Invalid value: {value!r}. Supported values are: {', '.join(repr(name) for name in allowed)}."
    return Refused(invalid(text, param=param, code="invalid_value"))


def _json_type(value: Any) -> str:
    names = {
        type(None): "null",
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
    }
    return names.get(type(value), "an object")
