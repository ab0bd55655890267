"""What one choice of a reply holds, in the order in which it was said, and what the reply cost. No dialect.

A whole reply is written from a `Said`; a stream is written piece by piece while the same `Said` fills.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Text:
    """Visible text; neighbouring `say` steps share one."""

    text: str = ""


@dataclass(slots=True)
class Thought:
    """One stretch of reasoning; `signature` vouches for it, or holds all of it when it is redacted."""

    text: str = ""
    signature: str = ""
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call: `index` counts the calls of its choice from 0; `text` are the arguments as they travel."""

    index: int
    id: str
    name: str
    text: str
    namespace: str = ""
    custom: bool = False


@dataclass(slots=True)
class Declined:
    """The words in which the model refuses."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of the text said just before."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Searched:
    """A web search that the provider did itself: the found pages as (title, url)."""

    id: str
    query: str
    results: tuple[tuple[str, str], ...]


Part = Text | Thought | ToolCall | Declined | Citation | Searched


@dataclass(frozen=True, slots=True)
class End:
    """Why a choice ends (script.Finish), and the stop sequence that ended it."""

    reason: str = "stop"
    value: str = ""

    def among(self, names: dict[str, str], default: str) -> str:
        """Return the dialect's own name for the reason; `raw:NAME` is NAME, an unknown reason the default."""
        return self.reason.removeprefix("raw:") if self.reason.startswith("raw:") else names.get(self.reason, default)


@dataclass(slots=True)
class Said:
    """What one choice holds."""

    parts: list[Part] = field(default_factory=list)
    end: End = field(default_factory=End)

    def add_text(self, piece: str) -> None:
        """Say more text, in the text that is open or in a new one."""
        if not self.parts or not isinstance(self.parts[-1], Text):
            self.parts.append(Text())
        self._grow(piece)

    def add_declined(self, piece: str) -> None:
        """Say more of a refusal."""
        if not self.parts or not isinstance(self.parts[-1], Declined):
            self.parts.append(Declined())
        self._grow(piece)

    def _grow(self, piece: str) -> None:
        last = self.parts[-1]
        assert isinstance(last, Text | Declined)
        last.text += piece

    @property
    def text(self) -> str:
        """Return all visible text."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def thought(self) -> str:
        """Return all reasoning that may be read."""
        return "".join(part.text for part in self.parts if isinstance(part, Thought) and not part.redacted)

    @property
    def declined(self) -> str:
        """Return the words of a refusal."""
        return "".join(part.text for part in self.parts if isinstance(part, Declined))

    @property
    def calls(self) -> list[ToolCall]:
        """Return the tool calls."""
        return [part for part in self.parts if isinstance(part, ToolCall)]

    @property
    def citations(self) -> list[Citation]:
        """Return the sources."""
        return [part for part in self.parts if isinstance(part, Citation)]


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens of one reply.

    Prompt includes cached, cache_write and audio_in; output includes reasoning; tool_prompt stands beside both.
    cache_write includes its two parts by lifetime. `searches` counts requests, not tokens.
    """

    prompt: int
    output: int
    cached: int = 0
    reasoning: int = 0
    cache_write: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    tool_prompt: int = 0
    audio_in: int = 0
    searches: int = 0
