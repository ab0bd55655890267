"""What a key may ask for, by family of endpoints. A route names the scope that it asks for (proxx/api/auth.py).

`proxy:use`, the usual scope, stands for all model calls; the others are each their own. What a key may do in the
control API follows from its scopes for control (accounts/roles.py); models and providers are restricted.py's.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from django.core.exceptions import ValidationError

USE: Final = "proxy:use"
CHAT: Final = "proxy:chat"
RESPONSES: Final = "proxy:responses"
MESSAGES: Final = "proxy:messages"
GEMINI: Final = "proxy:gemini"
OLLAMA: Final = "proxy:ollama"
EMBEDDINGS: Final = "proxy:embeddings"
IMAGES: Final = "proxy:images"
AUDIO: Final = "proxy:audio"
MODERATIONS: Final = "proxy:moderations"
MODELS: Final = "proxy:models"
FILES: Final = "proxy:files"
USAGE: Final = "usage:read"
CONTROL_READ: Final = "control:read"
CONTROL_WRITE: Final = "control:write"
ADMIN: Final = "proxy:admin"  # of PROXY_AUTH_TOKEN alone

# Model calls, and what people call them.
FAMILIES: Final[Mapping[str, str]] = {
    CHAT: "Chat Completions and legacy completions",
    RESPONSES: "Responses",
    MESSAGES: "Anthropic Messages",
    GEMINI: "Gemini",
    OLLAMA: "Ollama",
    EMBEDDINGS: "Embeddings, of all dialects",
    IMAGES: "Images",
    AUDIO: "Audio",
    MODERATIONS: "Moderations",
    MODELS: "Lists of models",
}
# What no key has unless it was given by name.
BESIDE: Final[Mapping[str, str]] = {
    FILES: "Files and batches in our accounts",
    USAGE: "Usage of its tenant",
    CONTROL_READ: "Control API of its tenant, reading",
    CONTROL_WRITE: "Control API of its tenant, changing",
}
KNOWN: Final = frozenset({USE, *FAMILIES, *BESIDE})
EVERYTHING: Final = KNOWN | {ADMIN}

_CALLS: Final = frozenset({USE, *FAMILIES})


def default_scopes() -> list[str]:
    """Return what a key may do unless told otherwise: all model calls, nothing else."""
    return [USE]


def expanded(given: Iterable[str]) -> frozenset[str]:
    """Return scopes with all that they stand for, as a route compares them."""
    own = frozenset(given)
    return own | _CALLS if USE in own else own


def check(given: object) -> None:
    """Raise `ValidationError` for what is no list of scopes that a key can have."""
    if not isinstance(given, list) or not given:
        raise ValidationError("A key needs at least one scope.")
    unknown = [str(one)[:60] for one in given if one not in KNOWN]
    if unknown:
        raise ValidationError(f"There is no scope {unknown[0]}. Known: {', '.join(sorted(KNOWN))}.")


def said(given: Iterable[str]) -> str:
    """Return scopes in words, for people."""
    own = set(given)
    calls = ["All model calls"] if USE in own else [name for scope, name in FAMILIES.items() if scope in own]
    beside = [name for scope, name in BESIDE.items() if scope in own]
    return "; ".join([*calls, *beside])
