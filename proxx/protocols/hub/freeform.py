"""Tools whose input is no JSON, or whose declaration has no schema, for upstreams that know functions only.

A custom tool becomes a function with one text argument `input`; shell, local_shell, apply_patch and tool_search become
functions with the schema of their action. Answers come back as what the client declared: `UnwrapFreeform` decodes
`{"input": "..."}` while it streams in. It looks at upstream names, so it stands before the mend that restores names.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from proxx.protocols.hub.events import ArgsDelta, Event, PartClosed, PartOpened
from proxx.protocols.hub.parts import ToolCall
from proxx.protocols.hub.request import ToolSpec

INPUT = "input"

_HEAD = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_COMPACT_HEAD = '{"input":"'
_UNITS = re.compile(  # as much of a JSON string as is sound and complete
    r'(?:[^"\\]++|\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|'
    r"\\u(?![dD][89abAB])[0-9a-fA-F]{4})*+"
)
_UNFINISHED = re.compile(  # an escape that the next piece may complete
    r"\\(?:u[0-9a-fA-F]{0,3}|u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?)?"
)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})(?:(?<=\\u[dD][89abAB]..)\\u([dD][c-fC-F]..))?|\\([^u])")
_LONE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


def wrapper(tool: ToolSpec) -> tuple[str, dict[str, Any]]:
    """Return description and schema of the function that stands for a tool of one of the `WRAPPED` kinds."""
    if tool.kind == "custom":
        return _described(tool), {
            "type": "object",
            "properties": {INPUT: {"type": "string"}},
            "required": [INPUT],
            "additionalProperties": False,
        }
    described, schema = _ACTIONS[tool.kind]
    return tool.description or described, tool.schema or schema


def wrapped_args(text: str) -> str:
    """Return the arguments of the wrapping function for the free text of an earlier call."""
    return json.dumps({INPUT: text}, ensure_ascii=False, separators=(",", ":"))


def sent_args(call: ToolCall) -> str:
    """Return the arguments under which a call of any kind stands in the history of an upstream with functions only."""
    return wrapped_args(call.args) if call.kind == "custom" else call.args


class UnwrapFreeform:
    """The mend that turns calls of wrapping functions back: `kinds` tells by upstream name what kind each tool is; a
    plain set of names means custom tools."""

    __slots__ = ("_kinds", "_open")

    def __init__(self, kinds: Mapping[str, str] | Collection[str]) -> None:
        self._kinds = dict(kinds) if isinstance(kinds, Mapping) else dict.fromkeys(kinds, "custom")
        self._open: dict[int, _Unwrapping] = {}

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events with the wrappers taken off; a call's unread rest comes with its close."""
        told: list[Event] = []
        for event in events:
            if type(event) is PartOpened and event.kind == "call" and event.name in self._kinds:
                told.append(self._opened(event))
            elif type(event) is ArgsDelta and event.part in self._open:
                text = self._open[event.part].feed(event.text)
                if text:
                    told.append(ArgsDelta(event.part, text))
            elif type(event) is PartClosed and event.part in self._open:
                text = self._open.pop(event.part).close()
                if text:
                    told.append(ArgsDelta(event.part, text))
                told.append(event)
            else:
                told.append(event)
        return told

    def _opened(self, event: PartOpened) -> PartOpened:
        kind = self._kinds[event.name]
        if kind == "custom":
            self._open[event.part] = _Unwrapping()
        return msgspec.structs.replace(event, tool_kind=kind)


class _Unwrapping:
    """One call's arguments on their way out of `{"input": "..."}`: `_head` while the opening is read, `_text` inside
    the string, `_over` after it; `_other` collects what has another shape, and is judged when it is whole."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "head"
        self._held = ""

    def feed(self, piece: str) -> str:
        if self._state == "over":
            return ""
        if self._state == "text" and not self._held and '"' not in piece and "\\" not in piece:
            return piece
        self._held += piece
        if self._state == "head":
            self._read_head()
        return self._read_text() if self._state == "text" else ""

    def close(self) -> str:
        return unwrapped(self._held) if self._state in ("head", "other") else ""

    def _read_head(self) -> None:
        opening = _HEAD.match(self._held)
        if opening is not None:
            self._state, self._held = "text", self._held[opening.end() :]
        elif not _COMPACT_HEAD.startswith("".join(self._held.split())):
            self._state = "other"

    def _read_text(self) -> str:
        said: list[str] = []
        while self._held:
            match = _UNITS.match(self._held)
            end = match.end() if match is not None else 0
            said.append(_ESCAPE.sub(_letter, self._held[:end]))
            self._held = self._held[end:]
            if self._held.startswith('"'):
                self._state, self._held = "over", ""
            elif self._held and _UNFINISHED.fullmatch(self._held):
                break
            elif self._held:
                said.append(self._take_unsound())
        return "".join(said)

    def _take_unsound(self) -> str:
        # Half a character reads as the replacement character, as everywhere; a bad escape stays as the model wrote it.
        end, said = (6, "\ufffd") if _LONE.match(self._held) else (2, self._held[:2])
        self._held = self._held[end:]
        return said


def unwrapped(args: str) -> str:
    """Return the free text in whole arguments: the member `input`, else the only text value, else a bare JSON string's
    value, else the arguments as they are."""
    try:
        read = orjson.loads(args)
    except orjson.JSONDecodeError:
        return args
    if isinstance(read, str):
        return read
    if not isinstance(read, dict):
        return args
    if isinstance(read.get(INPUT), str):
        return str(read[INPUT])
    texts = [value for value in read.values() if isinstance(value, str)]
    return texts[0] if len(read) == len(texts) == 1 else args


def _letter(escape: "re.Match[str]") -> str:
    high, low, letter = escape.groups()
    if letter is not None:
        return _LETTERS.get(letter, escape[0])
    if low is not None:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    code = int(high, 16)
    return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)


def _described(tool: ToolSpec) -> str:
    lines = [tool.description, "Put the raw text in `input`."]
    if tool.grammar:
        lines.append(f"The text must follow this {tool.grammar.get('syntax', '')} grammar:")
        lines.append(tool.grammar.get("definition", ""))
    return "\n\n".join(line for line in lines if line)


def _object(required: list[str], /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_TEXTS = {"type": "array", "items": _TEXT}
_ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "shell": (
        "Run commands in a shell on the user's machine and see what they print.",
        _object(["commands"], commands=_TEXTS, timeout_ms=_NUMBER, max_output_length=_NUMBER),
    ),
    "local_shell": (
        "Run one command, given as a list of words, on the user's machine and see what it prints.",
        _object(
            ["command"],
            command=_TEXTS,
            timeout_ms=_NUMBER,
            working_directory=_TEXT,
            env={"type": "object", "additionalProperties": _TEXT},
            user=_TEXT,
        ),
    ),
    "apply_patch": (
        "Create, update or delete one file; `diff` is in the V4A format and needed unless the file is deleted.",
        _object(
            ["type", "path"],
            type={"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
            path=_TEXT,
            diff=_TEXT,
        ),
    ),
    "tool_search": (
        "Search for further tools by what they should do.",
        _object(["query"], query=_TEXT, limit=_NUMBER),
    ),
}
WRAPPED = frozenset({"custom", *_ACTIONS})
