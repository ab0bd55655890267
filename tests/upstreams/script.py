"""What a simulated provider is told to say, in no dialect: steps, and the rules that choose them.

A script is a sequence of steps. Dialect files turn steps into bytes, play.py decides when the bytes leave, and
faults.py spoils them. Nothing here knows HTTP.

    say("Hello"), think("Let me see"), call_tool("weather", {"city": "Oslo"}), report_usage(input=9, output=3),
    fail("429", retry_after=7), stall(2), cut()

A `fail` before anything was said answers with the provider's status; later it is an error event inside the
stream. A `stall` before anything was said holds back the headers unless `after_headers` is given; a `cut` closes
the connection right there (`in_frame`: half-way through the next frame).
"""

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FOREVER = math.inf


@dataclass(frozen=True, slots=True)
class Say:
    """Visible text; `pieces` frames in a stream (0: one per word)."""

    text: str
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class Think:
    """Reasoning the provider shows."""

    text: str
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class CallTool:
    """One tool call; arguments as data, or as text when they are meant to be broken."""

    name: str
    arguments: Mapping[str, Any] | str
    id: str = ""
    pieces: int = 3

    @property
    def text(self) -> str:
        """Return the arguments as the text that travels."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ReportUsage:
    """Token counts to report instead of the counted ones; input includes cached, output includes reasoning."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Fail:
    """A fault by the name that faults.py gives it."""

    fault: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence; FOREVER lasts until the client leaves."""

    seconds: float
    after_headers: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends here."""

    in_frame: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the reply ends: stop, length, tools or filter."""

    reason: str


Step = Say | Think | CallTool | ReportUsage | Fail | Stall | Cut | Finish


@dataclass(frozen=True, slots=True)
class Script:
    """Steps, the fault laid over them, and the pause between two frames in seconds."""

    steps: Iterable[Step] = ()
    fault: str = ""
    retry_after: float | None = None
    pace: float = 0.0


@dataclass(slots=True)
class Rule:
    """A script for requests that match; empty conditions match everything; used `times` times."""

    script: Script
    model: str = ""
    key: str = ""
    text: str = ""
    times: float = 1

    def matches(self, *, model: str, key: str, text: str) -> bool:
        """Say whether a request with this model, key and last user text is meant."""
        return (
            self.times > 0
            and self.model in ("", model)
            and self.key in ("", key)
            and (not self.text or self.text in text)
        )


@dataclass(slots=True)
class Scripts:
    """The rules in force, oldest first."""

    rules: list[Rule] = field(default_factory=list)

    def take(self, *, model: str, key: str, text: str) -> Script | None:
        """Return the script of the first rule that matches and use it up once."""
        for rule in list(self.rules):
            if rule.matches(model=model, key=key, text=text):
                rule.times -= 1
                if rule.times <= 0:
                    self.rules.remove(rule)
                return rule.script
        return None


def say(text: str, *, pieces: int = 0) -> Say:
    """Say this, word by word in a stream, or in that many pieces."""
    return Say(text, pieces)


def think(text: str, *, pieces: int = 0) -> Think:
    """Show this reasoning."""
    return Think(text, pieces)


def call_tool(name: str, arguments: Mapping[str, Any] | str, *, id: str = "", pieces: int = 3) -> CallTool:
    """Call a tool; without `id` the dialect makes one."""
    return CallTool(name, arguments, id, pieces)


def report_usage(*, input: int, output: int, cached: int = 0, reasoning: int = 0) -> ReportUsage:
    """Report these counts."""
    return ReportUsage(input, output, cached, reasoning)


def fail(fault: str, *, retry_after: float | None = None) -> Fail:
    """Fail in this way."""
    return Fail(fault, retry_after)


def stall(seconds: float = FOREVER, *, after_headers: bool = False) -> Stall:
    """Be silent that long."""
    return Stall(seconds, after_headers)


def cut(*, in_frame: bool = False) -> Cut:
    """Close the connection here."""
    return Cut(in_frame)


def finish(reason: str) -> Finish:
    """End for this reason instead of the natural one."""
    return Finish(reason)


def from_json(data: Mapping[str, Any]) -> Rule:
    """Read a rule as `POST /sim/script` takes it; raise ValueError with one sentence if it cannot be read.

    `{"steps": [{"say": "hi"}, {"call_tool": "f", "arguments": {}}, {"stall": 2}], "model": "", "key": "",
    "text": "", "times": 1, "fault": "", "retry_after": null, "pace": 0}`; `times` and `stall` may be "forever".
    """
    unknown = set(data) - {"steps", "model", "key", "text", "times", "fault", "retry_after", "pace"}
    if unknown:
        raise ValueError(f"Unknown members: {', '.join(sorted(unknown))}.")
    steps = tuple(_step(item) for item in data.get("steps", ()))
    script = Script(steps, str(data.get("fault", "")), data.get("retry_after"), float(data.get("pace", 0)))
    return Rule(
        script,
        model=str(data.get("model", "")),
        key=str(data.get("key", "")),
        text=str(data.get("text", "")),
        times=_duration(data.get("times", 1)),
    )


def pieces_of(text: str, count: int) -> list[str]:
    """Split a text into `count` pieces of about equal length, or into words that keep their blanks (count 0)."""
    if not text:
        return []
    if count <= 0:
        return _words(text)
    size = max(1, math.ceil(len(text) / count))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _words(text: str) -> list[str]:
    starts = [0, *(index for index in range(1, len(text)) if text[index] == " ")]
    return [text[begin:end] for begin, end in itertools.zip_longest(starts, starts[1:])]


def _duration(value: Any) -> float:
    return FOREVER if value == "forever" else float(value)


_STEP_NAMES: dict[str, Any] = {
    "say": lambda value, rest: Say(str(value), **rest),
    "think": lambda value, rest: Think(str(value), **rest),
    "call_tool": lambda value, rest: CallTool(str(value), **{"arguments": {}, **rest}),
    "report_usage": lambda value, rest: ReportUsage(**value, **rest),
    "fail": lambda value, rest: Fail(str(value), **rest),
    "stall": lambda value, rest: Stall(_duration(value), **rest),
    "cut": lambda value, rest: Cut(bool(value == "in_frame"), **rest),
    "finish": lambda value, rest: Finish(str(value), **rest),
}


def _step(item: Mapping[str, Any]) -> Step:
    names: Iterable[str] = [name for name in item if name in _STEP_NAMES]
    for name in names:
        rest = {key: value for key, value in item.items() if key != name}
        try:
            step: Step = _STEP_NAMES[name](item[name], rest)
        except TypeError as error:
            raise ValueError(f"The step {name!r} cannot be read: {error}.") from None
        return step
    raise ValueError(f"A step is one of {', '.join(_STEP_NAMES)}.")
