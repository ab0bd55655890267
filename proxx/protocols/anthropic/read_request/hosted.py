"""Calls that Anthropic's servers made and answered themselves: the blocks of a pair become one `Hosted` part."""

from typing import Any

from proxx.protocols.anthropic.read_request.shapes import DIALECT
from proxx.protocols.hub.blobs import PREFIX
from proxx.protocols.hub.parts import Hosted, Part, SearchHit

_KINDS = {
    "web_search": "web_search",
    "web_fetch": "web_fetch",
    "code_execution": "code",
    "bash_code_execution": "code",
    "text_editor_code_execution": "code",
}
_RESULT = "_tool_result"


def hosted_of(block: dict[str, Any]) -> Hosted | None:
    """Return a block of a hosted call or result as a part; None for any other block."""
    kind = str(block.get("type"))
    if kind in ("server_tool_use", "mcp_tool_use"):
        hosted = "mcp" if kind == "mcp_tool_use" else _KINDS.get(str(block.get("name")))
        return (
            None
            if hosted is None
            else Hosted(hosted, _text(block, "id"), query_of(block), (), "in_progress", (block,), DIALECT)
        )
    if kind == "mcp_tool_result":
        return _answered("mcp", block, failed=bool(block.get("is_error")))
    if kind.endswith(_RESULT) and kind.removesuffix(_RESULT) in _KINDS:
        content = block.get("content")
        failed = isinstance(content, dict) and str(content.get("type", "")).endswith("_error")
        return _answered(_KINDS[kind.removesuffix(_RESULT)], block, failed=failed)
    return None


def searches_tools(block: dict[str, Any]) -> bool:
    """Tell whether a block is a search for deferred tools, or its result."""
    return block.get("type") == "tool_search_tool_result" or str(block.get("name", "")).startswith("tool_search_tool_")


def query_of(block: dict[str, Any]) -> str:
    """Return what a hosted call asked: its query, address or code."""
    asked = block.get("input")
    if not isinstance(asked, dict):
        return ""
    words = (asked.get(name) for name in ("query", "url", "code", "command"))
    return next((word for word in words if isinstance(word, str)), "")


def joined(parts: list[Part]) -> list[Part]:
    """Join each hosted call with its result, where that comes next."""
    told: list[Part] = []
    for part in parts:
        before = told[-1] if told else None
        if isinstance(part, Hosted) and isinstance(before, Hosted) and _belongs(before, part):
            told[-1] = with_result(before, part)
        else:
            told.append(part)
    return told


def with_result(call: Hosted, result: Hosted) -> Hosted:
    """Return a hosted call and its result as one."""
    raw = (*call.raw, *result.raw) if result.dialect else ()
    return Hosted(call.kind, call.id, call.query, result.hits, result.status, raw, result.dialect)


def _belongs(call: Hosted, result: Hosted) -> bool:
    return call.status == "in_progress" and result.status != "in_progress" and call.id == result.id


def _answered(kind: str, block: dict[str, Any], *, failed: bool) -> Hosted:
    content = block.get("content")
    entries = content if isinstance(content, list) else [content]
    hits = tuple(
        SearchHit(entry["url"], _text(entry, "title"))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("url"), str)
    )
    status = "failed" if failed else "completed"
    if any(str(entry.get("encrypted_content", "")).startswith(PREFIX) for entry in entries if isinstance(entry, dict)):
        return Hosted(kind, _text(block, "tool_use_id"), "", hits, status)  # we wrote it for another vendor's search
    return Hosted(kind, _text(block, "tool_use_id"), "", hits, status, (block,), DIALECT)


def _text(block: dict[str, Any], name: str) -> str:
    found = block.get(name)
    return found if isinstance(found, str) else ""
