"""What a turn is made of. Anything two dialects can both say has a part of its own; the rest is `Opaque`.

A part that only its own vendor can read again carries a `Blob` with its origin, so that it survives the way through a
foreign client and back, and is dropped everywhere else.
"""

from typing import Any

import msgspec


class Blob(msgspec.Struct, frozen=True):
    """A value that only its maker can read: a thinking signature, encrypted reasoning, a thought signature.

    `kind` is signature, redacted, encrypted, thought, thinking (the thinking itself) or compaction; `dialect` is the
    maker's, `family` names the models that take it back ("claude", "gpt", "gemini", or a provider's own), `item_id` the
    maker's id for it.
    """

    kind: str
    value: str
    dialect: str
    family: str = ""
    item_id: str = ""


class CacheMark(msgspec.Struct, frozen=True):
    """The wish that everything up to here be cached; `ttl` is "5m", "1h", or empty for the vendor's default."""

    ttl: str = ""


class Citation(msgspec.Struct, frozen=True):
    """Where a text comes from. `start` and `end` count characters of the text; `raw` is the maker's own object."""

    url: str
    title: str = ""
    start: int | None = None
    end: int | None = None
    cited_text: str = ""
    raw: dict[str, Any] | None = None
    dialect: str = ""


class Text(msgspec.Struct, frozen=True):
    """Visible text. `logprobs` are token objects as OpenAI writes them."""

    text: str
    citations: tuple[Citation, ...] = ()
    blob: Blob | None = None
    cache: CacheMark | None = None
    logprobs: tuple[dict[str, Any], ...] = ()


class Image(msgspec.Struct, frozen=True):
    """A picture: one of `url`, `data` (base64, with `media_type`), or `file_id` (of the vendor whose dialect is
    `dialect`)."""

    url: str = ""
    data: str = ""
    media_type: str = ""
    file_id: str = ""
    dialect: str = ""
    detail: str = ""
    cache: CacheMark | None = None


class File(msgspec.Struct, frozen=True):
    """A document, or any medium that is no picture: one of `url`, `data` (base64), `text` (plain) or `file_id`."""

    url: str = ""
    data: str = ""
    media_type: str = ""
    text: str = ""
    file_id: str = ""
    dialect: str = ""
    filename: str = ""
    title: str = ""
    context: str = ""
    citations: bool | None = None
    detail: str = ""
    cache: CacheMark | None = None


class Audio(msgspec.Struct, frozen=True):
    """Sound, base64, with its media type ("audio/wav")."""

    data: str
    media_type: str


class ToolCall(msgspec.Struct, frozen=True):
    """One call of a tool. `args` is the text as the model wrote it: JSON for functions, free text for custom tools,
    the JSON of the action for shell, local_shell, apply_patch, tool_search and computer.

    `item_id` is the Responses item's own id, `blob` what the model signed the call with.
    """

    id: str
    name: str
    args: str
    namespace: str = ""
    kind: str = "function"
    blob: Blob | None = None
    item_id: str = ""
    cache: CacheMark | None = None


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool answered: text, images, files. `name` is empty where the dialect does not repeat it."""

    call_id: str
    parts: "tuple[Part, ...]" = ()
    name: str = ""
    namespace: str = ""
    kind: str = "function"
    is_error: bool | None = None
    cache: CacheMark | None = None


class Reasoning(msgspec.Struct, frozen=True):
    """Thinking: raw `text`, or a `summary` in pieces, or only the `blob`."""

    text: str = ""
    summary: tuple[str, ...] = ()
    blob: Blob | None = None
    item_id: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """The model's words for not answering."""

    text: str


class SearchHit(msgspec.Struct, frozen=True):
    """One finding of a hosted search."""

    url: str
    title: str = ""


class Hosted(msgspec.Struct, frozen=True):
    """A call that the vendor itself made and answered: web_search, web_fetch, code, file_search, mcp, image.

    `query` and `hits` are what other vendors may be told of it; `raw` are the vendor's own items or blocks, in order,
    for the way back to a `dialect` of the same kind.
    """

    kind: str
    id: str = ""
    query: str = ""
    hits: tuple[SearchHit, ...] = ()
    status: str = "completed"
    raw: tuple[dict[str, Any], ...] = ()
    dialect: str = ""


class Compaction(msgspec.Struct, frozen=True):
    """An earlier conversation in short: as the maker's `blob`, or as plain `text`."""

    text: str = ""
    blob: Blob | None = None


class Opaque(msgspec.Struct, frozen=True):
    """Something only `dialect` has a word for, in that word's own shape."""

    raw: dict[str, Any]
    dialect: str


Part = Text | Image | File | Audio | ToolCall | ToolResult | Reasoning | Refusal | Hosted | Compaction | Opaque


class Turn(msgspec.Struct, frozen=True):
    """One step of a conversation: role is system, developer, user or assistant.

    Tool results are parts of user turns; reasoning, text and calls of one model step are parts of one assistant turn.
    `phase` is Responses' commentary or final_answer.
    """

    role: str
    parts: tuple[Part, ...]
    name: str = ""
    phase: str = ""
