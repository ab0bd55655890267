"""Limits, sampling, identity, caching and the rest of one body, for OpenAI itself and for its imitators."""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from proxx.protocols.hub.cuts import StopAt
from proxx.protocols.hub.parts import Text, ToolResult
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.write_request.ask import Ask
from proxx.protocols.spec import Mend

Json = dict[str, Any]

MOST_STOPS = 4
_NOT_FOR_THINKERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs")
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "n", "logit_bias", "logprobs")
_IMITATORS = (
    ("top_k", "top_k"),
    ("min_p", "min_p"),
    ("repeat_penalty", "repetition_penalty"),
    ("typical_p", "typical_p"),
)
_RUNTIME = ("typical_p",)
_PROBABILITIES = ("logprobs", "top_logprobs", "logit_bias")
_UNKNOWN = (("no_logprobs", _PROBABILITIES), ("mistral_members", _PROBABILITIES))
_TIERS = {"standard_only": "default"}  # Messages' word
_SAFETY_OFF = ("OFF", "BLOCK_NONE")


def write_options(ask: Ask) -> Json:
    """Return all members that are neither messages, tools, stops, thinking nor form."""
    members: Json = {}
    if ask.request.max_output is not None:
        named = "max_tokens" if "max_tokens_name" in ask.quirks else ask.target.facts.limit_name or "max_tokens"
        members[named] = ask.request.max_output
    members |= _sampling(ask)
    members |= _of_the_platform(ask)
    _note(ask)
    return members


def _sampling(ask: Ask) -> Json:
    sampling = ask.request.sampling
    said: Json = {name: value for name in _SAMPLING if (value := getattr(sampling, name)) is not None}
    if sampling.top_logprobs is not None and sampling.logprobs:
        said["top_logprobs"] = sampling.top_logprobs
    if ask.target.facts.sampling is False:
        for name in _NOT_FOR_THINKERS:
            if name in said and said.pop(name) not in (1, False) and name != "top_logprobs":
                ask.losses.drop(name, "this model does not take it")
    for quirk, names in _UNKNOWN:
        for name in names if quirk in ask.quirks else ():
            if said.pop(name, None) and name != "top_logprobs":
                ask.losses.drop(name, "it has no such setting")
    if "mistral_members" in ask.quirks and "seed" in said:
        said["random_seed"] = said.pop("seed")
    if ask.target.facts.one_sampling and "temperature" in said and "top_p" in said:
        del said["top_p"]
        ask.losses.drop("top_p", "this model takes only one of temperature and top_p")
    for name, spelled, value in _of_imitators(ask):
        if "knows_top_k" in ask.quirks:
            said[spelled] = value
        else:
            ask.losses.drop(name, "it has no such setting")
    return said


def _of_imitators(ask: Ask) -> Iterator[tuple[str, str, Any]]:
    for name, spelled in _IMITATORS:
        value = (ask.request.runtime or {}).get(name) if name in _RUNTIME else getattr(ask.request.sampling, name)
        if value is not None:
            yield name, spelled, value


def write_stops(ask: Ask) -> tuple[Json, tuple[Mend, ...]]:
    """Return `stop`, and the mend for those sequences that the upstream cannot be told."""
    stops = ask.request.sampling.stop
    facts = ask.target.facts
    most = 0 if ask.platform and facts.family == "gpt" and facts.sampling is False else MOST_STOPS
    told, others = stops[:most], stops[most:]
    mends = (StopAt(others, choices=ask.request.sampling.n or 1),) if others else ()
    return ({"stop": list(told)} if told else {}), mends


def _of_the_platform(ask: Ask) -> Json:
    """Return what OpenAI itself takes; note what others would not understand and the client would miss."""
    request = ask.request
    tier = _TIERS.get(request.service_tier, request.service_tier)
    if not ask.platform:
        if tier and tier not in ("auto", "default"):
            ask.losses.drop("service_tier", "it has no such tiers")
        if request.output.verbosity:
            ask.losses.drop("verbosity", "it has no such setting")
        return {"prompt_cache_key": request.cache.key} if request.cache.key and ask.marks_cache else {}
    found = {
        "service_tier": tier,
        "verbosity": request.output.verbosity,
        "user": request.user_id,
        "safety_identifier": request.safety_identifier,
        "prompt_cache_key": request.cache.key or _cache_key(ask),
        "metadata": request.metadata,
        "store": request.state.store,
        "modalities": list(request.output.modalities) if request.dialect == NAME else None,
    }
    return {name: value for name, value in found.items() if value not in ("", None, [])}


def _cache_key(ask: Ask) -> str:
    """Return a key for requests that mark what to cache, made of what stays the same while a conversation grows."""
    request = ask.request
    marked = request.cache.mark is not None or any(tool.cache for tool in request.tools)
    turns = (*request.instructions, *request.turns)
    if not marked and not any(
        isinstance(part, Text | ToolResult) and part.cache for turn in turns for part in turn.parts
    ):
        return ""
    texts = [part.text for turn in request.instructions for part in turn.parts if isinstance(part, Text)]
    stable = orjson.dumps([texts, [(tool.namespace, tool.name) for tool in request.tools]])
    return f"gw-{hashlib.sha256(stable).hexdigest()[:32]}"


def refuse_state(ask: Ask) -> None:
    """Refuse what only the vendor that keeps it could resolve, and media that this path cannot answer with."""
    state = ask.request.state
    for name in ("previous_response_id", "conversation", "background", "prompt"):
        if getattr(state, name):
            ask.losses.refuse(name, "it lives on another provider's server")
    if any(modality != "text" for modality in ask.request.output.modalities) and ask.request.dialect != NAME:
        ask.losses.refuse("modalities", "it answers in text only")


def _note(ask: Ask) -> None:
    request = ask.request
    if request.max_tool_calls is not None:
        ask.losses.drop("max_tool_calls", "it has no such limit")
    if request.state.truncation not in ("", "disabled"):
        ask.losses.drop("truncation", "it does not shorten conversations")
    if any(str(setting.get("threshold")) not in _SAFETY_OFF for setting in request.safety_settings):
        ask.losses.drop("safetySettings", "it filters by its own rules")
