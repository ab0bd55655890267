"""What one entry of a provider's list says of a model's abilities and price, in the words of many providers. Pure.

None is what it does not say. A number that could mean two things is left out: a wrong price is worse than none.
"""

from collections.abc import Mapping
from typing import Any

from routing import pricing
from routing.pricing import Price, rate_of

INPUTS = ("text", "image", "audio", "pdf", "video")
OUTPUTS = ("text", "image", "audio", "embedding")
KINDS = {"file": "pdf", "embeddings": "embedding", "vision": "image", "speech": "audio"}
# The names of each rate in dollars per single token: OpenRouter's inside `pricing`, Requesty's beside the name.
PER_TOKEN = {
    "input": ("prompt", "input_price"),
    "output": ("completion", "output_price"),
    "cache_read": ("input_cache_read", "cached_price"),
    "cache_write": ("input_cache_write", "caching_price"),
    "reasoning": ("internal_reasoning",),
    "audio_in": ("audio",),
}
# Routers write 0 for a rate that does not exist apart; a whole model may well be free.
ZERO_MEANS_NONE = ("cache_read", "cache_write", "reasoning", "audio_in", "request")


def inputs(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return what the model reads, in a fixed order."""
    said = entry.get("input_modalities", within(entry, "architecture").get("input_modalities"))
    if isinstance(said, list):
        return _kinds(said, INPUTS)
    sees = next(
        (
            able
            for able in (
                _able(entry, "vision"),
                _able(entry, "image_input"),
                _flag(entry, "supports_vision"),
                _flag(entry, "supports_image_input"),
            )
            if able is not None
        ),
        None,
    )
    if sees is None:
        return None
    return ("text", *(("image",) if sees else ()), *(("pdf",) if _able(entry, "pdf_input") else ()))


def outputs(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return what the model makes."""
    said = entry.get("output_modalities", within(entry, "architecture").get("output_modalities"))
    if isinstance(said, list):
        return _kinds(said, OUTPUTS)
    methods = entry.get("supportedGenerationMethods")
    if isinstance(methods, list):
        return ("text",) if "generateContent" in methods else ("embedding",) if "embedContent" in methods else None
    return None


def reasons(entry: Mapping[str, Any]) -> bool | None:
    """Tell whether it can think."""
    for said in (_flag(entry, "supports_reasoning"), _flag(entry, "thinking"), _able(entry, "thinking")):
        if said is not None:
            return said
    if isinstance(entry.get("supported_reasoning_levels"), list) and entry["supported_reasoning_levels"]:
        return True
    return _offers(entry, "reasoning")


def uses_tools(entry: Mapping[str, Any]) -> bool | None:
    """Tell whether it calls functions."""
    for said in (_flag(entry, "supports_tools"), _able(entry, "function_calling")):
        if said is not None:
            return said
    return _offers(entry, "tools")


def keeps_schema(entry: Mapping[str, Any]) -> bool | None:
    """Tell whether it keeps to a JSON schema by itself; a list that does not name it says nothing."""
    said = _able(entry, "structured_outputs")
    return said if said is not None else _offers(entry, "structured_outputs") or None


def price(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the price as a row keeps it; empty if there is none of a known unit, or one side of it is missing."""
    said = entry.get("pricing")
    rates: dict[str, int | None] = {}
    if isinstance(said, dict) and "input" in said and "prompt" not in said:  # Together: per million
        rates = {"input": rate_of(said["input"]), "output": rate_of(said.get("output"))}
    else:
        source = {**entry, **(said if isinstance(said, dict) else {})}
        for rate, names in PER_TOKEN.items():
            found = next((source[name] for name in names if name in source), None)
            rates[rate] = rate_of(found, per_tokens=1)
        # A fee for each call is dollars as they are; no fee is the rule.
        rates["request"] = rate_of(said.get("request")) if isinstance(said, dict) else None
    if rates.get("input") is None or rates.get("output") is None:
        return {}
    known: dict[str, Any] = {
        name: rate for name, rate in rates.items() if rate is not None and (rate or name not in ZERO_MEANS_NONE)
    }
    return pricing.to_dict(Price(**known))


def within(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a member that is an object, else an empty one."""
    inner = entry.get(key)
    return inner if isinstance(inner, dict) else {}


def _flag(entry: Mapping[str, Any], key: str) -> bool | None:
    value = entry.get(key)
    return value if isinstance(value, bool) else None


def _able(entry: Mapping[str, Any], name: str) -> bool | None:
    """Read `capabilities`: a yes or no, or an object that says `supported`."""
    value = within(entry, "capabilities").get(name)
    if isinstance(value, dict):
        value = value.get("supported")
    return value if isinstance(value, bool) else None


def _offers(entry: Mapping[str, Any], parameter: str) -> bool | None:
    """Read a router's list of parameters: a list that lacks one says that it is not offered."""
    offered = entry.get("supported_parameters")
    return parameter in offered if isinstance(offered, list) and offered else None


def _kinds(said: list[Any], known: tuple[str, ...]) -> tuple[str, ...] | None:
    words = {KINDS.get(word.lower(), word.lower()) for word in said if isinstance(word, str)}
    return tuple(kind for kind in known if kind in words) or None
