"""What Anthropic refuses inside one content block, and with which 400: its members, its media, its signature."""

import re
from collections.abc import Callable
from typing import Any

from tests.upstreams import media, signatures
from tests.upstreams.answer import Refused
from tests.upstreams.anthropic_refusals import invalid

VENDOR = "anthropic"
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
ID = re.compile(r"[a-zA-Z0-9_-]+")
USER = {"text", "image", "document", "search_result", "tool_result", "container_upload"}
RESULT = {"text", "image", "document", "search_result", "tool_reference"}
ASSISTANT = {
    "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "document", "mcp_tool_use",
    "mcp_tool_result", "compaction",
}  # fmt: skip
# Members beside `type`: those that must be there, and those that may.
MEMBERS: dict[str, tuple[set[str], set[str]]] = {
    "text": ({"text"}, {"cache_control", "citations"}),
    "image": ({"source"}, {"cache_control"}),
    "document": ({"source"}, {"cache_control", "title", "context", "citations"}),
    "search_result": ({"source", "title", "content"}, {"cache_control", "citations"}),
    "tool_result": ({"tool_use_id"}, {"content", "is_error", "cache_control"}),
    "tool_use": ({"id", "name", "input"}, {"cache_control", "caller"}),
    "thinking": ({"thinking", "signature"}, set()),
    "redacted_thinking": ({"data"}, set()),
    "server_tool_use": ({"id", "name", "input"}, {"cache_control", "caller"}),
    "web_search_tool_result": ({"tool_use_id", "content"}, {"cache_control", "caller"}),
}
SOURCES: dict[str, dict[str, set[str]]] = {
    "image": {"base64": {"media_type", "data"}, "url": {"url"}, "file": {"file_id"}},
    "document": {
        "base64": {"media_type", "data"},
        "url": {"url"},
        "text": {"media_type", "data"},
        "content": {"content"},
        "file": {"file_id"},
    },
}


def tag(value: Any) -> str:
    """Return the type of what should be an object with a type, or an empty string."""
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def check(block: Any, where: str, kinds: set[str], *, signed: bool) -> str:
    """Raise Refused with the 400 for a block that is wrong in itself; return its type. `signed` checks signatures."""
    kind = tag(block)
    if kind not in kinds and not (kind.endswith("_tool_result") and "tool_use" in kinds):
        expected = ", ".join(f"'{name}'" for name in sorted(kinds))
        text = f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        raise Refused(invalid(text))
    place = f"{where}.{kind}"
    if kind in MEMBERS:
        needed, free = MEMBERS[kind]
        for name in sorted(needed - set(block)):
            raise Refused(invalid(f"{place}.{name}: Field required"))
        for name in sorted(set(block) - needed - free - {"type"}):
            raise Refused(invalid(f"{place}.{name}: Extra inputs are not permitted"))
    if kind.endswith("_tool_result") and not isinstance(block.get("tool_use_id"), str):
        raise Refused(invalid(f"{place}.tool_use_id: Input should be a valid string"))
    if kind in _CHECKS:
        _CHECKS[kind](block, place)
    if signed and kind in _SIGNED:
        _SIGNED[kind](block, where)
    return kind


def check_text(block: dict[str, Any], where: str) -> None:
    """Raise Refused for a text that is none."""
    text = block["text"]
    if not isinstance(text, str):
        raise Refused(invalid(f"{where}.text: Input should be a valid string"))
    if not text and block.get("cache_control") is not None:
        raise Refused(invalid(f"{where.rpartition('.')[0]}.text: cache_control cannot be set for empty text blocks"))
    if not text:
        raise Refused(invalid(f"{where.partition('.')[0]}: text content blocks must be non-empty"))
    if not text.strip():
        raise Refused(invalid(f"{where.partition('.')[0]}: text content blocks must contain non-whitespace text"))


def _source(block: dict[str, Any], where: str) -> None:
    source, sources = block["source"], SOURCES[block["type"]]
    kind = tag(source)
    if kind not in sources:
        expected = ", ".join(f"'{name}'" for name in sources)
        text = f"{where}.source: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
        raise Refused(invalid(text + expected))
    for name in sorted(sources[kind] - set(source)):
        raise Refused(invalid(f"{where}.source.{kind}.{name}: Field required"))
    for name in sorted(set(source) - sources[kind] - {"type"}):
        raise Refused(invalid(f"{where}.source.{kind}.{name}: Extra inputs are not permitted"))
    if kind == "url" and not str(source["url"]).startswith("https://"):
        raise Refused(invalid(f"{where}.source.url: Only HTTPS URLs are supported."))
    if kind == "text" and source["media_type"] != "text/plain":
        raise Refused(invalid(f"{where}.source.text.media_type: Input should be 'text/plain'"))
    if kind == "base64":
        _data(source, f"{where}.source.base64", IMAGES if block["type"] == "image" else ("application/pdf",))


def _data(source: dict[str, Any], where: str, kinds: tuple[str, ...]) -> None:
    declared = source["media_type"]
    if declared not in kinds:
        listed = ", ".join(f"'{name}'" for name in kinds[:-1]) + (" or " if kinds[1:] else "") + f"'{kinds[-1]}'"
        raise Refused(invalid(f"{where}.media_type: Input should be {listed}"))
    data = media.decoded(source["data"])
    if data is None:
        raise Refused(invalid(f"{where}: invalid base64 data"))
    if not data:
        raise Refused(invalid(f"{where}: image cannot be empty"))
    found = media.kind_of(data)
    if declared == "application/pdf" and found != declared:
        raise Refused(invalid(f"{where}.data: The PDF specified was not valid."))
    if found not in kinds:
        raise Refused(invalid("Could not process image"))
    if found != declared:
        text = f"The image was specified using the {declared} media type, but the image appears to be a {found} image"
        raise Refused(invalid(f"{where}.data: {text}"))


def _tool_use(block: dict[str, Any], where: str) -> None:
    if not isinstance(block["id"], str) or not ID.fullmatch(block["id"]):
        raise Refused(invalid(f"{where}.id: String should match pattern '^[a-zA-Z0-9_-]+$'"))
    if not isinstance(block["name"], str) or not 1 <= len(block["name"]) <= 200:
        raise Refused(invalid(f"{where}.name: String should have at least 1 character"))
    if not isinstance(block["input"], dict):
        raise Refused(invalid(f"{where}.input: Input should be a valid dictionary"))


def _tool_result(block: dict[str, Any], where: str) -> None:
    if not isinstance(block["tool_use_id"], str) or not ID.fullmatch(block["tool_use_id"]):
        raise Refused(invalid(f"{where}.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'"))
    if not isinstance(block.get("is_error", False), bool):
        raise Refused(invalid(f"{where}.is_error: Input should be a valid boolean"))
    content = block.get("content", "")
    if not isinstance(content, str | list):
        raise Refused(invalid(f"{where}.content: Input should be a valid string"))
    for index, inner in enumerate(content if isinstance(content, list) else ()):
        check(inner, f"{where}.content.{index}", RESULT, signed=False)


def _thinking(block: dict[str, Any], where: str) -> None:
    for name in ("thinking", "signature"):
        if not isinstance(block[name], str):
            raise Refused(invalid(f"{where}.{name}: Input should be a valid string"))


def _signature(block: dict[str, Any], where: str) -> None:
    # The text may have been left out of the answer; then the signature alone is to come back.
    if not signatures.vouches(VENDOR, block["signature"], block["thinking"] or None):
        raise Refused(invalid(f"{where}: Invalid `signature` in `thinking` block"))


def _redacted(block: dict[str, Any], where: str) -> None:
    if not isinstance(block["data"], str) or not signatures.vouches(VENDOR, block["data"], None):
        raise Refused(invalid(f"{where}: Invalid `data` in `redacted_thinking` block"))


def _found(block: dict[str, Any], where: str) -> None:
    for result in block["content"] if isinstance(block["content"], list) else ():
        blob = str(result.get("encrypted_content")) if isinstance(result, dict) else ""
        if not signatures.vouches(VENDOR, blob, None):
            raise Refused(invalid(f"{where}: Invalid `encrypted_content` in `search_result` block"))


_CHECKS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "text": check_text,
    "image": _source,
    "document": _source,
    "tool_use": _tool_use,
    "server_tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
}
_SIGNED: dict[str, Callable[[dict[str, Any], str], None]] = {
    "thinking": _signature,
    "redacted_thinking": _redacted,
    "web_search_tool_result": _found,
}
