"""Repair what clients leave in a history of calls and results, so that the strictest upstream takes it.

After `repaired` every call has an id of its own and, unless it stands in the very last turn, exactly one result; all
results of a turn stand together in the user turn right after it, first and in the order of the calls, and know the name
of their call. Whatever had to be invented or dropped for that is noted.
"""

from collections.abc import Iterable, Sequence

import msgspec

from proxx.protocols.hub import ids
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Part, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.request import ToolSpec

NO_RESULT = "[no result recorded]"
EMPTY_SCHEMA = {"type": "object", "properties": {}}

_FIELD = "messages[].tool_results"


def repaired(turns: Sequence[Turn], losses: Losses) -> tuple[Turn, ...]:
    """Return the turns with calls and results in order."""
    if not any(isinstance(part, ToolCall | ToolResult) for turn in turns for part in turn.parts):
        return tuple(turns)
    book = _Book(turns, losses)
    told: list[Turn] = []
    waiting: list[ToolResult] = []  # results that open the next user turn
    for number, turn in enumerate(turns):
        parts = book.parts[number]
        if waiting and not (turn.role == "user" and book.had_results[number]):
            told.append(Turn("user", tuple(waiting)))
            waiting = []
        if waiting or parts or not turn.parts:
            told.append(msgspec.structs.replace(turn, parts=(*waiting, *parts)))
            waiting = []
        if turn.role == "assistant":
            waiting = book.results(number, losses)
    if waiting:
        told.append(Turn("user", tuple(waiting)))
    return tuple(told)


def merged(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the turns with consecutive ones of one role made one, for upstreams whose roles must alternate."""
    told: list[Turn] = []
    for turn in turns:
        if told and told[-1].role == turn.role:
            before = told[-1]
            told[-1] = msgspec.structs.replace(
                before, parts=before.parts + turn.parts, phase=before.phase or turn.phase
            )
        else:
            told.append(turn)
    return tuple(told)


def undeclared(turns: Iterable[Turn], tools: Sequence[ToolSpec], *, dialect: str) -> tuple[ToolSpec, ...]:
    """Return functions without parameters for tools that the history calls and nobody declares any more (D29)."""
    known = {(tool.namespace, tool.name) for tool in tools}
    called = (part for turn in turns for part in turn.parts if isinstance(part, ToolCall))
    found: dict[tuple[str, str], ToolSpec] = {}
    for call in called:
        key = (call.namespace, call.name)
        if key not in known and key not in found:
            found[key] = ToolSpec("function", call.name, dialect, namespace=call.namespace, schema=EMPTY_SCHEMA)
    return tuple(found.values())


class _Entry:
    """One call of the history and what was answered to it."""

    __slots__ = ("call", "result", "turn")

    def __init__(self, turn: int, call: ToolCall) -> None:
        self.turn, self.call = turn, call
        self.result: ToolResult | None = None


class _Book:
    """Who called whom: `parts` are the turns' parts without matched results, ids filled in."""

    def __init__(self, turns: Sequence[Turn], losses: Losses) -> None:
        self._losses = losses
        self._last = len(turns) - 1
        self._given = {part.id for turn in turns for part in turn.parts if isinstance(part, ToolCall) and part.id}
        self._by_turn: dict[int, list[_Entry]] = {}
        self._by_id: dict[str, list[_Entry]] = {}  # under the ids as the client wrote them
        self.parts: list[list[Part]] = []
        self.had_results: list[bool] = []
        for number, turn in enumerate(turns):
            self.had_results.append(any(isinstance(part, ToolResult) for part in turn.parts))
            self.parts.append([known for part in turn.parts for known in self._entered(number, part)])

    def results(self, number: int, losses: Losses) -> list[ToolResult]:
        """Return the results of a turn's calls, one for each, in order."""
        found = []
        for entry in self._by_turn.get(number, ()):
            if entry.result is not None:
                found.append(_named(entry.result, entry.call))
            elif number < self._last:
                losses.drop(_FIELD, "a call had no result and got an empty one")
                found.append(_named(ToolResult("", (Text(NO_RESULT),), is_error=True), entry.call))
        return found

    def _entered(self, number: int, part: Part) -> list[Part]:
        if isinstance(part, ToolCall):
            return [self._called(number, part)]
        return self._answered(part) if isinstance(part, ToolResult) else [part]

    def _called(self, number: int, call: ToolCall) -> ToolCall:
        own = self._by_turn.setdefault(number, [])
        id = call.id or self._made(number, len(own), call)
        same = self._by_id.setdefault(id, [])
        entry = _Entry(number, msgspec.structs.replace(call, id=self._unlike(id, len(same))))
        same.append(entry)
        own.append(entry)
        return entry.call

    def _made(self, turn: int, place: int, call: ToolCall) -> str:
        made = ids.made(turn, place, call.name, call.args)
        while made in self._given:
            made = ids.made(made)
        self._given.add(made)
        return made

    def _unlike(self, id: str, count: int) -> str:
        unlike = ids.repeated(id, count)
        while count and unlike in self._given:
            unlike = ids.repeated(unlike, count)
        self._given.add(unlike)
        return unlike

    def _answered(self, result: ToolResult) -> list[Part]:
        entries = self._by_id.get(result.call_id, []) if result.call_id else self._latest(result)
        entry = next((one for one in entries if one.result is None), None)
        if entry is None and not entries:
            self._losses.drop(_FIELD, "a result had no call and is sent as text")
            return [Text(f"[result of {result.name or 'a tool'}]"), *result.parts]
        if entry is None:
            self._losses.drop(_FIELD, "a call had two results and the last one counts")
            entry = entries[-1]
        entry.result = result
        return []

    def _latest(self, result: ToolResult) -> list[_Entry]:
        """Return the calls that a result without an id may belong to, the likeliest first."""
        if not self._by_turn:
            return []
        turn = self._by_turn[max(self._by_turn)]
        earlier = [entry for number in self._by_turn for entry in self._by_turn[number]]
        same = [entry for entry in turn if entry.call.name == result.name]
        waiting = [entry for entry in [*same, *turn, *earlier] if entry.result is None]
        return waiting or same[-1:]


def _named(result: ToolResult, call: ToolCall) -> ToolResult:
    return msgspec.structs.replace(result, call_id=call.id, name=call.name, namespace=call.namespace, kind=call.kind)
