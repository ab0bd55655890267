"""Public lists of model facts -> the entries of facts_file.py. Pure.

Three shapes are read: models.dev's `api.json` (providers, each with models), LiteLLM's
`model_prices_and_context_window.json` (one entry per provider and model) and Helicone's `llm-costs` (prices alone, also
for all names that begin with a word or hold it); and our own. Providers that proxx does not
know are left out, save makers of open models, whose facts hold wherever those run.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from routing import pricing
from routing.facts_file import DOES, MODELS_AT_MOST, READS, FactsFault

Entries = dict[str, dict[str, dict[str, Any]]]  # provider id -> model -> entry

# Whose word on a model holds at other providers, too; the first that knows a name counts.
MAKERS = (
    *("openai", "anthropic", "gemini", "mistral", "zai", "deepseek", "moonshot", "xai"),
    *("meta", "alibaba", "minimax", "nvidia", "cohere"),
)


def read(data: Any) -> Entries:
    """Return the entries in a public list; raise `FactsFault` for what is none of the known shapes."""
    if not isinstance(data, dict) or not data:
        raise FactsFault("This is no list of model facts.")
    if isinstance(data.get("providers"), dict):
        return {one: dict(models) for one, models in data["providers"].items() if isinstance(models, dict)}
    values = [value for value in data.values() if isinstance(value, dict)]
    if any(isinstance(value.get("models"), dict) for value in values):
        return _gathered(_models_dev(data))
    if any("litellm_provider" in value for value in values):
        return _gathered(_litellm(data))
    if isinstance(data.get("data"), list):
        return _gathered(_helicone(data["data"]))
    raise FactsFault("This is neither models.dev's list nor LiteLLM's nor Helicone's.")


def joined(lists: list[Entries]) -> Entries:
    """Return all entries; where several lists have a model, the first counts, member by member."""
    whole: Entries = {}
    for entries in lists:
        for provider_id, models in entries.items():
            own = whole.setdefault(provider_id, {})
            for name, entry in models.items():
                own[name] = {**entry, **own.get(name, {})}
    return whole


def _gathered(found: Iterator[tuple[str, str, dict[str, Any]]]) -> Entries:
    whole: Entries = {}
    for count, (provider_id, name, entry) in enumerate(found):
        if count >= MODELS_AT_MOST:
            raise FactsFault(f"A list of facts holds {MODELS_AT_MOST} models at most.")
        if entry and 0 < len(name) <= 200:
            whole.setdefault(provider_id, {}).setdefault(name.lower(), entry)
    return whole


def _models_dev(data: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for said, provider_id in MODELS_DEV_PROVIDERS.items():
        models = _object(_object(data.get(said)).get("models"))
        for name, model in models.items():
            if isinstance(model, dict):
                yield provider_id, str(name), _from_models_dev(model)


def _from_models_dev(model: Mapping[str, Any]) -> dict[str, Any]:
    limit, kinds, cost = (_object(model.get(key)) for key in ("limit", "modalities", "cost"))
    reads = [word for word in _list(kinds.get("input")) if isinstance(word, str)]
    able: dict[str, bool | None] = {
        "images": "image" in reads if reads else None,
        "audio": "audio" in reads if reads else None,
        "video": "video" in reads if reads else None,
        "pdf": True if "pdf" in reads else None,
        "tools": _flag(model.get("tool_call")),
        "schema": _flag(model.get("structured_output")),
        "reasoning": _flag(model.get("reasoning")),
    }
    makes = [word for word in _list(kinds.get("output")) if word in {"text", "image", "audio"}]
    price = _rates(cost, MODELS_DEV_RATES, per_tokens=1_000_000)
    tiers = [
        {"above": size, **_rates(row, MODELS_DEV_RATES, per_tokens=1_000_000)}
        for row in _list(cost.get("tiers"))
        if isinstance(row, dict) and (size := _whole(_object(row.get("tier")).get("size")))
    ]
    long = _rates(_object(cost.get("context_over_200k")), MODELS_DEV_RATES, per_tokens=1_000_000)
    if long and not tiers:
        tiers = [{"above": 200_000, **long}]
    return _entry(limit.get("context"), limit.get("output"), able, makes, price, tiers)


def _litellm(data: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, model in data.items():
        said = model.get("litellm_provider") if isinstance(model, dict) else None
        provider_id = LITELLM_PROVIDERS.get(said) if isinstance(said, str) else None
        if provider_id is not None:
            yield provider_id, name.removeprefix(f"{said}/"), _from_litellm(model)


def _from_litellm(model: Mapping[str, Any]) -> dict[str, Any]:
    able = {ability: _flag(model.get(key)) for ability, key in LITELLM_ABILITIES.items()}
    makes = LITELLM_MAKES.get(str(model.get("mode")), [])
    price = _rates(model, LITELLM_RATES, per_tokens=1)
    if (image := _dollars(model.get("output_cost_per_image"), per_tokens=1_000_000)) is not None:
        price["image"] = image
    if (searches := _object(model.get("search_context_cost_per_query"))) and (
        each := _dollars(searches.get("search_context_size_medium"), per_tokens=1_000_000)
    ):
        price["search"] = each
    tiers = []
    for service, mark in (("", ""), *LITELLM_SERVICES.items()):
        for thousands in (0, *LITELLM_SIZES) if service else LITELLM_SIZES:
            size = f"_above_{thousands}k_tokens" if thousands else ""
            names = {rate: f"{LITELLM_RATES[rate]}{size}{mark}" for rate in pricing.TIER_RATES}
            if rates := _rates(model, names, per_tokens=1):
                tiers.append({"above": thousands * 1000} | ({"service": service} if service else {}) | rates)
    longest = model.get("max_output_tokens", model.get("max_tokens") if makes == ["text"] else None)
    return _entry(model.get("max_input_tokens"), longest, able, makes, price, tiers)


def _helicone(rows: list[Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Prices only, each for a name, for what begins with it, or for what holds it: an asterisk stands for the rest."""
    for row in rows:
        model = row.get("model") if isinstance(row, dict) else None
        mark = HELICONE_OPERATORS.get(str(row.get("operator"))) if isinstance(model, str) and "*" not in model else None
        provider = str(row.get("provider")).lower() if mark else ""
        if mark and (provider_id := HELICONE_PROVIDERS.get(provider)):
            price = _rates(row, HELICONE_RATES, per_tokens=1_000_000)
            yield provider_id, mark.format(model), _entry(None, None, {}, [], price, [])


def _entry(
    context: Any,
    output: Any,
    able: Mapping[str, bool | None],
    makes: list[str],
    price: dict[str, Any],
    tiers: list[dict[str, Any]],
) -> dict[str, Any]:
    letters = {**READS, **DOES}
    said = {
        "context": _whole(context),
        "output": _whole(output),
        "reads": "".join(letters[name] for name in READS if able.get(name)),
        "does": "".join(letters[name] for name in DOES if able.get(name)),
        "lacks": "".join(letters[name] for name, value in able.items() if value is False),
        "makes": makes,
        # Half a price would make calls look cheap.
        "price": price | ({"tiers": tiers} if tiers else {}) if {"input", "output"} <= price.keys() else None,
    }
    return {name: value for name, value in said.items() if value}


def _rates(source: Mapping[str, Any], names: Mapping[str, str], *, per_tokens: int) -> dict[str, Any]:
    found = {rate: _dollars(source.get(key), per_tokens=per_tokens) for rate, key in names.items()}
    return {rate: dollars for rate, dollars in found.items() if dollars is not None}


def _dollars(value: Any, *, per_tokens: int) -> float | int | None:
    """Return dollars per million tokens, without the dust that multiplying floats leaves."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        return None
    exact = (Decimal(str(value)) * 1_000_000 / per_tokens).normalize()
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**53 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


MODELS_DEV_PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "gemini",
    "mistral": "mistral",
    "zai": "zai",
    "deepseek": "deepseek",
    "moonshotai": "moonshot",
    "xai": "xai",
    "groq": "groq",
    "cerebras": "cerebras",
    "fireworks-ai": "fireworks",
    "togetherai": "together",
    "openrouter": "openrouter",
    "requesty": "requesty",
    "opencode": "zen",
    "vivgrid": "vivgrid",
    "ollama-cloud": "ollama-cloud",
    "llama": "meta",
    "alibaba": "alibaba",
    "minimax": "minimax",
    "nvidia": "nvidia",
    "cohere": "cohere",
}
LITELLM_PROVIDERS = {
    "openai": "openai",
    "text-completion-openai": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
    "mistral": "mistral",
    "zai": "zai",
    "deepseek": "deepseek",
    "moonshot": "moonshot",
    "xai": "xai",
    "groq": "groq",
    "cerebras": "cerebras",
    "fireworks_ai": "fireworks",
    "together_ai": "together",
    "openrouter": "openrouter",
    "cohere_chat": "cohere",
    "dashscope": "alibaba",
    "minimax": "minimax",
}
MODELS_DEV_RATES = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "reasoning": "reasoning",
    "audio_in": "input_audio",
    "audio_out": "output_audio",
}
LITELLM_RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
    "audio_in": "input_cost_per_audio_token",
    "audio_out": "output_cost_per_audio_token",
    "image_in": "input_cost_per_image_token",
    "image_out": "output_cost_per_image_token",
}
LITELLM_SIZES = (128, 200, 256, 272)  # thousands of tokens
LITELLM_SERVICES = {"flex": "_flex", "priority": "_priority", "batch": "_batches"}
HELICONE_OPERATORS = {"equals": "{}", "startsWith": "{}*", "includes": "*{}*"}
HELICONE_PROVIDERS = {
    **{one: one for one in ("openai", "anthropic", "groq", "mistral", "openrouter", "deepseek", "cohere", "nvidia")},
    **{"google": "gemini", "x": "xai", "together": "together", "fireworks": "fireworks", "cerebras": "cerebras"},
}
HELICONE_RATES = {
    "input": "input_cost_per_1m",
    "output": "output_cost_per_1m",
    "cache_read": "prompt_cache_read_per_1m",
    "cache_write": "prompt_cache_write_per_1m",
}
LITELLM_ABILITIES = {
    "images": "supports_vision",
    "audio": "supports_audio_input",
    "pdf": "supports_pdf_input",
    "video": "supports_video_input",
    "tools": "supports_function_calling",
    "schema": "supports_response_schema",
    "reasoning": "supports_reasoning",
}
LITELLM_MAKES = {
    "chat": ["text"],
    "completion": ["text"],
    "responses": ["text"],
    "embedding": ["embedding"],
    "image_generation": ["image"],
    "audio_speech": ["audio"],
    "audio_transcription": ["text"],
}
