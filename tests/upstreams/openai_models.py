"""OpenAI's pages about models."""

from typing import Any

from tests.upstreams.answer import Answer, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import World
from tests.upstreams.refusals import refusal

CREATED = 1_735_689_600  # the listed models are of 1 January 2025


def listed(_: Arrival, world: World) -> Answer:
    """List the models."""
    data = [_model(name) for name in world.models]
    return whole(200, {"object": "list", "data": data})


def shown(arrival: Arrival, world: World) -> Answer:
    """Show one model."""
    name = arrival.path.partition("/models/")[2]
    if name not in world.models:
        return refusal("404", manner="openai").answer()
    return whole(200, _model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "simulated"}
