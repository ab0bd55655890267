"""Anthropic's models: what each family takes, and the pages that list them.

The family is read from the name (`claude-opus-4-6`, `claude-x-4-5-20250929`). Other names stand for a model that takes
every kind of thinking, as those before 4.6 take sampling and prefills.
"""

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from tests.upstreams.answer import Answer, Refused, whole
from tests.upstreams.anthropic_refusals import anthropic, invalid
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import World

CREATED = "2025-01-01T00:00:00Z"
_NAME = re.compile(r"claude-(?:[a-z]+-)?(?P<major>\d)(?:-(?P<minor>\d))?(?:-\d{8})?")
EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Family:
    """What a model takes."""

    manual: bool = True  # thinking.type enabled
    adaptive: bool = True
    prefill: bool = True
    sampling: bool = True
    shows_thoughts: bool = True  # unless thinking.display says otherwise
    system_turns: bool = False  # role system among the messages
    efforts: tuple[str, ...] = EFFORTS
    most_tokens: int = 128_000


UNKNOWN = Family()


def family(model: str) -> Family:
    """Return what a model of this name takes."""
    found = _NAME.fullmatch(model)
    if found is None:
        return UNKNOWN
    version = (int(found["major"]), int(found["minor"] or 0))
    if version <= (4, 5):
        efforts = EFFORTS[:3] if "opus" in model and version == (4, 5) else ()
        return Family(adaptive=False, efforts=efforts, most_tokens=64_000)
    if version == (4, 6):
        return Family(prefill=False, efforts=("low", "medium", "high", "max"))
    later = Family(manual=False, prefill=False, sampling=False, shows_thoughts=False)
    return replace(later, system_turns=version >= (4, 8))


def listed(arrival: Arrival, world: World) -> Answer:
    """List the models, a page at a time: `limit`, `after_id`, `before_id`."""
    query = {name: values[0] for name, values in parse_qs(arrival.query).items()}
    limit = query.get("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit) <= 1000:
        raise Refused(invalid("limit: Input should be between 1 and 1000"))
    names = list(world.models)
    if query.get("after_id") in names:
        names = names[names.index(query["after_id"]) + 1 :]
    if query.get("before_id") in names:
        names = names[: names.index(query["before_id"])]
        page, more = names[-int(limit) :], len(names) > int(limit)
    else:
        page, more = names[: int(limit)], len(names) > int(limit)
    data = [_model(name) for name in page]
    ends = {"first_id": page[0] if page else None, "last_id": page[-1] if page else None}
    return whole(200, {"data": data, "has_more": more, **ends})


def shown(arrival: Arrival, world: World) -> Answer:
    """Show one model."""
    name = arrival.path.partition("/models/")[2]
    if name not in world.models:
        raise Refused(anthropic(404, "not_found_error", f"model: {name}"))
    return whole(200, _model(name))


def _model(name: str) -> dict[str, Any]:
    most = family(name).most_tokens
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": CREATED,
        "max_input_tokens": 200_000,
        "max_tokens": most,
    }
