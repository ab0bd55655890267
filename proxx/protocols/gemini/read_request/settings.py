"""Gemini's generationConfig -> sampling, reasoning, form of the answer."""

from typing import Any

from proxx.protocols.gemini.read_request.fields import Object, flag, named, number, text, texts, whole_number, wrong
from proxx.protocols.gemini.read_request.schema import read_schema
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.reasoning import effort_named, effort_of_budget
from proxx.protocols.hub.request import OutputWish, ReasoningWish, Sampling

CONFIG = "generationConfig"
SCHEMAS = ("responseJsonSchema", "_responseJsonSchema", "responseSchema")
JSON = "application/json"

_READ = frozenset(
    {"temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty"}
    | {"frequencyPenalty", "responseLogprobs", "logprobs", "responseMimeType", "responseModalities", "thinkingConfig"}
    | set(SCHEMAS)
)


def read_config(found: object, losses: Losses) -> Object:
    """Return the members of `generationConfig`; note those that no other dialect has a word for."""
    config = named(found, CONFIG)
    for name, value in config.items():
        if name not in _READ and value is not None:
            losses.drop(f"{CONFIG}.{name}", "unknown to other dialects")
    return config


def read_sampling(config: Object) -> Sampling:
    """Read how words are chosen."""
    return Sampling(
        temperature=number(config, "temperature", CONFIG),
        top_p=number(config, "topP", CONFIG),
        top_k=whole_number(config, "topK", CONFIG),
        frequency_penalty=number(config, "frequencyPenalty", CONFIG),
        presence_penalty=number(config, "presencePenalty", CONFIG),
        seed=whole_number(config, "seed", CONFIG),
        n=whole_number(config, "candidateCount", CONFIG),
        stop=texts(config, "stopSequences", CONFIG),
        logprobs=flag(config, "responseLogprobs", CONFIG),
        top_logprobs=whole_number(config, "logprobs", CONFIG),
    )


def read_limit(config: Object) -> int | None:
    """Read the output limit."""
    return whole_number(config, "maxOutputTokens", CONFIG)


def read_reasoning(config: Object, losses: Losses) -> ReasoningWish:
    """Read how much to think and what to show of it."""
    param = f"{CONFIG}.thinkingConfig"
    thinking = named(config.get("thinkingConfig"), param)
    shown = flag(thinking, "includeThoughts", param)
    show = "" if shown is None else "summary" if shown else "none"
    budget = whole_number(thinking, "thinkingBudget", param)
    level = text(thinking, "thinkingLevel", param).lower()
    if level == "thinking_level_unspecified":
        level = ""
    if level:
        return ReasoningWish(effort_named(level, losses, field=f"{param}.thinkingLevel"), None, show)
    if budget is None:
        return ReasoningWish(show=show)
    return ReasoningWish(effort_of_budget(budget), budget if budget > 0 else None, show)


def read_output(config: Object, losses: Losses) -> OutputWish:
    """Read the form of the answer."""
    media_type = text(config, "responseMimeType", CONFIG).lower()
    modalities = tuple(one.lower() for one in texts(config, "responseModalities", CONFIG))
    if media_type == "text/x.enum":
        losses.refuse(f"{CONFIG}.responseMimeType", "other models cannot answer with a bare enum value")
    name = next((name for name in SCHEMAS if config.get(name) is not None), "")
    if media_type in ("", "text/plain") and not (name and not media_type):
        return OutputWish("text" if media_type else "", modalities=modalities)
    return OutputWish("schema" if name else "json", _schema(config, name), modalities=modalities)


def _schema(config: Object, name: str) -> dict[str, Any] | None:
    if not name:
        return None
    if name == "responseSchema":
        return read_schema(config[name], f"{CONFIG}.{name}")
    if not isinstance(config[name], dict):
        raise wrong(f"{CONFIG}.{name}", "an object")
    return dict(config[name])
