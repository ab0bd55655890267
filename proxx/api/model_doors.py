"""The paths below /models, which clients of several dialects share: lists, one model, and Gemini's verbs."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from accounts import scopes
from proxx.api import gemini, models_list
from proxx.api.auth import Policy

router = Router(auth=Policy(scopes.MODELS), tags=["Models"])
asks_verbs = Policy(scopes.GEMINI, scopes.EMBEDDINGS)  # which of the two, the verb tells

# Bare: clients whose base URL lacks a version (F-014). With v1: OpenAI's, Anthropic's and newer Gemini clients.
VERSIONS = ("/v1", "/v1beta", "/v1alpha", "")


async def list_models(request: HttpRequest) -> HttpResponse:
    """List the models that are offered, in the shape of the asking client."""
    return models_list.whole(request)


async def retrieve_model(request: HttpRequest, model: str) -> HttpResponse:
    """Describe one model; 404 if it is not offered."""
    return models_list.one(request, model)


async def model_verb(request: HttpRequest, model: str) -> HttpResponseBase:
    """Generate, stream or count with a model, as Gemini's clients ask for it."""
    return await gemini.act(request, model)


for _version in VERSIONS:
    _shown = _version == "/v1"
    router.get(f"{_version}/models", summary="Models this key may use", include_in_schema=_shown)(list_models)
    router.get(f"{_version}/models/{{path:model}}", summary="One model", include_in_schema=_shown)(retrieve_model)
    router.post(
        f"{_version}/models/{{path:model}}", auth=asks_verbs, summary="Gemini's verbs", include_in_schema=_shown
    )(model_verb)
