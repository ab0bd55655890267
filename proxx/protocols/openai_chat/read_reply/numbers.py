"""Numbers and ids that hold over all choices of one reply."""

from proxx.protocols.hub import ids


class Numbers:
    """Part numbers from 0 without gaps, and call ids of which no two are equal."""

    __slots__ = ("_call_id", "_given", "_next")

    def __init__(self, call_id: str) -> None:
        self._call_id = call_id
        self._next = 0
        self._given: dict[str, int] = {}

    def part(self) -> int:
        """Return the number of the next part."""
        number = self._next
        self._next += 1
        return number

    def call_id(self, id: str, part: int) -> str:
        """Return a call's own id; one that is made if it has none, or if another call has it already."""
        id = id or ids.made(self._call_id, part)
        count = self._given.get(id, 0)
        self._given[id] = count + 1
        return ids.repeated(id, count)
