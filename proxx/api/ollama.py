"""The Ollama doors: chat, generate, and the pages by which its clients find out what is here.

The bare address, which they probe first, is the console's: it answers everybody but browsers in Ollama's words.
"""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from accounts import scopes
from proxx.api import bodies, entrance, exchange, ollama_models
from proxx.api.auth import Policy, everybody
from proxx.gateway.errors import BadRequest, NotFound
from proxx.kit import fastjson
from proxx.protocols import registry
from proxx.protocols.framing.lenient import FAULTS, decode

router = Router(auth=Policy(scopes.OLLAMA), tags=["Ollama"])
asks_models = Policy(scopes.MODELS)

OLLAMA = registry.get("ollama")
LOOKING = ["GET", "HEAD"]


class _Named(msgspec.Struct):
    model: str = ""
    name: str = ""  # how older clients say it


_named = msgspec.json.Decoder(_Named)


@router.post("/api/chat", summary="Chat, streamed unless told otherwise")
async def chat(request: HttpRequest) -> HttpResponseBase:
    """Answer a conversation with any provider that serves the model."""
    return await exchange.answer(request, OLLAMA, "/api/chat", form="chat")


@router.post("/api/generate", summary="Continue one prompt, streamed unless told otherwise")
async def generate(request: HttpRequest) -> HttpResponseBase:
    """Answer one prompt with any provider that serves the model."""
    return await exchange.answer(request, OLLAMA, "/api/generate", form="generate")


@router.api_operation(LOOKING, "/api/tags", auth=asks_models, summary="Models this key may use")
async def tags(request: HttpRequest) -> HttpResponse:
    """List the models that are offered."""
    return _answer({"models": [ollama_models.listed(entry) for entry in entrance.models(request)]})


@router.post("/api/show", auth=asks_models, summary="One model")
async def show(request: HttpRequest) -> HttpResponse:
    """Describe one model: what it can do, and how much it can read; 404 if it is not offered."""
    body = bodies.decoded(request.body, request.META.get("HTTP_CONTENT_ENCODING", ""))
    try:
        read = decode(_named, body)
    except FAULTS:
        raise BadRequest("The body must be a JSON object with the name of a model.") from None
    name = read.model or read.name
    if not name:
        raise BadRequest("You must provide a model.", code="missing_model", param="model")
    entry = ollama_models.find(entrance.models(request), name)
    if entry is None:
        raise NotFound(f"The model '{name[:256]}' does not exist or you do not have access to it.", param="model")
    return _answer(ollama_models.shown(entry))


@router.api_operation(LOOKING, "/api/ps", auth=asks_models, summary="Models in memory: none")
async def running(request: HttpRequest) -> HttpResponse:
    """Say which models are in this machine's memory: none, they run elsewhere."""
    return _answer({"models": []})


@router.api_operation(LOOKING, "/api/version", auth=everybody, summary="The version of Ollama's API that is spoken")
async def version(request: HttpRequest) -> HttpResponse:
    """Say which version of Ollama this is as good as; asked before anything else, often without a key."""
    return _answer({"version": ollama_models.VERSION})


def _answer(said: dict[str, Any]) -> HttpResponse:
    return HttpResponse(fastjson.dumps(said), content_type="application/json")
