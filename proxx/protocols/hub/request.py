"""A client's request: the envelope that every call has, and the neutral request that a translated one is read into.

Same-dialect calls travel as bytes and need only the envelope. `None` and empty always mean "not said", which differs
from any default.
"""

from typing import Any

import msgspec

from proxx.protocols.hub.conversation import Traits
from proxx.protocols.hub.parts import CacheMark, Turn


class Envelope(msgspec.Struct, frozen=True):
    """What the walk knows of any request.

    `model` is the name as the client wrote it; `stream` whether it wants events; `wants_usage` whether it asked for the
    usage event of a stream; `body` the bytes as they came; `options` the dialect's raw stream options, if any;
    `form` a variant of the dialect (its meaning is the dialect's own, such as Gemini's JSON array streams); `traits`
    what tells its conversation from others; `is_named` whether the body's own member `model` is where the name stands.
    """

    dialect: str
    model: str
    stream: bool
    wants_usage: bool
    body: bytes
    options: bytes = b""
    form: str = ""
    traits: Traits | None = None
    is_named: bool = False


class HostedConfig(msgspec.Struct, frozen=True):
    """How a hosted web search may search."""

    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    user_location: dict[str, Any] | None = None
    max_uses: int | None = None
    context_size: str = ""


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool the client declared.

    `kind`: function, custom, shell, local_shell, apply_patch, tool_search, computer (run by the client), web_search,
    or hosted (run by the vendor; then `name` is the vendor's type). `schema` is JSON Schema as the client wrote it,
    `grammar` {"syntax", "definition"} of a custom tool, `raw` the declaration itself for the way to the same `dialect`.
    """

    kind: str
    name: str
    dialect: str
    namespace: str = ""
    description: str = ""
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    grammar: dict[str, str] | None = None
    deferred: bool = False
    hosted: HostedConfig | None = None
    cache: CacheMark | None = None
    raw: dict[str, Any] | None = None


class ToolRef(msgspec.Struct, frozen=True):
    """A tool by name, in a tool choice."""

    name: str
    namespace: str = ""


class ToolChoice(msgspec.Struct, frozen=True):
    """`mode`: auto, none, required, named (the one in `tools`) or subset (those in `tools`; `must` call one)."""

    mode: str
    tools: tuple[ToolRef, ...] = ()
    must: bool = False


class Sampling(msgspec.Struct, frozen=True):
    """How the model chooses its words."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    n: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class ReasoningWish(msgspec.Struct, frozen=True):
    """How much to think, and what to show of it.

    `effort`: "" (not said), off, minimal, low, medium, high, xhigh, max or dynamic. `budget`: tokens, when the client
    gave a number (kept beside the effort it amounts to). `show`: "" (not said), none, summary or full. `summary`: the
    kind of summary that the operator's profile asks for.
    """

    effort: str = ""
    budget: int | None = None
    show: str = ""
    summary: str = ""


class OutputWish(msgspec.Struct, frozen=True):
    """The form of the answer: "" (not said), text, json, or schema with its JSON Schema."""

    format: str = ""
    schema: dict[str, Any] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None
    verbosity: str = ""
    modalities: tuple[str, ...] = ()


class CacheWish(msgspec.Struct, frozen=True):
    """Caching beyond marks on parts: OpenAI's key and options, Anthropic's mark for the whole request."""

    key: str = ""
    mark: CacheMark | None = None


class State(msgspec.Struct, frozen=True):
    """Responses' server-held state. Resolved before translation; what is left of it here was not resolved."""

    previous_response_id: str = ""
    conversation: str = ""
    store: bool | None = None
    background: bool | None = None
    prompt: dict[str, Any] | None = None
    truncation: str = ""
    include: tuple[str, ...] = ()
    compact: bool = False


class Texts(msgspec.Struct, frozen=True):
    """What shall be embedded instead of answered, and how.

    `tokens` says that OpenAI's client gave token numbers, which mean nothing elsewhere; then `items` is empty. `base64`
    is how the client wants its vectors, `single` that it asked for one and wants no list. `truncate` is whether a text
    may be cut to fit.
    """

    items: tuple[str, ...] = ()
    dimensions: int | None = None
    base64: bool = False
    single: bool = False
    tokens: bool = False
    truncate: bool | None = None


class Request(msgspec.Struct, frozen=True):
    """One request in no dialect. `instructions` are the leading system and developer turns, `turns` all others.

    `max_output` includes reasoning. `runtime` holds Ollama's options that are nobody else's (num_ctx, num_keep, ...),
    `keep_alive` its own. `old_functions` says that a chat client spoke of functions instead of tools. `texts` makes it
    a request for embeddings; `resumes` says that the last turn is one that the provider paused, for it to go on with;
    `repeats` is how often it is sent, where all replies together are one answer. `extras` are
    members that only the client's dialect knows, by name: noted, never sent to another dialect.
    """

    dialect: str
    model: str
    turns: tuple[Turn, ...]
    instructions: tuple[Turn, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    max_output: int | None = None
    max_tool_calls: int | None = None
    sampling: Sampling = Sampling()
    reasoning: ReasoningWish = ReasoningWish()
    output: OutputWish = OutputWish()
    cache: CacheWish = CacheWish()
    state: State = State()
    user_id: str = ""
    safety_identifier: str = ""
    service_tier: str = ""
    metadata: dict[str, Any] | None = None
    safety_settings: tuple[dict[str, Any], ...] = ()
    runtime: dict[str, Any] | None = None
    keep_alive: Any = None
    stream: bool = False
    wants_usage: bool = False
    old_functions: bool = False
    texts: Texts | None = None
    repeats: int = 1
    resumes: bool = False
    extras: dict[str, Any] = {}
