"""The ladder of events: sequence numbers without gaps, dense places in the output, and the items that are done."""

from typing import Any

from proxx.protocols.framing.encode import encoded
from proxx.protocols.openai_responses.write_reply.failure import event


class Ladder:
    """Numbers of one stream, and its output so far."""

    __slots__ = ("_hex", "_places", "_sequence", "output")

    def __init__(self, id: str) -> None:
        self._hex = id
        self._sequence = -1
        self._places = 0
        self.output: list[bytes] = []

    def next(self) -> int:
        """Return the next sequence number."""
        self._sequence += 1
        return self._sequence

    def place(self) -> int:
        """Return the next place in the output."""
        self._places += 1
        return self._places - 1

    def new_id(self, prefix: str, place: int) -> str:
        """Return an id for the item at a place: the same in all its events, and whenever this reply is told."""
        return f"{prefix}{self._hex}{place:04x}"

    def event(self, kind: str, at: bytes, **members: Any) -> bytes:
        """Return one event: `at` are written members that say where."""
        said = encoded(members)[1:-1] if members else b""
        return event(kind.encode(), self.next(), at + b"," + said if said else at)

    def resource(self, kind: bytes, resource: bytes) -> bytes:
        """Return an event that holds the resource."""
        return event(kind, self.next(), b'"response":' + resource)

    def item_added(self, at: bytes, item: bytes) -> bytes:
        """Return the event of a new item."""
        place = at[at.index(b'"output_index"') :]
        return event(b"response.output_item.added", self.next(), place + b',"item":' + item)

    def item_done(self, at: bytes, item: bytes) -> bytes:
        """Return the event of an item that is complete; it stands in the output from now on."""
        self.output.append(item)
        place = at[at.index(b'"output_index"') :]
        return event(b"response.output_item.done", self.next(), place + b',"item":' + item)
