"""Gemini's token probabilities -> token objects as OpenAI writes them."""

from typing import Any

_MOST = 20


def read_logprobs(result: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the chosen tokens with their likeliest alternatives; empty for what is no list of tokens."""
    chosen = _tokens(result.get("chosenCandidates"))
    steps = result.get("topCandidates")
    tops = [_tokens(one.get("candidates")) if isinstance(one, dict) else [] for one in steps or ()]
    tops += [[]] * (len(chosen) - len(tops))
    return tuple({**token, "top_logprobs": top[:_MOST]} for token, top in zip(chosen, tops, strict=False))


def _tokens(found: object) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        return []
    return [
        {"token": one["token"], "logprob": one["logProbability"], "bytes": list(one["token"].encode(errors="replace"))}
        for one in found
        if isinstance(one, dict)
        and isinstance(one.get("token"), str)
        and isinstance(one.get("logProbability"), int | float)
    ]
