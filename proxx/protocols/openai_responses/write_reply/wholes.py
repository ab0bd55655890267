"""Items that come entire: hosted work, actions without a ladder, compactions, pictures, and unknown ones."""

from typing import Any

import orjson

from proxx.protocols.hub.parts import Compaction, Hosted, Image, Opaque, Part
from proxx.protocols.openai_responses.dialect import CALL_ITEMS, NAME
from proxx.protocols.openai_responses.hosted import hosted_items
from proxx.protocols.openai_responses.write_reply.items import CallItem, Item, sealed
from proxx.protocols.openai_responses.write_reply.ladder import Ladder

_PREFIXES = {
    "web_search_call": "ws_",
    "file_search_call": "fs_",
    "code_interpreter_call": "ci_",
    "image_generation_call": "ig_",
    "local_shell_call": "lsh_",
    "shell_call": "sh_",
    "apply_patch_call": "apc_",
    "tool_search_call": "tsc_",
    "computer_call": "cu_",
    "compaction": "cmp_",
}
_STEPS = {"web_search_call": ("in_progress", "searching", "completed")}


def whole_items(ladder: Ladder, part: Part) -> bytes:
    """Return the events of a part that came entire; nothing for what has no item in this dialect."""
    match part:
        case Hosted():
            return b"".join(_entire(ladder, item) for item in hosted_items(part, id=""))
        case Compaction(blob=blob) if blob is not None:
            return _entire(ladder, {"type": "compaction", "id": blob.item_id, "encrypted_content": sealed(blob)})
        case Image(data=data) if data:
            return _entire(ladder, {"type": "image_generation_call", "status": "completed", "result": data})
        case Opaque(dialect=dialect) if dialect == NAME:
            return _entire(ladder, part.raw)
    return b""


def action_item(ladder: Ladder, kind: str, args: str, *, call_id: str, name: str, given: str) -> bytes:
    """Return the events of a call whose arguments are an action; as a function if they are none."""
    type_, member = CALL_ITEMS[kind]
    action = _object(args)
    if action is None:
        call = CallItem(ladder, kind="function", given="", call_id=call_id, name=name, namespace="")
        return call.open() + (call.say(args) if args else b"") + call.close()
    item: dict[str, Any] = {"type": type_, "id": given, "call_id": call_id, "status": "completed"}
    if kind == "local_shell":
        action = {"type": "exec", "env": {}, **action}
    elif kind == "tool_search":
        item["execution"] = "client"
    elif kind == "computer":
        item["pending_safety_checks"] = []
    return _entire(ladder, item | {member: action})


def _entire(ladder: Ladder, item: dict[str, Any]) -> bytes:
    kind = str(item.get("type", ""))
    given = item.get("id")
    place = Item(ladder, prefix=_PREFIXES.get(kind, ""), given=given if isinstance(given, str) else "")
    members = {name: value for name, value in item.items() if name != "id"}
    begun = members | {"status": "in_progress"} if "status" in members else members
    added = place.begin(**begun)  # in the order of their sequence numbers
    steps = [ladder.event(f"response.{kind}.{step}", place.at) for step in _STEPS.get(kind, ())]
    return b"".join([added, *steps, place.end(**members)])


def _object(args: str) -> dict[str, Any] | None:
    try:
        read = orjson.loads(args or "{}")
    except orjson.JSONDecodeError:
        return None
    return read if isinstance(read, dict) else None
