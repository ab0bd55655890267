"""The Gemini doors: the model and the verb stand in the path, split at its last colon."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from proxx.api import counting, exchange, models_list
from proxx.api.auth import client_key
from proxx.gateway.errors import NotFound
from proxx.protocols import registry

router = Router(auth=client_key, tags=["Gemini"])

GEMINI = registry.get("gemini")
VERSIONS = ("v1", "v1beta", "v1alpha")


async def _generate(request: HttpRequest, model: str) -> HttpResponseBase:
    return await exchange.answer(request, GEMINI, "generateContent", model=model, stream=False)


async def _stream(request: HttpRequest, model: str) -> HttpResponseBase:
    form = "sse" if "alt=sse" in request.META["QUERY_STRING"].split("&") else "array"
    return await exchange.answer(request, GEMINI, "streamGenerateContent", model=model, stream=True, form=form)


async def _count(request: HttpRequest, model: str) -> HttpResponseBase:
    return counting.answer(request, GEMINI, lambda tokens: {"totalTokens": tokens}, model=model, stream=False)


_VERBS: dict[str, Callable[[HttpRequest, str], Awaitable[HttpResponseBase]]] = {
    "generateContent": _generate,
    "streamGenerateContent": _stream,
    "countTokens": _count,
}


async def model_verb(request: HttpRequest, named: str) -> HttpResponseBase:
    """Do what the path says with the model it names."""
    model, _, verb = named.rpartition(":")
    act = _VERBS.get(verb)
    if act is None or not model:
        raise NotFound(
            f"There is no {named[:200]} here. Known verbs: {', '.join(_VERBS)}.", code="unsupported_endpoint"
        )
    return await act(request, model)


async def list_models(request: HttpRequest) -> HttpResponse:
    """List the models that are offered."""
    return models_list.whole(request)


async def retrieve_model(request: HttpRequest, model: str) -> HttpResponse:
    """Describe one model; 404 if it is not offered."""
    return models_list.one(request, model)


for _version in VERSIONS:
    router.post(f"/{_version}/models/{{path:named}}", summary="Generate, stream or count")(model_verb)
    if _version != "v1":  # there the OpenAI doors list the models, for all clients
        router.get(f"/{_version}/models", summary="Models this key may use")(list_models)
        router.get(f"/{_version}/models/{{path:model}}", summary="One model")(retrieve_model)
