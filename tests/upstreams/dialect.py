"""What a dialect file provides, and the table of those registered. The core calls only what is declared here.

A dialect is added by a file that ends in `register(Dialect(...))` and by its name in server.py's DIALECT_MODULES;
nothing else changes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.upstreams.answer import Answer, Frame, Refusal
from tests.upstreams.connection import Arrival
from tests.upstreams.ids import letters
from tests.upstreams.said import Citation, Counts, End, Said, Searched, Thought, ToolCall


@dataclass(slots=True)
class World:
    """What the provider knows of itself: the models it lists and the keys it takes."""

    models: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    key_pattern: re.Pattern[str] = re.compile(r"sk-sim-\S+")
    only_camel_case: bool = True  # Gemini takes snake_case too, but no good client writes it: off to be lenient
    memory: dict[str, Any] = field(default_factory=dict)  # what dialects keep between requests, by their own names

    def takes(self, key: str) -> bool:
        """Say whether a key is good."""
        return key in self.keys or bool(self.key_pattern.fullmatch(key))


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the caller declared."""

    name: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, read and found good: what the script may want to know of it."""

    model: str
    stream: bool
    text: str
    prompt_tokens: int
    tools: tuple[Tool, ...] = ()
    must_call: str = ""  # a tool's name, "*" for any, "" for free choice
    tool_result: str | None = None  # the last message, if it is a tool's answer
    choices: int = 1
    limit: int | None = None
    stops: tuple[str, ...] = ()
    thinks: bool = True  # whether scripted thoughts are thought at all
    schema: dict[str, Any] | None = None  # the answer must be JSON: of this shape, or of any when empty
    wishes: dict[str, Any] = field(default_factory=dict)  # the dialect's own; the journal keeps them


class Speaker(Protocol):
    """Turns one reply into the dialect's bytes; one object per reply. What has a body here may be left as it is."""

    stream_type: str

    def open(self, choice: int) -> list[Frame]: ...
    def text(self, piece: str, choice: int) -> list[Frame]: ...
    def thought(self, piece: str, choice: int) -> list[Frame]: ...
    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]: ...
    def finish(self, end: End, choice: int) -> list[Frame]: ...
    def close(self, counts: Counts) -> list[Frame]: ...
    def error(self, refusal: Refusal) -> list[Frame]: ...
    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]: ...
    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]: ...

    def expect(self, counts: Counts) -> None:
        """Hear, before anything is said, what will be counted; the output is not known yet."""
        return

    def new_id(self, kind: str) -> str:
        """Return an id for a `call`, a `custom` call or a `search` that the script does not name."""
        return f"call_{letters(24)}"

    def sign(self, thought: str) -> str:
        """Return the signature of a thought that the script does not sign; empty where the dialect has none."""
        return ""

    def thought_done(self, thought: Thought, choice: int) -> list[Frame]:
        """End one stretch of reasoning; a redacted one had no pieces."""
        return []

    def calls(self, calls: Sequence[tuple[ToolCall, Sequence[str]]], choice: int) -> list[Frame]:
        """Call tools at the same time; one after the other where calls cannot interleave."""
        return [frame for call, pieces in calls for frame in self.call(call, pieces, choice)]

    def declined(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of a refusal; where refusals have no place of their own they are text."""
        return self.text(piece, choice)

    def cite(self, citation: Citation, choice: int) -> list[Frame]:
        """Name a source of the text said just before."""
        return []

    def searched(self, searched: Searched, choice: int) -> list[Frame]:
        """Show a web search that the provider did itself."""
        return []

    def without_usage(self, frame: Frame) -> Frame:
        """Return a frame without the usage it carries beside other things."""
        return frame

    def first_error(self, refusal: Refusal) -> list[Frame]:
        """Say an error as the first thing in the stream."""
        return self.error(refusal)

    def huge(self, text: str) -> list[Frame]:
        """Say a text in one frame in the middle of what is already written."""
        return self.text(text, 0)

    def comment(self) -> list[Frame]:
        """Return what a server sends to keep a line alive, if the framing has such a thing."""
        return [Frame("open", b": SIM PROCESSING\n\n")]

    def late(self) -> list[Frame]:
        """Return an event that comes after the end."""
        return [Frame("text", b'data: {"late": true}\n\n')]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path that produces text: `read` checks the request (raising Refused), `speaker` answers it."""

    method: str
    path: re.Pattern[str]
    read: Callable[[Arrival, World], Ask]
    speaker: Callable[[Ask], Speaker]


@dataclass(frozen=True, slots=True)
class Page:
    """A path that answers something fixed, such as the list of models; `open_to_all` needs no key.

    Where dialects share a path, those with `only_if` are asked first.
    """

    method: str
    path: re.Pattern[str]
    answer: Callable[[Arrival, World], Answer]
    open_to_all: bool = False
    only_if: Callable[[Arrival], bool] | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol: where it lives, where its key travels, whose errors it speaks (refusals.py)."""

    name: str
    manner: str
    endpoints: tuple[Endpoint, ...]
    pages: tuple[Page, ...]
    key: Callable[[Arrival], str | None]
    id_header: str = "x-request-id"  # the service's own name for it; `x-request-id` is always sent too
    bad_key: str = "401"  # how it refuses a key it does not know (refusals.py)
    no_key: str = "401"


DIALECTS: dict[str, Dialect] = {}


def register(dialect: Dialect) -> Dialect:
    """Add a dialect to those served."""
    DIALECTS[dialect.name] = dialect
    return dialect


def count_tokens(text: str) -> int:
    """Count roughly as tokenisers do: four characters each."""
    return (len(text) + 3) // 4
