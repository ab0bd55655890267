"""The OpenAI doors: chat completions and responses, with and without /v1."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router

from accounts import scopes
from proxx.api import counting, exchange
from proxx.api.auth import Policy
from proxx.protocols import registry

asks_chat = Policy(scopes.CHAT)
asks_responses = Policy(scopes.RESPONSES)  # at the socket, too
router = Router(auth=asks_responses, tags=["OpenAI"])

CHAT = registry.get("openai_chat")
RESPONSES = registry.get("openai_responses")


@router.post("/v1/chat/completions", auth=asks_chat, summary="Chat completion, whole or streamed")
async def chat_completions(request: HttpRequest) -> HttpResponseBase:
    """Answer a chat completion with any provider that serves the model."""
    return await exchange.answer(request, CHAT, "/v1/chat/completions")


@router.post("/v1/responses", summary="Response, whole or streamed")
async def responses(request: HttpRequest) -> HttpResponseBase:
    """Answer a response request with any provider that serves the model."""
    return await exchange.answer(request, RESPONSES, "/v1/responses")


@router.post("/v1/responses/input_tokens", summary="Tokens of a response request")
async def input_tokens(request: HttpRequest) -> HttpResponse:
    """Count the tokens that a response request would send."""
    shape = {"object": "response.input_tokens"}
    return counting.answer(request, RESPONSES, lambda tokens: {**shape, "input_tokens": tokens})


@router.post("/v1/responses/compact", summary="A conversation in short")
async def compact(request: HttpRequest) -> HttpResponseBase:
    """Shorten a conversation: by the provider's own way, else as a summary that this gateway can read again."""
    return await exchange.answer(request, RESPONSES, "/v1/responses/compact", form="compact")


# Clients whose base URL lacks /v1 find the same doors at the root (F-014).
router.post("/chat/completions", auth=asks_chat, include_in_schema=False)(chat_completions)
router.post("/responses", include_in_schema=False)(responses)
router.post("/responses/input_tokens", include_in_schema=False)(input_tokens)
router.post("/responses/compact", include_in_schema=False)(compact)
