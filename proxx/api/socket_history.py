"""What a Responses socket remembers: its last few responses, so that a client sends only what is new.

It is the connection's own memory, so it also holds responses made with `store: false`; nothing of it outlives the
socket.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from proxx.gateway import kept, recall
from proxx.gateway.errors import BadRequest
from proxx.protocols.framing.lenient import FAULTS, decode

REMEMBERED = 4  # responses of one socket

Members = dict[str, msgspec.Raw]

_NOT_SENT = ("type", "generate", "stream", "background", "previous_response_id", "input")


class _Frame(msgspec.Struct):
    type: str = ""
    generate: bool | None = None
    previous_response_id: str | None = None
    input: str | list[msgspec.Raw] | None = None


class _Item(msgspec.Struct):
    type: str = ""
    call_id: str = ""


class Ask(msgspec.Struct):
    """One request of a socket: its body as if it had come over HTTP, its whole input, and whether it wants an
    answer."""

    body: bytes
    items: list[msgspec.Raw]
    members: Members
    generate: bool


_frame = msgspec.json.Decoder(_Frame)
_members = msgspec.json.Decoder(Members)
_item = msgspec.json.Decoder(_Item)


class History:
    """The responses of one socket."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, list[msgspec.Raw]] = OrderedDict()
        self._last: Members = {}  # what the last request said beside its input

    def asked(self, text: bytes) -> Ask:
        """Read a frame; raise `BadRequest` for one that is none of ours."""
        try:
            frame, members = decode(_frame, text), decode(_members, text)
        except msgspec.ValidationError as fault:
            raise BadRequest(f"This frame cannot be read: {fault}") from None
        except FAULTS:
            raise BadRequest("This frame is not valid JSON.") from None
        if frame.type not in ("response.create", "response.append"):
            raise BadRequest(f"A frame of type '{frame.type[:100]}' is not known here.", param="type")
        previous = frame.previous_response_id or ""
        if frame.type == "response.append":
            if not self._items:
                raise BadRequest("There is no response on this socket to append to.", param="type")
            previous = previous or next(reversed(self._items))
            members = self._last | members
        own = {name: raw for name, raw in members.items() if name not in _NOT_SENT}
        items = recall.items_of_input(frame.input)
        before = self._items.get(previous)
        if before is not None:
            items = [*before, *items]
        elif not previous and self._items:
            items = with_calls(items, self._items[next(reversed(self._items))])
        body: dict[str, Any] = {**own, "stream": True}
        if frame.input is not None or before is not None:
            body["input"] = items
        if before is None and previous:
            body["previous_response_id"] = previous
        return Ask(msgspec.json.encode(body), items, own, frame.generate is not False)

    def remember(self, ask: Ask, id: str, output: list[msgspec.Raw]) -> None:
        """Remember a response under its id."""
        self._last = ask.members
        self._items[id] = [*ask.items, *output]
        if len(self._items) > REMEMBERED:
            self._items.popitem(last=False)


def with_calls(items: list[msgspec.Raw], before: list[msgspec.Raw]) -> list[msgspec.Raw]:
    """Return the items with the calls, from those before, of outputs that came without them (F-004)."""
    named = {place: _call_id(raw) for place, raw in enumerate(items)}
    calls = {id for is_output, id in named.values() if id and not is_output}
    wanted = [id for is_output, id in named.values() if is_output and id and id not in calls]
    if not wanted:
        return items
    known: Mapping[str, msgspec.Raw] = {id: raw for raw in before for is_output, id in [_call_id(raw)] if not is_output}
    return [*(known[id] for id in wanted if id in known), *items]


def output_of(resource: bytes) -> list[msgspec.Raw]:
    """Return the output items of a resource; none where it has none."""
    try:
        return kept.items_of(resource)
    except FAULTS:
        return []


def _call_id(raw: msgspec.Raw) -> tuple[bool, str]:
    try:
        item = decode(_item, bytes(raw))
    except FAULTS:
        return False, ""
    return item.type.endswith("_output"), item.call_id
