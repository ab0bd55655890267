"""The API object: which doors there are, and what happens when one of them fails."""

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from proxx.api import anthropic, compat, errors, health, media, model_doors, ollama, openai, prefixes, responses_state
from proxx.gateway.errors import GatewayError


class DoorsAPI(NinjaAPI):
    """Ninja's API for operations that all return finished responses."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Return one and the same empty response: ours are finished ones, so nobody writes to this."""
        return _UNUSED


_UNUSED = HttpResponse()

# Documentation pages are the console's matter: they need a sign-in (security G5).
api = DoorsAPI(title="proxx", version="1", urls_namespace="client", docs_url=None, openapi_url=None)
api.add_router("", openai.router)
api.add_router("", responses_state.router)
api.add_router("", anthropic.router)
api.add_router("", model_doors.router)
api.add_router("", ollama.router)
api.add_router("", media.router)
api.add_router("", prefixes.router)
api.add_router("", compat.router)
api.add_router("", health.router)


@lru_cache(maxsize=1)
def supported() -> str:
    """Return every path there is with its methods, twins without a version left out, for those who look for one."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    return ", ".join(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)


@api.exception_handler(GatewayError)
def _gateway_error(request: HttpRequest, error: GatewayError) -> HttpResponse:
    return errors.respond(request, error)


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    return errors.unexpected(request, error)
