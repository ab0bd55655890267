"""What an upstream of this dialect knows beyond functions: the vendor's own service, its ChatGPT backend, imitators."""

from proxx.protocols.hub.target import Target

CODEX = "codex_backend"  # quirk: the ChatGPT backend
ALL_TOOLS = "responses_tools"  # quirk: an imitator that knows the vendor's kinds of tools and items

_VENDORS = frozenset({"openai"})

# The ChatGPT backend's, beside functions, custom tools and web search.
_CODEX_KINDS = frozenset({"local_shell", "tool_search", "image_generation"})


def is_codex(target: Target) -> bool:
    """Tell whether the upstream is the ChatGPT backend."""
    return CODEX in target.quirks


def knows_vendor_words(target: Target) -> bool:
    """Tell whether namespaces, compaction and cache marks are known, as the vendor's own service knows them."""
    return target.provider in _VENDORS or CODEX in target.quirks or ALL_TOOLS in target.quirks


def takes_kind(target: Target, kind: str) -> bool:
    """Tell whether a tool of this kind, or hosted type, can be declared in its own words."""
    return kind in _CODEX_KINDS if is_codex(target) else knows_vendor_words(target)
