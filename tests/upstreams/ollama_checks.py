"""What Ollama refuses, in the words of Go's JSON reader and of its own. Unknown members and options are ignored.

The reader knows types only; what a model can do is ollama_models.py.
"""

import re
from typing import Any

from tests.upstreams.answer import Refused
from tests.upstreams.ollama_refusals import ollama

ROLES = ("system", "user", "assistant", "tool")
THINK = ("high", "medium", "low", "max")
INTEGERS = {
    "num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "num_ctx", "num_batch", "num_gpu", "main_gpu",
    "num_thread",
}  # fmt: skip
FLOATS = {
    "top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty",
}  # fmt: skip
CHAT = {
    "model": "string", "messages": "[]api.Message", "stream": "bool", "tools": "api.Tools",
    "options": "map[string]interface {}", "truncate": "bool", "shift": "bool", "logprobs": "bool",
    "top_logprobs": "int",
}  # fmt: skip
GENERATE = {
    "model": "string", "prompt": "string", "suffix": "string", "system": "string", "template": "string",
    "context": "[]int", "stream": "bool", "raw": "bool", "images": "[]api.ImageData",
    "options": "map[string]interface {}", "truncate": "bool", "shift": "bool", "logprobs": "bool",
    "top_logprobs": "int",
}  # fmt: skip
EMBED = {"model": "string", "truncate": "bool", "dimensions": "int", "options": "map[string]interface {}"}
EMBEDDING = {"model": "string", "prompt": "string", "options": "map[string]interface {}"}
MESSAGE = {
    "role": "string", "content": "string", "thinking": "string", "images": "[]api.ImageData",
    "tool_calls": "[]api.ToolCall", "tool_name": "string", "tool_call_id": "string",
}  # fmt: skip
_GO = {type(None): "null", bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
_FITS: dict[str, tuple[type, ...]] = {"string": (str,), "bool": (bool,), "int": (int,)}
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"-?(\d+(\.\d*)?(h|m|s|ms|us|µs|ns))+|0")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def refused(message: str, status: int = 400) -> Refused:
    """Return a refusal with this sentence."""
    return Refused(ollama(status, message))


def unfit(value: Any, field: str, wanted: str) -> Refused:
    """Return what Go's reader says of a value of another type."""
    return refused(f"json: cannot unmarshal {_GO[type(value)]} into Go struct field {field} of type {wanted}")


def typed(data: dict[str, Any], types: dict[str, str], struct: str) -> None:
    """Raise Refused for the first member that has not its Go type; null is the same as nothing."""
    for name, wanted in types.items():
        value = data.get(name)
        fits = _FITS.get(wanted, (dict,) if wanted.startswith("map") else (list,))
        if value is None or (isinstance(value, fits) and not (wanted == "int" and isinstance(value, bool))):
            continue
        raise unfit(value, f"{struct}.{name}", wanted)


def check_chat(body: dict[str, Any]) -> None:
    """Raise Refused for a chat request that Go could not read."""
    typed(body, CHAT, "ChatRequest")
    for message in body.get("messages") or ():
        _message(message)
    for tool in body.get("tools") or ():
        _tool(tool)
    _both(body)


def check_generate(body: dict[str, Any]) -> None:
    """Raise Refused for a generate request that Go could not read."""
    typed(body, GENERATE, "GenerateRequest")
    check_images(body.get("images"), "GenerateRequest.images")
    if body.get("raw") and any(body.get(name) for name in ("template", "system", "context")):
        raise refused("raw mode does not support template, system, or context")
    _both(body)


def check_options(options: dict[str, Any] | None) -> None:
    """Raise Refused for an option of the wrong type; unknown ones are ignored."""
    for name, value in (options or {}).items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None:
            continue
        if name in INTEGERS and not number:
            raise refused(f'option "{name}" must be of type integer', 500)
        if name in FLOATS and not number:
            raise refused(f'option "{name}" must be of type float32', 500)
        if name == "stop" and not isinstance(value, list):
            raise refused('option "stop" must be of type array', 500)
        if name == "stop" and not all(isinstance(stop, str) for stop in value):
            raise refused('option "stop" must be of an array of strings', 500)


def check_images(images: Any, field: str) -> None:
    """Raise Refused for an image that is not the base64 of its bytes: no data URL, no URL."""
    for image in images or ():
        if not isinstance(image, str):
            raise unfit(image, field, "[]uint8")
        if _BASE64.fullmatch(image) and len(image) % 4 == 0:
            continue
        at = next((index for index, letter in enumerate(image) if not re.match(r"[A-Za-z0-9+/]", letter)), len(image))
        raise refused(f"illegal base64 data at input byte {at}")


def keep_alive(value: Any) -> float | None:
    """Return how long a model stays, in seconds (None: as always); raise Refused."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refused(f"Unsupported type: '{_GO[type(value)]}'")
    if isinstance(value, int | float):
        return float(value)
    if not _DURATION.fullmatch(value):
        unit = re.fullmatch(r"-?[\d.]+", value)
        raise refused(f'time: missing unit in duration "{value}"' if unit else f'time: invalid duration "{value}"')
    parts = re.findall(r"([\d.]+)(h|ms|us|µs|ns|m|s)", value)
    return sum(float(amount) * _SECONDS[unit] for amount, unit in parts) * (-1 if value.startswith("-") else 1)


def _both(body: dict[str, Any]) -> None:
    think = body.get("think")
    if isinstance(think, str) and think not in THINK:
        text = f'invalid think value: "{think}" (must be "high", "medium", "low", "max", true, or false)'
        raise refused(text)
    if think is not None and not isinstance(think, bool | str):
        raise refused('think must be a boolean or string ("high", "medium", "low", "max", true, or false)')
    top = body.get("top_logprobs") or 0
    if not 0 <= top <= 20:
        raise refused("top_logprobs must be between 0 and 20")
    keep_alive(body.get("keep_alive"))


def check_format(shape: Any) -> None:
    """Raise Refused for a format that is neither `json` nor a schema."""
    if shape in (None, "", "json") or isinstance(shape, dict):
        return
    raise refused(f'invalid format: "{shape}"; expected "json" or a valid JSON Schema object', 500)


def _message(message: Any) -> None:
    if not isinstance(message, dict):
        raise unfit(message, "ChatRequest.messages", "api.Alias")
    typed(message, MESSAGE, "ChatRequest.messages")
    check_images(message.get("images"), "ChatRequest.messages.images")
    for call in message.get("tool_calls") or ():
        _call(call)
    role = str(message.get("role", "")).lower()
    if role not in ROLES:
        # The real one drops such a message in its template without a word. Here it is loud.
        known = ", ".join(f'"{name}"' for name in ROLES)
        raise refused(f'invalid role "{role}", must be one of [{known}]')


def _call(call: Any) -> None:
    where = "ChatRequest.messages.tool_calls"
    if not isinstance(call, dict):
        raise unfit(call, where, "api.ToolCall")
    typed(call, {"id": "string", "function": "map"}, where)
    function = call.get("function") or {}
    typed(function, {"index": "int", "name": "string"}, f"{where}.function")
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, dict):
        raise unfit(arguments, f"{where}.function.arguments", "api.ToolCallFunctionArguments")


def _tool(tool: Any) -> None:
    if not isinstance(tool, dict):
        raise unfit(tool, "ChatRequest.tools", "api.Tool")
    typed(tool, {"type": "string", "function": "map"}, "ChatRequest.tools")
    function = tool.get("function") or {}
    typed(function, {"name": "string", "description": "string", "parameters": "map"}, "ChatRequest.tools.function")
    schema = function.get("parameters") or {}
    types = {"type": "string", "required": "[]string", "properties": "map[string]api.ToolProperty"}
    typed(schema, types, "ChatRequest.tools.function.parameters")
    for name, inner in (schema.get("properties") or {}).items():
        if not isinstance(inner, dict):
            raise unfit(inner, f"ChatRequest.tools.function.parameters.properties.{name}", "api.ToolProperty")
