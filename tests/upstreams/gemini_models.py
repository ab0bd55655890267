"""Google's models: what each family takes, and the pages that list them.

The family is read from the name (`gemini-2.5-flash-lite`, `gemini-3-pro-preview`). Other names stand for a model that
takes all that any of them takes and demands nothing.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.upstreams.answer import Answer, Refused, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import World
from tests.upstreams.gemini_refusals import gemini, invalid

_NAME = re.compile(r"gemini-(?P<major>\d)(?:\.(?P<minor>\d))?-(?P<kind>pro|flash-lite|flash)\b.*")
MOST_TOKENS = 65_536
BUDGETS = {"pro": (128, 32_768), "flash": (1, 24_576), "flash-lite": (512, 24_576)}
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")


@dataclass(frozen=True, slots=True)
class Family:
    """What a model takes and does."""

    budget: tuple[int, int] | None = (1, MOST_TOKENS)  # of thinkingBudget; 0 and -1 stand beside it
    budget_zero: bool = True
    levels: tuple[str, ...] = LEVELS
    json_with_tools: bool = True
    media_in_results: bool = True
    mixes_tools: bool = True
    empty_objects: bool = True  # in the schema subset
    name_length: int = 128
    newest: bool = False  # calls have ids and need their signatures; the end comes in a part of its own


UNKNOWN = Family()


def family(model: str) -> Family:
    """Return what a model of this name takes."""
    found = _NAME.fullmatch(model)
    if found is None:
        return UNKNOWN
    version, kind = (int(found["major"]), int(found["minor"] or 0)), found["kind"]
    if version >= (3, 0):
        levels = LEVELS[:4]
        if kind == "pro":
            levels = ("LOW", "HIGH") if version == (3, 0) else ("LOW", "MEDIUM", "HIGH")
        return Family(budget=None, levels=levels, newest=True)
    return Family(
        budget=BUDGETS[kind] if version == (2, 5) else None,
        budget_zero=kind != "pro",
        levels=(),
        json_with_tools=False,
        media_in_results=False,
        mixes_tools=False,
        empty_objects=False,
        name_length=64,
    )


def listed(arrival: Arrival, world: World) -> Answer:
    """List the models, a page at a time: `pageSize`, `pageToken`."""
    query = {name: values[0] for name, values in parse_qs(arrival.query).items()}
    size, token = query.get("pageSize", "50"), query.get("pageToken", "")
    if not size.isdigit() or (token and not token.isdigit()):
        raise Refused(invalid("Request contains an invalid argument."))
    begin = int(token or 0)
    end = begin + min(int(size) or 50, 1000)
    body: dict[str, Any] = {"models": [_model(name) for name in world.models[begin:end]]}
    if end < len(world.models):
        body["nextPageToken"] = str(end)
    return whole(200, body)


def shown(arrival: Arrival, world: World) -> Answer:
    """Show one model."""
    name = arrival.path.partition("/models/")[2]
    if name not in world.models:
        raise Refused(gemini(404, "NOT_FOUND", f"Model is not found: models/{name} for api version v1beta"))
    return whole(200, _model(name))


def _model(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "description": "Simulated",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": MOST_TOKENS,
        "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent", "batchEmbedContents"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }
