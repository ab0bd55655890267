"""Which dialect a path is spoken in. Known before the route is: errors of the door itself need it, too."""

from collections.abc import Mapping

from proxx.protocols import registry
from proxx.protocols.spec import Protocol

# The first segment behind the version that settles it; everything else is OpenAI's, the dialect most clients expect.
_SEGMENTS = {"messages": "anthropic", "responses": "openai_responses"}
_VERSIONS = ("v1", "v1beta", "v1alpha")


def of(path: str, headers: Mapping[str, str]) -> Protocol:
    """Return the dialect of a path; model lists, which four clients share, are told apart by their headers."""
    segments = path.strip("/").split("/")
    if segments[0] == "api":
        return registry.get("ollama")
    if segments[0] == "anthropic":
        return registry.get("anthropic")
    version = segments.pop(0) if segments[0] in _VERSIONS else ""
    first = segments[0] if segments else ""
    if first in ("models", "tunedModels", "publishers"):
        return registry.get(_by_headers(version, segments[-1], headers))
    return registry.get(_SEGMENTS.get(first, "openai_chat"))


def _by_headers(version: str, last: str, headers: Mapping[str, str]) -> str:
    if ":" in last or version in ("v1beta", "v1alpha") or "HTTP_X_GOOG_API_KEY" in headers:
        return "gemini"
    return "anthropic" if "HTTP_ANTHROPIC_VERSION" in headers else "openai_chat"
