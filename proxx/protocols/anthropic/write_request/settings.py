"""Everything of a request that is neither conversation nor tools: sampling, limits, identity, tier, output."""

import hashlib
from typing import Any

from proxx.protocols.anthropic.read_request.shapes import FAMILY
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.reasoning import ClaudeThinking
from proxx.protocols.hub.request import Request, Sampling
from proxx.protocols.hub.target import Target

DEFAULT_LIMIT = 32_000  # tokens of output when nobody says, where the model's own limit is known
CAREFUL_LIMIT = 8192  # and where it is not
LONGEST_USER = 256

Json = dict[str, Any]
_STRICTER = "BLOCK_LOW_AND_ABOVE"  # of Gemini's settings, the only one that asks for more than models do by themselves

# What this dialect has no word for, with the value that changes nothing.
_UNSAID: tuple[tuple[str, object], ...] = (
    ("min_p", 0),
    ("frequency_penalty", 0),
    ("presence_penalty", 0),
    ("repeat_penalty", 1),
    ("seed", None),
    ("logit_bias", {}),
    ("logprobs", False),
    ("top_logprobs", 0),
)


def refuse_state(request: Request, losses: Losses) -> None:
    """Refuse what would make the answer another one if it were left out; note what would not."""
    state = request.state
    for name, said in (
        ("previous_response_id", state.previous_response_id),
        ("conversation", state.conversation),
        ("prompt", state.prompt),
        ("background", state.background),
    ):
        if said:
            losses.refuse(name, "only OpenAI keeps it")
    if state.truncation == "auto":
        losses.drop("truncation", "a conversation that is too long is refused")
    if (request.sampling.n or 1) > 1:
        losses.refuse("n", "this dialect gives one answer")
    for modality in request.output.modalities:
        if modality.lower() != "text":
            losses.refuse("modalities", "this dialect answers in text")
    if request.output.verbosity:
        losses.drop("verbosity", "this dialect has no such setting")
    if any(setting.get("threshold") == _STRICTER for setting in request.safety_settings):
        losses.drop("safetySettings", "this vendor's own limits apply")


def limit_of(request: Request, target: Target, losses: Losses) -> int:
    """Return the limit of the output, which this dialect demands."""
    known = target.facts.max_output
    limit = request.max_output
    if limit is None:
        limit = target.default_max_output or (DEFAULT_LIMIT if known else CAREFUL_LIMIT)
        return min(limit, known or limit)
    if known and limit > known:
        losses.drop("max_tokens", f"this model writes at most {known}")
        return known
    return max(1, limit)


def write_sampling(request: Request, target: Target, losses: Losses, *, thinking: ClaudeThinking) -> Json:
    """Return temperature, top_p, top_k and stop_sequences, as far as the model takes them."""
    sampling, facts = request.sampling, target.facts
    for name, harmless in _UNSAID:
        if getattr(sampling, name) not in (None, harmless):
            losses.drop(name, "this dialect has no such setting")
    told: Json = {}
    stops = [one for one in sampling.stop if one.strip()]
    if stops:
        told["stop_sequences"] = stops
    if facts.sampling is False:
        _drop_sampling(sampling, losses)
        return told
    return told | _temperature(sampling, losses, thinking=thinking) | _tops(request, target, losses, thinking=thinking)


def _drop_sampling(sampling: Sampling, losses: Losses) -> None:
    for name, default in (("temperature", 1), ("top_p", 1), ("top_k", None)):
        if getattr(sampling, name) not in (None, default):
            losses.drop(name, "this model does not take it")


def _temperature(sampling: Sampling, losses: Losses, *, thinking: ClaudeThinking) -> Json:
    temperature = sampling.temperature
    if temperature is None:
        return {}
    if thinking.on:
        if temperature != 1:
            losses.drop("temperature", "it is not taken while the model thinks")
        return {}
    if temperature > 1:
        losses.drop("temperature", "1 is the highest here")
    return {"temperature": min(temperature, 1)}


def _tops(request: Request, target: Target, losses: Losses, *, thinking: ClaudeThinking) -> Json:
    sampling, told = request.sampling, {}
    if sampling.top_p is not None:
        if thinking.on and sampling.top_p < 0.95:
            losses.drop("top_p", "so low a value is not taken while the model thinks")
        elif target.facts.one_sampling and sampling.temperature is not None:
            losses.drop("top_p", "this model takes either temperature or top_p")
        else:
            told["top_p"] = sampling.top_p
    if sampling.top_k is not None:
        if thinking.on:
            losses.drop("top_k", "it is not taken while the model thinks")
        else:
            told["top_k"] = sampling.top_k
    return told


def user_of(request: Request) -> str:
    """Return the user's id; a hash of one that is too long, or that names a person."""
    user = request.user_id or request.safety_identifier
    if len(user) > LONGEST_USER or "@" in user:
        return hashlib.sha256(user.encode(errors="replace")).hexdigest()
    return user


def tier_of(request: Request, target: Target, losses: Losses) -> str:
    """Return the service tier; empty: say nothing."""
    if not request.service_tier:
        return ""
    if target.facts.family != FAMILY:
        losses.drop("service_tier", "only Anthropic has such tiers")
        return ""
    return "standard_only" if request.service_tier in ("default", "flex", "standard_only") else "auto"
