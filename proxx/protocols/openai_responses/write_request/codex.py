"""The ChatGPT backend's way of this dialect: what it refuses is left out, what it demands is there.

It is undocumented and changes; the facts stand in the tables, each a line. What is dropped without a note has no effect
on an answer.
"""

from typing import Any

from proxx.protocols.hub.losses import Losses

ENCRYPTED = "reasoning.encrypted_content"
_WHY = "the ChatGPT backend refuses it"

_NOTED = ("max_output_tokens", "max_tool_calls", "temperature", "top_p", "top_logprobs")
_SILENT = (
    "user",
    "safety_identifier",
    "metadata",
    "truncation",
    "stream_options",
    "prompt_cache_retention",
    "prompt_cache_options",
)
_KEPT = frozenset({
    "model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "include",
    "prompt_cache_key", "service_tier", "store", "stream", "client_metadata",
})  # fmt: skip
_TIERS = {"priority": "priority", "fast": "priority"}
_REASONING = ("effort", "summary", "context")


def for_codex(body: dict[str, Any], losses: Losses) -> dict[str, Any]:
    """Return the body as the backend takes it."""
    for name in _NOTED:
        if name in body:
            losses.drop(name, _WHY)
    kept = {name: value for name, value in body.items() if name in _KEPT}
    for name in body:
        if name not in _KEPT and name not in _NOTED and name not in _SILENT:
            losses.drop(name, _WHY)
    kept.setdefault("instructions", "")
    if kept.get("tools"):
        kept.setdefault("parallel_tool_calls", True)
    kept["include"] = list(dict.fromkeys([*_taken(kept.get("include", [])), ENCRYPTED]))
    if "reasoning" in kept:
        kept["reasoning"] = {name: value for name, value in kept["reasoning"].items() if name in _REASONING}
    tier = _TIERS.get(kept.pop("service_tier", ""))
    if tier:
        kept["service_tier"] = tier
    return kept | {"store": False, "stream": True}


def _taken(include: list[str]) -> list[str]:
    return [one for one in include if not one.endswith("logprobs")]
