"""Input items -> turns. An item is known by its `type` first: a role alone makes no message of it."""

from collections.abc import Callable

import msgspec

from proxx.protocols.hub.blobs import received
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.parts import (
    Compaction,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from proxx.protocols.hub.request import ToolSpec
from proxx.protocols.openai_responses.dialect import CALL_ITEMS, HOSTED_ITEMS, NAME, OUTPUT_ITEMS, SUMMARY_BY
from proxx.protocols.openai_responses.hosted import read_hosted
from proxx.protocols.openai_responses.read_request.content import picture, read_content
from proxx.protocols.openai_responses.read_request.tools import read_tools
from proxx.protocols.openai_responses.read_request.turns import Turns
from proxx.protocols.openai_responses.read_request.typed import invalid, kinds, missing, objects, read

ROLES = ("user", "assistant", "system", "developer")
_KIND_OF_CALL = {item: kind for kind, (item, _) in CALL_ITEMS.items()}
_KIND_OF_OUTPUT = {item: kind for kind, item in OUTPUT_ITEMS.items()}


class _Message(msgspec.Struct):
    role: str
    content: str | list[msgspec.Raw] | None = None
    phase: str | None = None


class _Piece(msgspec.Struct):
    text: str = ""


class _Reasoning(msgspec.Struct):
    id: str | None = None
    summary: list[_Piece] | None = None
    content: list[_Piece] | None = None
    encrypted_content: str | None = None


class _Call(msgspec.Struct):
    call_id: str | None = None
    id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    action: msgspec.Raw = msgspec.Raw()
    actions: msgspec.Raw = msgspec.Raw()
    operation: msgspec.Raw = msgspec.Raw()
    execution: str | None = None


class _Output(msgspec.Struct):
    call_id: str | None = None
    id: str | None = None
    output: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    status: str | None = None


class _Screenshot(msgspec.Struct):
    image_url: str | None = None


class _Tools(msgspec.Struct):
    tools: list[msgspec.Raw] | None = None


class _Compaction(msgspec.Struct):
    encrypted_content: str = ""
    id: str | None = None


_message = msgspec.json.Decoder(_Message)
_reasoning = msgspec.json.Decoder(_Reasoning)
_call = msgspec.json.Decoder(_Call)
_output = msgspec.json.Decoder(_Output)
_said = msgspec.json.Decoder(str | list[msgspec.Raw] | None)
_words = msgspec.json.Decoder(str)
_anything = msgspec.json.Decoder()
_screenshot = msgspec.json.Decoder(_Screenshot)
_tools = msgspec.json.Decoder(_Tools)
_tool_list = msgspec.json.Decoder(list[msgspec.Raw])
_compaction = msgspec.json.Decoder(_Compaction)


class Items:
    """Reads items one after another; afterwards `tools` are those that items declared, `compact` whether one asked
    for a compaction."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.tools: list[ToolSpec] = []
        self.compact = False

    def read_all(self, items: list[msgspec.Raw]) -> list[Turn]:
        """Read the items; return their turns."""
        for number, raw in enumerate(items):
            self._read(bytes(raw), f"input[{number}]")
        return self.turns.all()

    def _read(self, raw: bytes, where: str) -> None:
        found = read(kinds, raw, where)
        kind = found.type or ("message" if found.role else "")
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, raw, where)
        elif kind in _KIND_OF_CALL:
            self._read_call(_KIND_OF_CALL[kind], raw, where)
        elif kind in _KIND_OF_OUTPUT:
            self._read_output(_KIND_OF_OUTPUT[kind], raw, where)
        elif kind in HOSTED_ITEMS:
            self.turns.model(read_hosted(read(objects, raw, where)))
        elif kind:
            self._read_unknown(kind, raw, where)
        else:
            raise missing(f"{where}.type")

    def _read_unknown(self, kind: str, raw: bytes, where: str) -> None:
        opaque = Opaque(read(objects, raw, where), NAME)
        if kind.endswith(("_output", "_response")):
            self.turns.message("user", (opaque,))
        else:
            self.turns.model(opaque)

    def _read_message(self, raw: bytes, where: str) -> None:
        item = read(_message, raw, where)
        if item.role not in ROLES:
            raise invalid(f"{where}.role", f"'{item.role}' is none of {', '.join(ROLES)}")
        if item.content is None:
            raise missing(f"{where}.content")
        parts = read_content(item.content, f"{where}.content")
        if item.role == "assistant":
            self.turns.said(parts, item.phase or "")
        else:
            self.turns.message(item.role, parts)

    def _read_reasoning(self, raw: bytes, where: str) -> None:
        item = read(_reasoning, raw, where)
        text = "".join(piece.text for piece in item.content or ())
        summary = tuple(piece.text for piece in item.summary or ())
        id, told = item.id or "", item.encrypted_content
        blob = received(told, kind="encrypted", dialect=NAME, item_id=id) if told else None
        if text or summary or blob:
            self.turns.model(Reasoning(text, summary, blob, id))

    def _read_call(self, kind: str, raw: bytes, where: str) -> None:
        item = read(_call, raw, where)
        if kind == "tool_search" and item.execution != "client":
            self.turns.model(read_hosted(read(objects, raw, where)))
            return
        call_id = item.call_id or (item.id if kind == "local_shell" else None)
        if not call_id:
            raise missing(f"{where}.call_id")
        name = item.name if kind in ("function", "custom") else kind
        if not name:
            raise missing(f"{where}.name")
        args = _args_of(item, kind, where)
        self.turns.model(ToolCall(call_id, name, args, item.namespace or "", kind, item_id=item.id or ""))

    def _read_output(self, kind: str, raw: bytes, where: str) -> None:
        item = read(_output, raw, where)
        if kind == "tool_search":
            self._read_found_tools(item, raw, where)
            return
        call_id = item.call_id or (item.id if kind == "local_shell" else None)
        if not call_id:
            raise missing(f"{where}.call_id")
        told = bytes(item.output)
        if kind == "shell" and told.startswith(b"["):
            parts: tuple[object, ...] = (Text(told.decode(errors="replace")),)
        elif kind == "computer":
            shot = read(_screenshot, told or b"{}", f"{where}.output").image_url
            parts = (picture(shot, f"{where}.output.image_url"),) if shot else ()
        else:
            parts = read_content(read(_said, told or b"null", f"{where}.output"), f"{where}.output")
        failed = True if kind == "apply_patch" and item.status == "failed" else None
        self.turns.result(ToolResult(call_id, parts, kind=kind, is_error=failed))  # type: ignore[arg-type]

    def _read_found_tools(self, item: _Output, raw: bytes, where: str) -> None:
        told = bytes(item.tools) or b"[]"
        self.tools += read_tools(read(_tool_list, told, f"{where}.tools"), f"{where}.tools")
        if item.call_id:
            self.turns.result(ToolResult(item.call_id, (Text(told.decode(errors="replace")),), kind="tool_search"))
        else:
            self.turns.model(read_hosted(read(objects, raw, where)))

    def _read_tools(self, raw: bytes, where: str) -> None:
        self.tools += read_tools(read(_tools, raw, where).tools or [], f"{where}.tools")

    def _read_compaction(self, raw: bytes, where: str) -> None:
        item = read(_compaction, raw, where)
        blob = received(item.encrypted_content, kind="compaction", dialect=NAME, item_id=item.id or "")
        if blob.dialect == SUMMARY_BY:
            self.turns.message("developer", (Text(f"Summary of the conversation so far:\n\n{blob.value}"),))
        else:
            self.turns.model(Compaction(blob=blob))

    def _read_trigger(self, raw: bytes, where: str) -> None:
        self.compact = True

    def _read_reference(self, raw: bytes, where: str) -> None:
        id = read(objects, raw, where).get("id")
        raise Unreadable(f"Item with id '{id}' not found.", code="item_not_found", param=where)


def _args_of(item: _Call, kind: str, where: str) -> str:
    member = CALL_ITEMS[kind][1]
    raw = bytes(getattr(item, member)) or (bytes(item.actions) if kind == "computer" else b"")
    if kind in ("function", "custom"):
        if not raw:
            raise missing(f"{where}.{member}")
        return read(_words, raw, f"{where}.{member}")
    if raw[:1] == b'"':  # an action as text in its member's place
        return read(_words, raw, f"{where}.{member}")
    read(_anything, raw or b"{}", f"{where}.{member}")
    return raw.decode(errors="replace") if raw else "{}"


_READERS: dict[str, Callable[[Items, bytes, str], None]] = {
    "message": Items._read_message,
    "reasoning": Items._read_reasoning,
    "additional_tools": Items._read_tools,
    "compaction": Items._read_compaction,
    "compaction_summary": Items._read_compaction,
    "compaction_trigger": Items._read_trigger,
    "item_reference": Items._read_reference,
}
