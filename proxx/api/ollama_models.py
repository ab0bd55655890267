"""The offered models as Ollama's clients list them and gate on them; the facts come from the snapshot and from names.

Only what is known is said: there is no size, no quantisation and no template of a model that runs elsewhere. A `digest`
must be there for clients that keep models apart by it; it is made of the name.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.target import ModelFacts
from routing.snapshot import ModelEntry

# Editors want 0.6.4 or later and three numbers (D175). This one's API is what the doors speak.
VERSION = "0.12.6"
LATEST = ":latest"

_SIZE = re.compile(r"[:-](\d+(?:\.\d+)?[bmt])(?![a-z0-9])", re.IGNORECASE)
_NO_ARCHITECTURE = re.compile(r"[^a-z0-9]+")


def find(entries: tuple[ModelEntry, ...], name: str) -> ModelEntry | None:
    """Return the offered model of this name; `name` and `name:latest` are one."""
    bare = name.lower().removesuffix(LATEST)
    named = {entry.id.lower(): entry for entry in reversed(entries)}
    return named.get(name.lower()) or named.get(bare) or named.get(bare + LATEST)


def listed(entry: ModelEntry) -> dict[str, Any]:
    """Return a model as GET /api/tags lists it."""
    return {
        "name": entry.id,
        "model": entry.id,
        "modified_at": _moment(entry),
        "size": 0,
        "digest": hashlib.sha256(entry.id.encode()).hexdigest(),
        "details": _details(entry),
        "capabilities": _capabilities(entry),
    }


def shown(entry: ModelEntry) -> dict[str, Any]:
    """Return a model as POST /api/show describes it."""
    architecture = _architecture(entry)
    info: dict[str, Any] = {"general.architecture": architecture, "general.basename": entry.id}
    window = entry.metadata.get("context_window") or _facts(entry).context_window
    if window:
        info[f"{architecture}.context_length"] = window
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": _details(entry),
        "model_info": info,
        "capabilities": _capabilities(entry),
        "modified_at": _moment(entry),
    }


def _capabilities(entry: ModelEntry) -> list[str]:
    facts = _facts(entry)
    able = ["completion"]
    if entry.metadata.get("supports_tools") is not False:  # editors hide models without, and most can
        able.append("tools")
    if facts.images:
        able.append("vision")
    thinks = entry.metadata.get("supports_reasoning")
    if thinks or (thinks is None and facts.thinking not in ("", "none")):
        able.append("thinking")
    return able


def _details(entry: ModelEntry) -> dict[str, Any]:
    size = _SIZE.search(entry.id)
    family = _architecture(entry)
    return {
        "parent_model": "",
        "format": "",
        "family": family,
        "families": [family],
        "parameter_size": size[1].upper() if size else "",
        "quantization_level": "",
    }


def _architecture(entry: ModelEntry) -> str:
    word = _facts(entry).family or entry.owned_by
    return _NO_ARCHITECTURE.sub("", word.lower()) or "unknown"


def _facts(entry: ModelEntry) -> ModelFacts:
    return facts_of(entry.id)


def _moment(entry: ModelEntry) -> str:
    return datetime.fromtimestamp(entry.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
