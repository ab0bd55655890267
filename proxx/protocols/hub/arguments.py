"""A call's arguments as a JSON object, for dialects that carry objects and not text. Key order and the spelling of
numbers stay as the model wrote them: what is returned is text.
"""

import re

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.losses import Losses

INVALID = "_invalid_arguments"  # the only key of arguments in a history that could not be mended

_WRAPPERS = (frozenset(("name", "arguments")), frozenset(("name", "parameters")))
_LONGEST_NESTING = 64  # open brackets that are closed; more of them are no arguments
_OPEN_STRING = re.compile(r'"(?:[^"\\]|\\.)*+\\?\Z', re.DOTALL)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


class NoObject(ValueError):
    """Arguments that are no JSON object, where the answer needs one: cut off, or the model's mistake."""


def object_of(args: str, name: str = "") -> str:
    """Return the arguments of an answer's call as the text of an object; raise `NoObject`.

    Nothing said is `{}` (D5). An object inside a string, or inside {"name", "arguments"} of the same `name`, is taken
    out once (D11). Nothing is mended: a call that was cut off must not be run.
    """
    if not args.strip():
        return "{}"
    found = _read(args)
    if found is None:
        inner = _string(args)
        found = None if inner is None else _read(inner)
        if found is None:
            raise NoObject(f"The arguments of a call of '{name}' are not a JSON object.")
        args = str(inner)
    if frozenset(found) in _WRAPPERS and name and _string(bytes(found["name"]).decode()) == name:
        return _taken_out(found) or args
    return args


def history_object(args: str, name: str, losses: Losses) -> str:
    """Return the arguments of an earlier call as the text of an object, whatever they are (D12).

    Open strings and brackets are closed; what is no object even then is put under one key, and that is noted.
    """
    try:
        return object_of(args, name)
    except NoObject:
        closed = _closed(args)
    if closed is not None:
        return closed
    losses.drop("tool_calls[].arguments", "not a JSON object and sent as text")
    return msgspec.json.encode({INVALID: args}).decode()


def _read(text: str) -> dict[str, msgspec.Raw] | None:
    try:
        return decode(_members, text.encode(errors="replace"))
    except FAULTS:
        return None


def _string(text: str) -> str | None:
    try:
        return decode(_text, text.encode(errors="replace"))
    except FAULTS:
        return None


def _taken_out(found: dict[str, msgspec.Raw]) -> str:
    inner = bytes(found.get("arguments", found.get("parameters", msgspec.Raw()))).decode()
    text = _string(inner) or inner
    return text if _read(text) is not None else ""


def _closed(args: str) -> str | None:
    """Return the text with its open string and brackets closed; None if it is no object even so."""
    if _OPEN_STRING.search(_STRINGS.sub(lambda found: "_" * len(found[0]), args)):
        args = _HALF_ESCAPE.sub("", args) + '"'
    ends = []
    for sign in _STRINGS.sub("", args):
        if sign in "{[":
            ends.append("}" if sign == "{" else "]")
        elif sign in "}]" and ends:
            ends.pop()
    if not ends or len(ends) > _LONGEST_NESTING:
        return None
    tail = "".join(reversed(ends))
    for text in (args, args.rstrip().rstrip(","), args.rstrip().rstrip(":") + ":null"):
        if _read(text + tail) is not None:
            return text + tail
    return None
