"""An answer in a given form from a model that has no such setting: the form becomes a tool, its call the answer.

The model is offered one more tool, whose arguments are the answer. `AnswerAsText` turns the call back into text, so
that the client never hears of it. Where the client's own tools are offered too, a call of one of them is demanded, not
of the answer's tool, so that they stay of use.
"""

from collections.abc import Collection, Sequence

import msgspec

from proxx.protocols.hub.events import ArgsDelta, Event, Finished, PartOpened, TextDelta
from proxx.protocols.hub.request import OutputWish, ToolSpec

ANSWER_TOOL = "structured_output"
JSON_ONLY = "Answer with one JSON object only, without any text around it."

_DESCRIPTION = "Gives the final answer to the user. Call it once, when the answer is complete."
_NO_SCHEMA: dict[str, object] = {"type": "object", "properties": {}}


def answer_tool(output: OutputWish, *, taken: Collection[str]) -> ToolSpec:
    """Return the tool whose arguments are the answer, under a name that is not among those taken."""
    name, number = ANSWER_TOOL, 2
    while name in taken:
        name, number = f"{ANSWER_TOOL}_{number}", number + 1
    description = f"{_DESCRIPTION} {output.description}".rstrip()
    return ToolSpec("function", name, "", description=description, schema=output.schema or dict(_NO_SCHEMA))


class AnswerAsText:
    """Turns the call of the answer's tool into the text of the answer; other calls pass.

    A second answer in the same reply is left out: a client that asked for one document cannot read two.
    """

    __slots__ = ("_answer", "_calls", "_left_out", "_name", "_numbers")

    def __init__(self, name: str) -> None:
        self._name = name
        self._answer = -1
        self._left_out: set[int] = set()
        self._numbers: dict[int, int] = {}  # of parts after one that was left out: parts are numbered without gaps
        self._calls = False

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Take events as they come; return them mended."""
        told: list[Event] = []
        for event in events:
            match event:
                case PartOpened():
                    self._opened(event, told)
                case ArgsDelta(part=part, text=text) if part == self._answer:
                    told.append(TextDelta(part, text))
                case Finished(reason="tool_calls") if self._answer >= 0 and not self._calls:
                    told.append(msgspec.structs.replace(event, reason="stop"))
                case _ if self._left_out and hasattr(event, "part"):
                    self._renumbered(event, told)
                case _:
                    told.append(event)
        return told

    def _opened(self, event: PartOpened, told: list[Event]) -> None:
        answers = event.kind == "call" and event.name == self._name
        if answers and self._answer >= 0:
            self._left_out.add(event.part)
            return
        number = self._numbers[event.part] = event.part - len(self._left_out)
        if answers:
            self._answer = event.part
            told.append(PartOpened(number, "text", event.choice))
            return
        self._calls = self._calls or event.kind == "call"
        told.append(event if number == event.part else msgspec.structs.replace(event, part=number))

    def _renumbered(self, event: Event, told: list[Event]) -> None:
        part: int = getattr(event, "part")  # noqa: B009 - the union's other members have none
        if part not in self._left_out:
            told.append(msgspec.structs.replace(event, part=self._numbers.get(part, part)))
