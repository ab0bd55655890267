"""What a profile asks for, as plain data: `Options` as the operator set them, `Wishes` as they apply to one call.

Where the rows live is accounts/profile.py; what the wishes do to a request is bodies.py (bytes that stay in their
dialect) and requests.py (requests on their way to another), to a reply replies.py.
"""

import msgspec

# The dialects of conversations: a profile has nothing to say on pictures, sound and vectors.
DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini", "ollama")

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
SUMMARIES = ("never", "auto", "concise", "detailed")
TIERS = ("auto", "default", "flex", "scale", "priority")


class Options(msgspec.Struct, frozen=True):
    """A profile's options. Empty always means: leave it to the request.

    `temperature` replaces every other. `effort` and `summary` (words of EFFORTS and SUMMARIES) stand in where a request
    says nothing of reasoning; with `fill_gaps` also where it says only one of the two. `shown` is text (reasoning
    becomes part of the answer) or hidden. `include` and `exclude` are globs of model names for lists. `variants` lists
    and understands names that end with reasoning wishes. `fast` is asked (requests may) or always. `headers` go
    upstream, those named in `blocked` do not; names in lower case. `delay` are the least and the most seconds between
    two pieces of a whole answer that is told as a stream. `prefer` is the dialect to ask in, where a provider has it.
    """

    temperature: float | None = None
    web_search: bool = False
    effort: str = ""
    summary: str = ""
    fill_gaps: bool = False
    shown: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    variants: bool = False
    fast: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    blocked: frozenset[bytes] = frozenset()
    delay: tuple[float, float] | None = None
    prefer: str = ""


class Wishes(msgspec.Struct, frozen=True):
    """What one request is given beyond its own words. `forced` says that effort and summary came with the model's name
    and outweigh the body; `tier` is the service tier to ask for, if any."""

    temperature: float | None = None
    web_search: bool = False
    effort: str = ""
    summary: str = ""
    fill_gaps: bool = False
    forced: bool = False
    shown: str = ""
    tier: str = ""
