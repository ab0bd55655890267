"""The dialects proxx speaks, by name. A new one is a package and a line here."""

from proxx.protocols.anthropic import PROTOCOL as ANTHROPIC
from proxx.protocols.embeddings import PROTOCOLS as EMBEDDINGS
from proxx.protocols.gemini import PROTOCOL as GEMINI
from proxx.protocols.ollama import PROTOCOL as OLLAMA
from proxx.protocols.openai_chat import PROTOCOL as OPENAI_CHAT
from proxx.protocols.openai_media import PROTOCOLS as MEDIA
from proxx.protocols.openai_responses import PROTOCOL as OPENAI_RESPONSES
from proxx.protocols.spec import Protocol

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol for protocol in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, OLLAMA, GEMINI)
}

# What is served beside chat: each in its own bytes, embeddings also from one dialect into another.
BESIDE: dict[str, Protocol] = {protocol.name: protocol for protocol in (*MEDIA, *EMBEDDINGS)}

_ALL = PROTOCOLS | BESIDE


def get(name: str) -> Protocol:
    """Return a dialect by its name; raise `KeyError` for one that proxx does not speak."""
    return _ALL[name]
