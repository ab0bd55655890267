"""Members that an upstream refuses, taken out of a written body or given their other name; every other byte stays.

Never those that say what is asked: content, tools, the form and number of answers, state. A body that cannot be edited
is returned as it is, the very same object.
"""

from proxx.protocols.framing import members
from proxx.protocols.framing.lenient import FAULTS
from proxx.protocols.framing.members import Unclear
from proxx.protocols.repairs.thinking import cleared

Path = tuple[str, ...]

# Objects whose members may go one by one, under each of their spellings.
CONTAINERS = {
    "generationConfig": ("generationConfig", "generation_config"),
    "generation_config": ("generationConfig", "generation_config"),
    **{
        name: (name,)
        for name in ("options", "reasoning", "stream_options", "output_config", "thinking", "extra_body", "text")
    },
}
_WHOLE_OR_NOT = frozenset(("generationConfig", "generation_config", "options", "text", "output_config", "extra_body"))
_TAGS = frozenset(("enabled", "adaptive", "disabled", "between_tools"))  # validators name the branch of `thinking`
_ASKED = {
    "model", "stream", "messages", "input", "contents", "prompt", "suffix", "system", "instructions",
    "systemInstruction", "system_instruction", "tools", "tool_choice", "toolConfig", "tool_config", "functions",
    "function_call", "response_format", "format", "text", "schema", "responseSchema", "response_schema",
    "responseJsonSchema", "response_json_schema", "responseMimeType", "response_mime_type", "responseModalities",
    "response_modalities", "modalities", "audio", "prediction", "n", "candidateCount", "candidate_count",
    "previous_response_id", "conversation", "background", "mcp_servers", "container", "cachedContent",
    "cached_content", "safetySettings", "safety_settings", "web_search_options", "images", "raw", "template",
    "file_ids", "truncation", "type", "budget_tokens", "google",
}  # fmt: skip


def removable(path: Path) -> bool:
    """Tell whether a member may be taken out at all."""
    path = _plain(path)
    if len(path) == 1:
        return path[0] not in _ASKED and path[0] not in _WHOLE_OR_NOT
    return len(path) == 2 and path[0] in CONTAINERS and path[1] not in _ASKED


def without(body: bytes, path: Path, *, instead: str = "") -> bytes:
    """Return the body less a member, or with it under another name (top-level only)."""
    if not removable(path):
        return body
    path = _plain(path)
    if f'"{path[-1]}"'.encode() not in body:
        return body
    try:
        if instead:
            return _renamed(body, path[0].encode(), instead.encode())
        if len(path) == 2:
            return _less_inside(body, path[0], path[1].encode())
        left = _less(body, path[0].encode())
        return cleared(left) if path == ("thinking",) and left is not body else left
    except (Unclear, *FAULTS):
        return body


def _plain(path: Path) -> Path:
    if path == ("effort",):
        return ("output_config", "effort")
    return (path[0], *path[2:]) if len(path) == 3 and path[0] == "thinking" and path[1] in _TAGS else path


def _less(body: bytes, name: bytes) -> bytes:
    return members.without(body, name) if members.spans(body, name) else body


def _less_inside(body: bytes, container: str, name: bytes) -> bytes:
    for spelling in CONTAINERS[container]:
        found = members.spans(body, spelling.encode())
        inner = body[slice(*found[0])] if len(found) == 1 else b""
        if not inner.startswith(b"{"):
            continue
        left = _less(inner, name)
        if left is inner:
            continue
        if left[1:-1].strip():
            return members.replaced(body, spelling.encode(), left)
        return members.without(body, spelling.encode())
    return body


def _renamed(body: bytes, name: bytes, instead: bytes) -> bytes:
    found = members.spans(body, name)
    if not found:
        return body
    value = body[slice(*found[-1])]
    rest = members.without(body, name)
    return rest if members.spans(rest, instead) else members.with_first(rest, b'"' + instead + b'":' + value)
