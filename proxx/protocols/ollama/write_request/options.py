"""Sampling, limits and the machine's own settings -> `options`."""

from typing import Any

from proxx.protocols.hub.estimate import tokens
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target

USUAL_CONTEXT = 4096  # tokens: what servers give a model if nobody asks for more
ROOM = 1024  # tokens for an answer without a limit of its own

_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
)


def written_options(request: Request, target: Target, losses: Losses) -> dict[str, Any]:
    """Return the options, possibly none."""
    options = dict(request.runtime or {})
    for name in _SAMPLING:
        value = getattr(request.sampling, name)
        if value is not None:
            options[name] = value
    if request.sampling.stop:
        options["stop"] = list(request.sampling.stop)
    limit = request.max_output
    if limit is not None:
        most = target.facts.max_output
        if most is not None and limit > most:
            losses.drop("max_tokens", "lowered to the model's own limit")
            limit = most
        options["num_predict"] = limit
    if "num_ctx" not in options:
        context = _context(request, target)
        if context:
            options["num_ctx"] = context
    return options


def _context(request: Request, target: Target) -> int | None:
    """Return the context to ask for: None where the usual one is enough, or the model's window is not known.

    The server cuts nothing off (D111), so a long history would be refused for want of room that the model has. Powers
    of two, because the model is loaded anew for each other size.
    """
    window = target.facts.context_window
    if window is None:
        return None
    needed = tokens(request, family=target.facts.family) + (request.max_output or ROOM)
    if needed <= USUAL_CONTEXT:
        return None
    return min(window, 1 << (needed - 1).bit_length())
