"""Calls of tools as they arrive in fragments, several at once, told apart by their index alone.

A call is opened when its id and name are sure to be whole: with its first arguments, or when something else begins.
It is closed when another part begins and its arguments are a complete object, else at the end: some servers interleave.
"""

import orjson

from proxx.protocols.hub.arguments import NoObject, object_of
from proxx.protocols.hub.events import ArgsDelta, BlobGiven, Event, PartClosed, PartOpened
from proxx.protocols.hub.parts import Blob
from proxx.protocols.openai_chat.read_reply.chunks import Call
from proxx.protocols.openai_chat.read_reply.numbers import Numbers
from proxx.protocols.openai_chat.slots import read_signature


class OpenCall:
    """One call while its fragments arrive."""

    __slots__ = ("_held", "_numbers", "_pieces", "_plain", "blob", "closed", "id", "kind", "name", "part")

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._held = ""  # arguments that are not told yet
        self._pieces: list[str] = []
        self._plain = False
        self.blob: Blob | None = None
        self.closed = False
        self.id = self.name = ""
        self.kind = "function"
        self.part = -1

    def take(self, call: Call, events: list[Event]) -> None:
        """Add one fragment. What is said once is not said again; a name grows only while there are no arguments."""
        if call.id and not self.id:
            self.id = call.id
        if call.custom is not None:
            self.kind, self._plain = "custom", True
            self._add(call.custom.name, call.custom.input, events)
        elif call.function is not None:
            self._add(call.function.name, call.function.arguments, events)
        if call.extra_content is not None:
            self._sign(read_signature(call.extra_content), events)

    def more(self, args: str, events: list[Event]) -> bool:
        """Add arguments alone to an open call; return False where they must be looked at."""
        if not self._plain or self.part < 0 or self.closed or not args:
            return False
        self._pieces.append(args)
        events.append(ArgsDelta(self.part, args))
        return True

    def open(self, choice: int, events: list[Event]) -> None:
        """Open the part with what is known; an id is made if none came."""
        if self.part >= 0:
            return
        self.part = self._numbers.part()
        told = self._numbers.call_id(self.id, self.part)
        events.append(PartOpened(self.part, "call", choice, told, self.name, tool_kind=self.kind))
        if self.blob is not None:
            events.append(BlobGiven(self.part, self.blob))
        self._release(events)

    @property
    def begun(self) -> bool:
        """Whether arguments have come."""
        return bool(self._pieces)

    def is_ready(self) -> bool:
        """Tell whether the call can be opened: all is known, and arguments have begun."""
        return bool(self.part < 0 and self.id and self.name and self._pieces)

    def is_complete(self) -> bool:
        """Tell whether nothing can follow: the arguments are a complete object."""
        if self.part < 0 or not self._pieces or self.kind != "function":
            return False
        text = "".join(self._pieces)
        if not text.rstrip().endswith("}"):
            return False
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        return True

    def close(self, choice: int, events: list[Event]) -> None:
        """Close the part, with whatever of its arguments was held back."""
        self.open(choice, events)
        if self.closed:
            return
        self.closed = True
        if self._held:
            events.append(ArgsDelta(self.part, self._unwrapped()))
        events.append(PartClosed(self.part))

    def _add(self, name: str | None, args: str | None, events: list[Event]) -> None:
        if name and not self._pieces and name != self.name:
            self.name += name
        if not args or self.closed:
            return
        self._pieces.append(args)
        if self._plain and self.part >= 0:
            events.append(ArgsDelta(self.part, args))
            return
        self._held += args
        if self.part >= 0:
            self._release(events)

    def _release(self, events: list[Event]) -> None:
        """Tell the held arguments, unless they look wrapped in a string or in an object of name and arguments (D11):
        then they are judged when they are whole."""
        if not self._plain:
            begun = "".join(self._held[:256].split())
            wrapper = f'{{"name":"{self.name}"'
            if not begun or begun[0] == '"' or wrapper.startswith(begun) or begun.startswith(wrapper):
                return
            self._plain = True
        if self._held:
            events.append(ArgsDelta(self.part, self._held))
            self._held = ""

    def _unwrapped(self) -> str:
        held, self._held = self._held, ""
        try:
            return object_of(held, self.name)
        except NoObject:
            return held

    def _sign(self, blob: Blob | None, events: list[Event]) -> None:
        if blob is None:
            return
        self.blob = blob
        if self.part >= 0 and not self.closed:
            events.append(BlobGiven(self.part, blob))
