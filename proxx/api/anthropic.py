"""The Anthropic doors: messages and the counting of their tokens."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from accounts import scopes
from proxx.api import counting, exchange
from proxx.api.auth import Policy
from proxx.protocols import registry

router = Router(auth=Policy(scopes.MESSAGES), tags=["Anthropic"])

MESSAGES = registry.get("anthropic")


@router.post("/v1/messages", summary="Message, whole or streamed")
async def messages(request: HttpRequest) -> HttpResponseBase:
    """Answer a message with any provider that serves the model."""
    return await exchange.answer(request, MESSAGES, "/v1/messages")


@router.post("/v1/messages/count_tokens", summary="Tokens of a message, counted without asking a model")
async def count_tokens(request: HttpRequest) -> HttpResponse:
    """Count the tokens that a message would send."""
    return counting.answer(request, MESSAGES, lambda tokens: {"input_tokens": tokens})


# Clients whose base URL has /v1 twice, or not at all, find the same doors (F-014).
router.post("/messages", include_in_schema=False)(messages)
router.post("/messages/count_tokens", include_in_schema=False)(count_tokens)
