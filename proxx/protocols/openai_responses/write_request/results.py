"""Results of tools -> output items of each kind."""

from typing import Any

import orjson

from proxx.protocols.hub.parts import Image, ToolResult
from proxx.protocols.openai_responses.dialect import OUTPUT_ITEMS

ERROR = "Error: "


def written_result(
    result: ToolResult, kind: str, call_id: str, content: list[dict[str, Any]], *, plain: bool
) -> dict[str, Any]:
    """Return the output item of a result; `content` are its parts as content, `plain` joins texts into one."""
    item: dict[str, Any] = {"type": OUTPUT_ITEMS[kind], "call_id": call_id}
    match kind:
        case "shell":
            return item | {"output": _shell(_text(content))}
        case "local_shell":
            return {"type": item["type"], "id": call_id, "output": _text(content)}
        case "apply_patch":
            return item | {"status": "failed" if result.is_error else "completed", "output": _text(content)}
        case "tool_search":
            return item | {"execution": "client", "status": "completed", "tools": _listed(_text(content))}
        case "computer":
            shots = [one for part, one in zip(result.parts, content, strict=False) if isinstance(part, Image)]
            url = shots[0].get("image_url") if shots else None
            return item | {"output": {"type": "computer_screenshot", "image_url": url}}
    return item | {"output": _output(result, content, plain=plain)}


def _output(result: ToolResult, content: list[dict[str, Any]], *, plain: bool) -> str | list[dict[str, Any]]:
    only_text = all(part["type"] == "input_text" for part in content)
    if not only_text or (len(content) > 1 and not plain):
        return [{"type": "input_text", "text": ERROR.strip()}, *content] if result.is_error else content
    text = _text(content)
    # The dialect has no sign for a failure: the word tells the model.
    return ERROR + text if result.is_error and not text.startswith(ERROR.rstrip(" :")) else text


def _text(content: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in content if part["type"] == "input_text")


def _shell(text: str) -> Any:
    read = _read(text)
    if isinstance(read, list):
        return orjson.Fragment(text)
    return [{"stdout": text, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]


def _listed(text: str) -> Any:
    return orjson.Fragment(text) if isinstance(_read(text), list) else []


def _read(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
