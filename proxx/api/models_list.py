"""The model list, from the snapshot in memory, in the shape that the asking client reads.

OpenAI's, Anthropic's and Gemini's clients all ask GET /v1/models; their headers tell them apart (dialects.py), and
so does what only one of them says in its query.
"""

from django.http import HttpRequest, HttpResponse

from proxx.api import dialects, entrance, model_shapes
from proxx.gateway.errors import NotFound
from proxx.kit import fastjson

_OWN_WORDS = {"client_version": "codex", "pageSize": "gemini"}


def whole(request: HttpRequest) -> HttpResponse:
    """Return the offered models, or a page of them where the client's dialect knows pages."""
    query = {name: values[-1] for name, values in request.GET.lists() if isinstance(values[-1], str)}
    page = model_shapes.PAGE[_shape(request, query)](entrance.models(request), query)
    return HttpResponse(fastjson.dumps(page), content_type="application/json")


def one(request: HttpRequest, model: str) -> HttpResponse:
    """Return one model, or raise `NotFound`."""
    shape = model_shapes.ONE[_shape(request, {})]
    for entry in entrance.models(request):
        if entry.id == model:
            return HttpResponse(fastjson.dumps(shape(entry)), content_type="application/json")
    raise NotFound(f"The model '{model}' does not exist or you do not have access to it.", param="model")


def _shape(request: HttpRequest, query: dict[str, str]) -> str:
    own = next((shape for word, shape in _OWN_WORDS.items() if word in query), "")
    return own or dialects.of(request.path_info, request.META).name
