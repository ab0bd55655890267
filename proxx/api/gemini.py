"""What Gemini's clients ask of a model: the model and the verb stand in the path, split at its last colon.

The paths themselves are in model_doors.py: other dialects' clients list models there.
"""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import scopes
from proxx.api import auth, counting, exchange
from proxx.gateway.errors import NotFound
from proxx.protocols import registry

GEMINI = registry.get("gemini")
EMBED = registry.get("gemini_embed")


async def act(request: HttpRequest, named: str) -> HttpResponseBase:
    """Do what the path says with the model it names; raise `NotFound` for a verb nobody knows."""
    model, _, verb = named.rpartition(":")
    known = _VERBS.get(verb)
    if known is None or not model:
        raise NotFound(
            f"There is no {named[:200]} here. Known verbs: {', '.join(_VERBS)}.", code="unsupported_endpoint"
        )
    do, scope = known
    auth.demand(request, scope)
    return await do(request, model)


async def _generate(request: HttpRequest, model: str) -> HttpResponseBase:
    return await exchange.answer(request, GEMINI, "generateContent", model=model, stream=False)


async def _stream(request: HttpRequest, model: str) -> HttpResponseBase:
    form = "sse" if "alt=sse" in request.META["QUERY_STRING"].split("&") else "array"
    return await exchange.answer(request, GEMINI, "streamGenerateContent", model=model, stream=True, form=form)


async def _count(request: HttpRequest, model: str) -> HttpResponseBase:
    return counting.answer(request, GEMINI, lambda tokens: {"totalTokens": tokens}, model=model, stream=False)


async def _embed(request: HttpRequest, model: str) -> HttpResponseBase:
    return await exchange.answer(request, EMBED, "embedContent", model=model, form="one")


async def _embed_all(request: HttpRequest, model: str) -> HttpResponseBase:
    return await exchange.answer(request, EMBED, "batchEmbedContents", model=model)


# What each verb does, and the scope it asks for.
_VERBS: dict[str, tuple[Callable[[HttpRequest, str], Awaitable[HttpResponseBase]], str]] = {
    "generateContent": (_generate, scopes.GEMINI),
    "streamGenerateContent": (_stream, scopes.GEMINI),
    "countTokens": (_count, scopes.GEMINI),
    "embedContent": (_embed, scopes.EMBEDDINGS),
    "batchEmbedContents": (_embed_all, scopes.EMBEDDINGS),
}
