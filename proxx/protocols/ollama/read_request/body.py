"""The shapes of a request's body: what is decoded, and how a wrong type is told."""

import re
from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable


class Function(msgspec.Struct):
    """A declared function."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(msgspec.Struct):
    """A declared tool; the only type is function."""

    function: Function
    type: str = "function"


class Called(msgspec.Struct):
    """The function of an earlier call."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw()


class Call(msgspec.Struct):
    """An earlier call."""

    function: Called
    id: str | None = None


class Message(msgspec.Struct):
    """One message; content is text alone, pictures stand beside it."""

    role: str
    content: str | None = None
    images: list[str] | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Body(msgspec.Struct):
    """Everything that is read of a body, of both forms."""

    messages: list[Message] | None = None
    tools: list[Tool] | None = None
    prompt: str | None = None
    system: str | None = None
    suffix: str | None = None
    template: str | None = None
    raw: bool | None = None
    images: list[str] | None = None
    context: list[int] | None = None
    format: str | dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    think: bool | str | None = None
    keep_alive: str | int | float | None = None
    truncate: bool | None = None
    shift: bool | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


_BOTH = ("model", "stream", "format", "options", "think", "keep_alive", "truncate", "shift", "logprobs", "top_logprobs")
KNOWN = {
    "chat": frozenset((*_BOTH, "messages", "tools")),
    "generate": frozenset((*_BOTH, "prompt", "system", "suffix", "template", "raw", "images", "context")),
}

_body = msgspec.json.Decoder(Body)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder()
_FAULT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>[^`]*)`)?\Z", re.DOTALL)


def read_body(data: bytes) -> Body:
    """Return the body; raise `Unreadable` naming the field at fault."""
    try:
        return decode(_body, data)
    except msgspec.ValidationError as fault:
        raise unreadable(str(fault)) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None


def unknown(data: bytes, form: str) -> dict[str, Any]:
    """Return the members of a body that its form does not know."""
    try:
        members = decode(_members, data)
        return {name: decode(_anything, bytes(raw)) for name, raw in members.items() if name not in KNOWN[form]}
    except FAULTS:  # what is wrong with a name that nobody reads is found only here
        raise Unreadable("The body is not valid JSON.") from None


def unreadable(fault: str, within: str = "") -> Unreadable:
    """Return a decoder's complaint in our own words; `within` is the member that was decoded by itself."""
    found = _FAULT.match(fault)
    what, where = (found["what"], found["where"] or "") if found else (fault, "")
    where = ".".join(one for one in (within, where) if one).replace(".[", "[")
    if not where:
        return Unreadable("The body must be a JSON object.")
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        where = f"{where}.{missing[1]}"
        return Unreadable(f"'{where}' is missing.", code="missing_required_parameter", param=where)
    return Unreadable(f"Invalid type for '{where}'.", code="invalid_type", param=where)
