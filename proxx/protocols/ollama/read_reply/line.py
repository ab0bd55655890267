"""One line of a reply, or a whole one: the same object in both, of /api/chat and of /api/generate."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.events import Usage

NO_LINE = "a line that is not of an Ollama answer"
LOCAL = ("load", "unload")  # done reasons of a request without messages

NOTHING = (b"", b"null", b'""', b"false", b"{}", b"[]")  # what stands where nothing is
_MOST = 2**40  # tokens; what is more is no count


class Function(msgspec.Struct):
    """The call's own words; arguments are an object, with imitators also its text."""

    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw()


class Call(msgspec.Struct):
    """A tool call, always whole."""

    function: Function
    id: str | None = None


class Message(msgspec.Struct):
    """What /api/chat says."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None


class Mark(msgspec.Struct):
    """What tells how a reply stands."""

    done: bool | None = None
    done_reason: str | None = None
    model: str | None = None
    prompt_eval_count: msgspec.Raw = msgspec.Raw()
    eval_count: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class Line(Mark):
    """Everything of a line that is translated."""

    message: Message | None = None
    response: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    created_at: str | None = None
    logprobs: list[dict[str, Any]] | None = None

    def said(self) -> Message:
        """Return what the line says, in whichever place it stands."""
        if self.message is not None:
            return self.message
        return Message(self.response, self.thinking, self.tool_calls)


_line = msgspec.json.Decoder(Line)
_anything = msgspec.json.Decoder()
_number = msgspec.json.Decoder(int | float)


def read_line(data: bytes) -> Line | None:
    """Return a line's object; None for what is none of this dialect."""
    try:
        return decode(_line, data)
    except FAULTS:
        return None


def error_of(line: Mark) -> dict[str, object] | None:
    """Return the error that a line is, with its `message`; None for all others."""
    raw = bytes(line.error)
    if raw in NOTHING:
        return None
    try:
        found = decode(_anything, raw)
    except FAULTS:
        found = raw.decode(errors="replace")
    return found if isinstance(found, dict) else {"message": str(found)}


def usage_of(line: Mark) -> Usage | None:
    """Return the counts of a last line: one that is missing was 0 at best, and then they are estimated (D123).

    None for a model that was only loaded or unloaded.
    """
    into, out = _count(line.prompt_eval_count), _count(line.eval_count)
    if into is None and out is None and line.done_reason in LOCAL:
        return None
    return Usage(input_total=into or 0, output_total=out or 0, estimated=into is None or out is None)


def _count(raw: msgspec.Raw) -> int | None:
    if bytes(raw) in NOTHING:
        return None
    try:
        number = decode(_number, bytes(raw))
    except FAULTS:
        return None
    return int(number) if number == int(number) and 0 <= number < _MOST else None
