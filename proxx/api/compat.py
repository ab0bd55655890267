"""Small pages that some clients ask for first: a version, a default model, the list of models at an older place."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts import scopes
from proxx.api import entrance, health, model_shapes
from proxx.api.auth import Policy, everybody
from proxx.kit import fastjson

router = Router(auth=Policy(scopes.MODELS), tags=["Compatibility"])

LOOKING = ["GET", "HEAD"]


@router.api_operation(LOOKING, "/version", auth=everybody, summary="The version of proxx")
async def version(request: HttpRequest) -> HttpResponse:
    """Say which version this is; asked without a key."""
    return _answer({"version": health.product_version()})


@router.api_operation(LOOKING, "/v1/props", summary="The default model, and where the list is")
async def props(request: HttpRequest) -> HttpResponse:
    """Say what a client may use that lets nobody choose: the first model of the list, if there is one."""
    models = entrance.models(request)
    return _answer({"default_model": models[0].id if models else None, "models_url": "/v1/models"})


@router.get("/api/v1/models", summary="Models this key may use, at an older place")
async def list_models(request: HttpRequest) -> HttpResponse:
    """List the models that are offered, as OpenAI does."""
    return _answer(model_shapes.openai_page(entrance.models(request), {}))


router.api_operation(LOOKING, "/props", include_in_schema=False)(props)


def _answer(said: object) -> HttpResponse:
    return HttpResponse(fastjson.dumps(said), content_type="application/json")
