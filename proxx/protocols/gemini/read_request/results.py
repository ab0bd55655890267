"""A functionResponse -> ToolResult: the text inside its usual wrappers, anything else as compact JSON."""

from collections.abc import Callable

import msgspec

from proxx.protocols.framing.compact import compacted
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.gemini.read_request.fields import raw_list, raw_members, typed
from proxx.protocols.hub.parts import Part, Text, ToolResult

WRAPPERS = ("output", "result", "content")
ERROR = "error"

_text = msgspec.json.Decoder(str | None)
_string = msgspec.json.Decoder(str)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_result(value: bytes, param: str, media: Callable[[bytes, str], list[Part]]) -> ToolResult:
    """Read one result. `media` reads the parts that stand inside it."""
    found = raw_members(value, param)
    response = bytes(found.get("response", b"null"))
    said, failed = ("", False) if response == b"null" else _said(response, param)
    inner = raw_list(bytes(found.get("parts", b"null")), f"{param}.parts")
    parts: list[Part] = [Text(said)] if said else []
    for place, one in enumerate(inner):
        parts += media(one, f"{param}.parts[{place}]")
    return ToolResult(
        call_id=typed(_text, bytes(found.get("id", b"null")), f"{param}.id") or "",
        parts=tuple(parts),
        name=typed(_text, bytes(found.get("name", b"null")), f"{param}.name") or "",
        is_error=True if failed else None,
    )


def _said(response: bytes, param: str) -> tuple[str, bool]:
    """Return what a response says, and whether it is an error."""
    members = typed(_members, response, f"{param}.response")
    if len(members) == 1:
        name, value = next(iter(members.items()))
        if name in (*WRAPPERS, ERROR):
            try:
                return decode(_string, bytes(value)), name == ERROR
            except FAULTS:
                pass
    return compacted(response) if members else "", set(members) == {ERROR}
