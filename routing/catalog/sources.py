"""What providers answer when asked for their models: many shapes -> one `Listed` per model (F-056). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from proxx.kit import fastjson
from routing.catalog import abilities

NAME_LIMIT = 200
# No provider lists this many; a list without end is a fault of the other side.
MODELS_AT_MOST = 10_000
LARGEST = 2**53

CONTEXT_FIELDS = (
    *("context_window", "contextWindow", "context_length", "max_context_length", "max_context_tokens"),
    *("max_input_tokens", "inputTokenLimit", "max_model_len"),
)
# Of Codex: entries that its own client does not offer.
HIDDEN = {"hide", "hidden", "none"}
OUTPUT_FIELDS = ("max_output_tokens", "maxOutputTokens", "outputTokenLimit", "max_completion_tokens")
# Of Gemini's methods: what a gateway can pass on.
USEFUL_METHODS = {"generateContent", "embedContent", "batchEmbedContents"}


class CatalogFault(ValueError):
    """An answer that is no list of models; the text is a short sentence."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model as its provider lists it; None where the provider says nothing."""

    model_id: str
    display_name: str = ""
    created: int = 0
    context_window: int | None = None
    max_output_tokens: int | None = None
    supports_reasoning: bool | None = None
    supports_tools: bool | None = None
    tool_types: tuple[str, ...] = ()
    supports_schema: bool | None = None
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    price: Mapping[str, Any] = field(default_factory=dict)  # as pricing.to_dict writes it


def parse(payload: Any) -> list[Listed]:
    """Return the models in an answer, each once, in order; raise `CatalogFault` if it has none of the known shapes."""
    entries = payload
    if isinstance(payload, dict):
        entries = payload.get("data") if isinstance(payload.get("data"), list) else payload.get("models")
    if not isinstance(entries, list):
        raise CatalogFault("The answer is no list of models.")
    found: dict[str, Listed] = {}
    for listed in _each(entries[:MODELS_AT_MOST]):
        found.setdefault(listed.model_id.lower(), listed)
    return list(found.values())


def _each(entries: list[Any]) -> Iterator[Listed]:
    for entry in entries:
        listed = Listed(entry.strip()) if isinstance(entry, str) else _from_object(entry)
        if listed and _is_name(listed.model_id):
            yield listed


def _is_name(text: str) -> bool:
    """Tell whether a text can be asked for; what is left of a damaged one is another name."""
    return 0 < len(text) <= NAME_LIMIT and text.isprintable() and fastjson.LOST not in text


def _from_object(entry: Any) -> Listed | None:
    if not isinstance(entry, dict):
        return None
    name = next((entry[key] for key in ("id", "slug", "name", "model") if isinstance(entry.get(key), str)), "")
    methods = entry.get("supportedGenerationMethods")
    if isinstance(methods, list) and not USEFUL_METHODS & {method for method in methods if isinstance(method, str)}:
        return None
    if _text(entry.get("visibility")) in HIDDEN:
        return None
    limits = {**abilities.within(entry, "top_provider"), **entry}
    if entry.get("type") == "model":  # Anthropic's word for the longest answer; others mean the context by it
        limits.setdefault("max_output_tokens", entry.get("max_tokens"))
    return Listed(
        model_id=name.strip().removeprefix("models/"),
        display_name=_text(entry.get("display_name") or entry.get("displayName") or entry.get("name")),
        created=_moment(entry.get("created", entry.get("created_at", entry.get("modified_at")))),
        context_window=_first_number(entry, CONTEXT_FIELDS),
        max_output_tokens=_first_number(limits, OUTPUT_FIELDS),
        supports_reasoning=abilities.reasons(entry),
        supports_tools=abilities.uses_tools(entry),
        tool_types=tuple(filter(None, map(_text, _list(entry.get("tool_types")))))[:32],
        supports_schema=abilities.keeps_schema(entry),
        inputs=abilities.inputs(entry),
        outputs=abilities.outputs(entry),
        price=abilities.price(entry),
    )


def next_page(payload: Any) -> tuple[str, str] | None:
    """Return the query parameter that asks for the rest of a list, or nothing: Gemini's and Anthropic's ways."""
    if not isinstance(payload, dict):
        return None
    for name, value in (
        ("pageToken", payload.get("nextPageToken")),
        ("after_id", payload.get("last_id") if payload.get("has_more") is True else None),
    ):
        if isinstance(value, str) and value:
            return name, value
    return None


def _first_number(entry: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        value = entry.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < LARGEST:
            return int(value)
    return None


def _moment(value: Any) -> int:
    if isinstance(value, str):
        try:
            return max(0, int(datetime.fromisoformat(value).timestamp()))
        except (ValueError, OverflowError):
            return 0
    return _first_number({"value": value}, ("value",)) or 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "".join(filter(str.isprintable, value))[:NAME_LIMIT] if isinstance(value, str) else ""
