"""What a client wants to say and what it heard, in no dialect. The five files beside this one put it on the wire.

They are written from the vendors' descriptions of their APIs and know nothing of the gateway's translators, so a
misreading there shows here. A `Talk` becomes one request; `Heard` is what a client makes of the answer, and `follow_up`
sends that answer back as history in the client's own manner, blobs and all.
"""

from dataclasses import dataclass, field, replace
from typing import Any

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKMSAwIG9iago8PC9UeXBlL0NhdGFsb2c+PgplbmRvYmoKdHJhaWxlcgo8PC9Sb290IDEgMCBSPj4KJSVFT0YK"
WEATHER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Tool:
    """A function the client offers."""

    name: str = "weather"
    description: str = "Tell the weather."
    schema: dict[str, Any] = field(default_factory=lambda: dict(WEATHER_SCHEMA))


@dataclass(frozen=True)
class User:
    """What the user says, with pictures (base64 PNG or URL) and documents (base64 PDF)."""

    text: str = "Hello"
    images: tuple[str, ...] = ()
    image_urls: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """An assistant's earlier turn: plain text and calls (id, name, arguments)."""

    text: str = ""
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = ()


@dataclass(frozen=True)
class Results:
    """What tools answered: (call id, tool name, text)."""

    results: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Raw:
    """An answer as the client keeps it in its history, in its own dialect."""

    items: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Talk:
    """One request. Empty and None are not said."""

    model: str = "gpt-x"
    turns: tuple[User | Said | Results | Raw, ...] = (User(),)
    system: str = ""
    tools: tuple[Tool, ...] = ()
    choice: str = ""  # auto, none, required, or a tool's name
    parallel: bool | None = None
    effort: str = ""  # none, low, medium, high
    schema: dict[str, Any] | None = None
    json: bool = False
    stop: tuple[str, ...] = ()
    limit: int | None = None
    n: int = 1
    num_ctx: int | None = None
    temperature: float | None = None
    stream: bool = False

    def then(self, *turns: User | Said | Results | Raw) -> "Talk":
        """Return the same talk with more turns."""
        return replace(self, turns=(*self.turns, *turns))


@dataclass
class Call:
    """A tool call as the client understood it; `arguments` parsed, or the text if it is no JSON."""

    id: str
    name: str
    arguments: Any


@dataclass
class Heard:
    """What a client understood. `finish` is in the client's own words; `usage` has input, output, cached, reasoning."""

    texts: list[str] = field(default_factory=lambda: [""])
    thought: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    model: str = ""
    refusal: str = ""
    citations: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    ended: bool = False
    history: tuple[dict[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """Return the first choice's text."""
        return self.texts[0]
