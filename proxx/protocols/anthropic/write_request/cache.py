"""Cache marks: at most four, and none of an hour after one of five minutes.

Marks stand where their blocks do; what is cached is everything before: tools, then system, then messages. The first of
tools and system matters most, for it is shared by all conversations, and of the rest the latest ones.
"""

from collections.abc import Iterable
from typing import Any

from proxx.protocols.hub.losses import Losses

MOST = 4
LONG = "1h"

Json = dict[str, Any]


def limit_marks(body: Json, losses: Losses) -> None:
    """Take marks above the limit off a body and shorten those that last too long for their place, in place."""
    fixed = [block for block in [*body.get("tools", ()), *body.get("system", ())] if "cache_control" in block]
    said = [block for message in body["messages"] for block in _marked(message["content"])]
    most = MOST - ("cache_control" in body)
    kept = _kept(fixed, said, most)
    for block in [*fixed, *said]:
        if not any(block is one for one in kept):
            del block["cache_control"]
    if len(kept) < len(fixed) + len(said):
        losses.drop("cache_control", "only four marks are taken")
    _shorten(kept + ([body] if "cache_control" in body else []), losses)


def _marked(blocks: Iterable[Any]) -> Iterable[Json]:
    for block in blocks:
        if not isinstance(block, dict):
            continue  # inside a hosted result, which goes as it came
        inner = block.get("content")
        if isinstance(inner, list):
            yield from _marked(inner)
        if "cache_control" in block:
            yield block


def _kept(fixed: list[Json], said: list[Json], most: int) -> list[Json]:
    everything = [*fixed, *said]
    if len(everything) <= most:
        return everything
    first = fixed[:1]
    rest = everything[len(first) :]
    return first + rest[len(rest) - (most - len(first)) :]


def _shorten(marked: list[Json], losses: Losses) -> None:
    short = False
    for block in marked:
        mark = block["cache_control"]
        if mark.get("ttl") != LONG:
            short = True
        elif short:
            block["cache_control"] = mark | {"ttl": "5m"}
            losses.drop("cache_control.ttl", "an hour cannot follow five minutes")
