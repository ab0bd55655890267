"""What a simulated provider is told to say, in no dialect: steps, and the rules that choose them.

A script is a sequence of steps. Dialect files turn steps into bytes, play.py decides when the bytes leave, and
faults.py spoils them. Nothing here knows HTTP.

    say("Hello"), think("Let me see"), call_tool("weather", {"city": "Oslo"}), refuse("No."), cite(url, title),
    together(call_tool(...), call_tool(...)), search("Oslo weather", [(title, url)]),
    report_usage(input=9, output=3), finish("length"), fail("429", retry_after=7), stall(2), cut()

A `fail` before anything was said answers with the provider's status; later it is an error event inside the
stream. A `stall` before anything was said holds back the headers unless `after_headers` is given; a `cut` closes
the connection right there (`in_frame`: half-way through the next frame). Rules as JSON: script_json.py.
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
    """Reasoning the provider shows; without a signature the dialect makes one. Redacted: only the signature travels."""

    text: str
    pieces: int = 0
    signature: str = ""
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The model declines in these words."""

    text: str
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class CallTool:
    """One tool call; arguments as data, or as text when they are meant to be broken.

    A `custom` tool takes free text; `namespace` groups tools where the dialect has groups.
    """

    name: str
    arguments: Mapping[str, Any] | str
    id: str = ""
    pieces: int = 3
    namespace: str = ""
    custom: bool = False

    @property
    def text(self) -> str:
        """Return the arguments as the text that travels."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Together:
    """Calls made at once: their pieces interleave where the dialect can."""

    calls: tuple[CallTool, ...]


@dataclass(frozen=True, slots=True)
class Cite:
    """A source of the text said just before."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """A web search that the provider does itself; results as (title, url)."""

    query: str
    results: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReportUsage:
    """Token counts to report instead of the counted ones (said.py, Counts, says what includes what)."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0
    cache_write: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    tool_prompt: int = 0
    audio_in: int = 0


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
    """Why the reply ends: a name of REASONS, or `raw:NAME` for the dialect's own NAME."""

    reason: str
    value: str = ""  # the stop sequence


REASONS = (
    "stop", "length", "tools", "filter", "stop_sequence", "pause", "context_window", "malformed", "refusal",
)  # fmt: skip

Step = Say | Think | Refuse | CallTool | Together | Cite | Search | ReportUsage | Fail | Stall | Cut | Finish


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


def think(text: str, *, pieces: int = 0, signature: str = "", redacted: bool = False) -> Think:
    """Show this reasoning."""
    return Think(text, pieces, signature, redacted)


def refuse(text: str, *, pieces: int = 0) -> Refuse:
    """Decline in these words."""
    return Refuse(text, pieces)


def call_tool(
    name: str,
    arguments: Mapping[str, Any] | str,
    *,
    id: str = "",
    pieces: int = 3,
    namespace: str = "",
    custom: bool = False,
) -> CallTool:
    """Call a tool; without `id` the dialect makes one."""
    return CallTool(name, arguments, id, pieces, namespace, custom)


def together(*calls: CallTool) -> Together:
    """Make these calls at once."""
    return Together(calls)


def cite(url: str, title: str = "") -> Cite:
    """Name a source."""
    return Cite(url, title)


def search(query: str, results: Iterable[tuple[str, str]] = ()) -> Search:
    """Search the web and find these (title, url)."""
    return Search(query, tuple((title, url) for title, url in results))


def report_usage(*, input: int, output: int, **others: int) -> ReportUsage:
    """Report these counts."""
    return ReportUsage(input, output, **others)


def fail(fault: str, *, retry_after: float | None = None) -> Fail:
    """Fail in this way."""
    return Fail(fault, retry_after)


def stall(seconds: float = FOREVER, *, after_headers: bool = False) -> Stall:
    """Be silent that long."""
    return Stall(seconds, after_headers)


def cut(*, in_frame: bool = False) -> Cut:
    """Close the connection here."""
    return Cut(in_frame)


def finish(reason: str, value: str = "") -> Finish:
    """End for this reason instead of the natural one; raise ValueError for a reason nobody knows."""
    if reason not in REASONS and not reason.startswith("raw:"):
        raise ValueError(f"A reply ends for {', '.join(REASONS)} or raw:NAME, not for {reason!r}")
    return Finish(reason, value)


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
