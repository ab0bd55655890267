"""The model list as OpenAI clients read it, from the snapshot in memory."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from proxx.gateway.errors import NotFound
from proxx.kit import fastjson
from routing import reload
from routing.snapshot import ModelEntry


def whole(_request: HttpRequest) -> HttpResponse:
    """Return every offered model."""
    models = [_shape(entry) for entry in reload.current().models]
    return HttpResponse(fastjson.dumps({"object": "list", "data": models}), content_type="application/json")


def one(_request: HttpRequest, model: str) -> HttpResponse:
    """Return one model, or raise `NotFound`."""
    for entry in reload.current().models:
        if entry.id == model:
            return HttpResponse(fastjson.dumps(_shape(entry)), content_type="application/json")
    raise NotFound(f"The model '{model}' does not exist or you do not have access to it.", param="model")


def _shape(entry: ModelEntry) -> dict[str, Any]:
    shape: dict[str, Any] = {"id": entry.id, "object": "model", "created": entry.created, "owned_by": entry.owned_by}
    if entry.metadata:
        shape["metadata"] = entry.metadata
    return shape
