"""Sampling, limits, thinking, form of the answer -> Gemini's `generationConfig`."""

from typing import Any

from proxx.protocols.gemini.write_request.tools import SUBSET_SCHEMAS
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.reasoning import gemini_thinking
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.schemas import cleaned
from proxx.protocols.hub.target import Target

MOST_STOPS = 5
MOST_CHOICES = 8
MOST_LOGPROBS = 20
LARGEST_SEED = 2**31 - 1

_TIERS = {"flex": "FLEX", "priority": "PRIORITY", "standard": "STANDARD", "": "", "auto": "", "default": ""}
_NO_COUNTERPART = ("min_p", "repeat_penalty", "logit_bias")


def write_config(request: Request, target: Target, losses: Losses, *, form: bool) -> dict[str, Any]:
    """Return the config, empty if nothing is said; `form` says whether the form of the answer belongs to it."""
    sampling = request.sampling
    for name in _NO_COUNTERPART:
        if getattr(sampling, name) is not None:
            losses.drop(name, "Gemini has no such setting")
    config: dict[str, Any] = {
        "temperature": _at_most(sampling.temperature, 2.0, "temperature", losses),
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "candidateCount": _choices(sampling.n, losses),
        "maxOutputTokens": _limit(request, target, losses),
        "stopSequences": list(sampling.stop[:MOST_STOPS]) or None,
        "seed": _seed(sampling.seed, losses),
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
        "thinkingConfig": gemini_thinking(request, target, losses) or None,
    }
    if sampling.logprobs:
        config["responseLogprobs"] = True
        config["logprobs"] = None if sampling.top_logprobs is None else min(sampling.top_logprobs, MOST_LOGPROBS)
    if form:
        config |= _form(request, target)
    config["responseModalities"] = _modalities(request, losses)
    if request.output.verbosity:
        losses.drop("verbosity", "Gemini has no such setting")
    return {name: value for name, value in config.items() if value is not None}


def tier(request: Request, losses: Losses) -> str:
    """Return Gemini's name of the service tier; empty for the usual one."""
    found = _TIERS.get(request.service_tier.lower())
    if found is None:
        losses.drop("service_tier", "Gemini has no such tier")
    return found or ""


def refuse_state(request: Request, losses: Losses) -> None:
    """Refuse what only a server that keeps conversations can do; note what is merely not done."""
    state = request.state
    for name in ("previous_response_id", "conversation", "background", "prompt"):
        if getattr(state, name):
            losses.refuse(name, "this model's provider keeps no such state")
    if state.truncation not in ("", "disabled"):
        losses.drop("truncation", "Gemini does not shorten conversations")
    if request.max_tool_calls is not None:
        losses.drop("max_tool_calls", "Gemini has no such limit")


def _limit(request: Request, target: Target, losses: Losses) -> int | None:
    most = target.facts.max_output
    if request.max_output is None or most is None or request.max_output <= most:
        return request.max_output
    losses.drop("max_output_tokens", f"more than the model's {most}")
    return most


def _choices(number: int | None, losses: Losses) -> int | None:
    if number is not None and number > MOST_CHOICES:
        losses.refuse("n", f"at most {MOST_CHOICES} answers can be asked for")
    return number if number != 1 else None


def _seed(seed: int | None, losses: Losses) -> int | None:
    if seed is None or -LARGEST_SEED <= seed <= LARGEST_SEED:
        return seed
    losses.drop("seed", "larger than Gemini takes")
    return None


def _at_most(number: float | None, most: float, field: str, losses: Losses) -> float | None:
    if number is None or number <= most:
        return number
    losses.drop(field, f"at most {most:g}")
    return most


def _form(request: Request, target: Target) -> dict[str, Any]:
    wish = request.output
    if wish.format not in ("json", "schema"):
        return {}
    form: dict[str, Any] = {"responseMimeType": "application/json"}
    if wish.format == "schema" and wish.schema is not None:
        if SUBSET_SCHEMAS in target.quirks:
            form["responseSchema"] = cleaned(wish.schema)[0]
        else:
            form["responseJsonSchema"] = wish.schema
    return form


def _modalities(request: Request, losses: Losses) -> list[str] | None:
    wished = request.output.modalities
    if not wished or set(wished) == {"text"}:
        return None
    if not set(wished) <= {"text", "image"}:
        losses.refuse("modalities", "speech can only be asked for in Gemini's own dialect")
    return [one.upper() for one in wished]
