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


@dataclass(slots=True)
class World:
    """What the provider knows of itself: the models it lists and the keys it takes."""

    models: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    key_pattern: re.Pattern[str] = re.compile(r"sk-sim-\S+")

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
    wishes: dict[str, Any] = field(default_factory=dict)  # the dialect's own


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens of one reply; prompt includes cached, output includes reasoning."""

    prompt: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(slots=True)
class Said:
    """What one choice of a whole reply holds."""

    text: str = ""
    thought: str = ""
    calls: list[tuple[str, str, str]] = field(default_factory=list)  # id, name, arguments
    reason: str = "stop"


class Speaker(Protocol):
    """Turns one reply into the dialect's bytes; one object per reply."""

    stream_type: str

    def open(self, choice: int) -> list[Frame]: ...
    def text(self, piece: str, choice: int) -> list[Frame]: ...
    def thought(self, piece: str, choice: int) -> list[Frame]: ...
    def call(self, index: int, id: str, name: str, pieces: Sequence[str], choice: int) -> list[Frame]: ...
    def finish(self, reason: str, choice: int) -> list[Frame]: ...
    def close(self, counts: Counts) -> list[Frame]: ...
    def error(self, refusal: Refusal) -> list[Frame]: ...
    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]: ...
    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path that produces text: `read` checks the request (raising Refused), `speaker` answers it."""

    method: str
    path: re.Pattern[str]
    read: Callable[[Arrival, World], Ask]
    speaker: Callable[[Ask], Speaker]


@dataclass(frozen=True, slots=True)
class Page:
    """A path that answers something fixed, such as the list of models; `open_to_all` needs no key."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[Arrival, World], Answer]
    open_to_all: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol: where it lives, where its key travels, whose errors it speaks (refusals.py)."""

    name: str
    manner: str
    endpoints: tuple[Endpoint, ...]
    pages: tuple[Page, ...]
    key: Callable[[Arrival], str | None]


DIALECTS: dict[str, Dialect] = {}


def register(dialect: Dialect) -> Dialect:
    """Add a dialect to those served."""
    DIALECTS[dialect.name] = dialect
    return dialect


def count_tokens(text: str) -> int:
    """Count roughly as tokenisers do: four characters each."""
    return (len(text) + 3) // 4
