"""What OpenAI refuses in the input items of a Responses request: members, roles, content parts. Order: see the end.

How items belong together (calls and outputs, reasoning and what follows it) is responses_pairs.py.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from tests.upstreams.responses_errors import (
    json_type,
    missing,
    only,
    pattern,
    refused,
    text,
    unknown,
    wrong_type,
    wrong_value,
)
from tests.upstreams.responses_tools import NAME, NAME_LIMIT, NAMESPACE_LIMIT

CALL_ID_LIMIT = 64
# Of any item: its id, and what Codex CLI tells OpenAI, and nobody else, about where it comes from.
ANYWHERE = ("type", "id", "internal_chat_message_metadata_passthrough")
ROLES = ("assistant", "system", "developer", "user")
INPUT_PARTS = ("input_text", "input_image", "input_file")
OUTPUT_PARTS = ("output_text", "refusal")
PARTS = {
    "input_text": (("text",), ("prompt_cache_breakpoint",)),
    "input_image": ((), ("image_url", "file_id", "detail", "prompt_cache_breakpoint")),
    "input_file": ((), ("file_id", "file_url", "file_data", "filename", "detail", "prompt_cache_breakpoint")),
    "output_text": (("text",), ("annotations", "logprobs")),
    "refusal": (("refusal",), ()),
}
IMAGES = {
    "image/png": b"\x89PNG",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?P<parameters>(;[^;,]+)*?)(?P<base64>;base64)?,(?P<data>.*)", re.S
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The members of one type of item, and how its id begins; `free` takes any."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    prefix: str = ""
    free: bool = False


ITEMS = {
    "message": Shape(("role", "content"), ("status", "phase"), "msg"),
    # No status here: the service gives none and takes none.
    "reasoning": Shape(("summary",), ("content", "encrypted_content"), "rs"),
    "function_call": Shape(("call_id", "name", "arguments"), ("status", "namespace"), "fc"),
    "function_call_output": Shape(("call_id", "output"), ("status",)),
    "custom_tool_call": Shape(("call_id", "name", "input"), ("status", "namespace"), "ctc"),
    "custom_tool_call_output": Shape(("call_id", "output"), ("status",)),
    "local_shell_call": Shape(("call_id", "action"), ("status",), "lsh"),
    "local_shell_call_output": Shape(("output",), ("call_id", "status")),
    "shell_call": Shape(("call_id", "action"), ("status", "environment"), "sh"),
    "shell_call_output": Shape(("call_id", "output"), ("status", "max_output_length")),
    "apply_patch_call": Shape(("call_id", "operation"), ("status",), "apc"),
    "apply_patch_call_output": Shape(("call_id", "status"), ("output",)),
    "web_search_call": Shape((), ("status", "action"), "ws"),
    "additional_tools": Shape(("tools",), ("role",)),
    "compaction": Shape(("encrypted_content",), (), "cmp"),
    "compaction_trigger": Shape(),
    "item_reference": Shape(("id",), ()),
    **{
        name: Shape(free=True)
        for name in (
            "file_search_call", "code_interpreter_call", "image_generation_call", "computer_call",
            "computer_call_output", "mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response",
            "tool_search_call", "tool_search_output", "program", "program_output",
        )
    },
}  # fmt: skip


def check(items: list[Any]) -> list[dict[str, Any]]:
    """Return the items with their types, or raise Refused with the 400 that OpenAI would give."""
    checked = [_item(item, f"input[{index}]") for index, item in enumerate(items)]
    for index, item in enumerate(checked[:-1]):
        if item["type"] == "compaction_trigger":
            raise refused("A 'compaction_trigger' must be the last item of 'input'.", f"input[{index}]")
    return checked


def _item(item: Any, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise wrong_type(where, "an object", item)
    kind = item.get("type")
    if kind is None:
        kind = "item_reference" if set(item) == {"id"} else "message"
    if not isinstance(kind, str) or kind not in ITEMS:
        raise wrong_value(where, kind, tuple(ITEMS))
    shape = ITEMS[kind]
    for name in shape.required:
        if name not in item:
            raise missing(f"{where}.{name}")
    if not shape.free:
        only(item, (*ANYWHERE, *shape.required, *shape.optional), f"{where}.")
    _id(item, shape.prefix, where)
    _CHECKS.get(kind, _nothing)(item, where)
    return {**item, "type": kind}


def _nothing(_: dict[str, Any], __: str) -> None:
    return


def _id(item: dict[str, Any], prefix: str, where: str) -> None:
    id = item.get("id")
    if id is None:
        return
    text(id, f"{where}.id", most=0)
    if prefix and not id.startswith(prefix):
        message = f"Invalid '{where}.id': '{id}'. Expected an ID that begins with '{prefix}'."
        raise refused(message, f"{where}.id", "invalid_id_prefix")


def _message(item: dict[str, Any], where: str) -> None:
    role = item["role"]
    if role not in ROLES:
        raise wrong_value(f"{where}.role", role, ROLES)
    if "phase" in item:
        if role != "assistant":
            raise unknown(f"{where}.phase")
        if item["phase"] not in (None, "commentary", "final_answer"):
            raise wrong_value(f"{where}.phase", item["phase"], ("commentary", "final_answer"))
    _content(item["content"], f"{where}.content", OUTPUT_PARTS if role == "assistant" else INPUT_PARTS)


def _content(content: Any, where: str, kinds: tuple[str, ...]) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        message = f"Invalid type for '{where}': expected one of an array of objects or string, "
        raise refused(f"{message}but got {json_type(content)} instead.", where, "invalid_type")
    for index, part in enumerate(content):
        _part(part, f"{where}[{index}]", kinds)


def _part(part: Any, where: str, kinds: tuple[str, ...]) -> None:
    if not isinstance(part, dict):
        raise wrong_type(where, "an object", part)
    kind = part.get("type")
    if kind is None:
        raise missing(f"{where}.type")
    if kind not in kinds:
        raise wrong_value(where, kind, kinds)
    required, optional = PARTS[kind]
    for name in required:
        if name not in part:
            raise missing(f"{where}.{name}")
        if not isinstance(part[name], str):
            raise wrong_type(f"{where}.{name}", "a string", part[name])
    only(part, ("type", *required, *optional), f"{where}.")
    if kind == "input_image":
        _image(part, where)
    elif kind == "input_file":
        _file(part, where)


def _image(part: dict[str, Any], where: str) -> None:
    if part.get("detail") not in (None, "low", "high", "auto", "original"):
        raise wrong_value(f"{where}.detail", part["detail"], ("low", "high", "auto", "original"))
    url, place = part.get("image_url"), f"{where}.image_url"
    if url is None:
        if part.get("file_id") is None:
            raise missing(place)
        return
    if not isinstance(url, str):
        raise wrong_type(place, "an image URL", url)
    if re.match(r"https?://[^/\s]", url):
        return
    found = _DATA_URL.fullmatch(url)
    if found is None:
        message = f"Invalid '{place}'. Expected a valid URL, but got a value with an invalid format."
        raise refused(message, place, "invalid_value")
    wanted = "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,...'), but got"
    if found["type"] not in IMAGES:
        message = f"Invalid '{place}'. {wanted} unsupported MIME type '{found['type']}'."
        raise refused(message, place, "invalid_value")
    data = _decoded(found["data"]) if found["base64"] else None
    if data is None:
        raise refused(f"Invalid '{place}'. {wanted} an invalid base64-encoded value.", place, "invalid_value")
    if not any(data.startswith(magic) for magic in IMAGES.values()):
        message = "The image data you provided does not represent a valid image. Please check your input and try again."
        raise refused(message, None, "invalid_image_format")


def _file(part: dict[str, Any], where: str) -> None:
    given = [name for name in ("file_id", "file_url", "file_data") if part.get(name) is not None]
    if not given:
        raise missing(f"{where}.file_id")
    data, place = part.get("file_data"), f"{where}.file_data"
    if data is None:
        return
    if not part.get("filename"):
        raise missing(f"{where}.filename")
    found = _DATA_URL.fullmatch(data) if isinstance(data, str) else None
    if found is None or not found["base64"] or _decoded(found["data"]) is None:
        message = f"Invalid '{place}'. Expected a base64-encoded data URL with a MIME type, but got another value."
        raise refused(message, place, "invalid_value")


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None


def _call(item: dict[str, Any], where: str) -> None:
    text(item["call_id"], f"{where}.call_id", most=CALL_ID_LIMIT)
    name = text(item["name"], f"{where}.name", most=NAME_LIMIT)
    if not NAME.fullmatch(name):
        raise pattern(f"{where}.name", "^[a-zA-Z0-9_-]+$")
    if item.get("namespace") is not None:
        text(item["namespace"], f"{where}.namespace", most=NAMESPACE_LIMIT)
    written = "arguments" if item["type"] == "function_call" else "input"
    if not isinstance(item[written], str):
        raise wrong_type(f"{where}.{written}", "a string", item[written])


def _output(item: dict[str, Any], where: str) -> None:
    text(item["call_id"], f"{where}.call_id", most=CALL_ID_LIMIT)
    _content(item["output"], f"{where}.output", INPUT_PARTS)


def _reasoning(item: dict[str, Any], where: str) -> None:
    for name, kind in (("summary", "summary_text"), ("content", "reasoning_text")):
        if not isinstance(item.get(name), list) and (name == "summary" or item.get(name) is not None):
            raise wrong_type(f"{where}.{name}", "an array of objects", item[name])
        for index, part in enumerate(item.get(name) or ()):
            place = f"{where}.{name}[{index}]"
            if not isinstance(part, dict) or part.get("type") != kind:
                raise wrong_value(place, part.get("type") if isinstance(part, dict) else part, (kind,))
            if not isinstance(part.get("text"), str):
                raise missing(f"{place}.text")
    if item.get("encrypted_content") is not None:
        text(item["encrypted_content"], f"{where}.encrypted_content")


_CHECKS = {
    "message": _message,
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "reasoning": _reasoning,
}
