"""The API object: which doors there are, and what happens when one of them fails."""

from functools import lru_cache

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI

from proxx.api import (
    anthropic,
    compat,
    errors,
    health,
    media,
    metrics,
    model_doors,
    ollama,
    openai,
    prefixes,
    responses_state,
    usage,
)
from proxx.api.auth import Policy
from proxx.gateway.errors import GatewayError


class DoorsAPI(NinjaAPI):
    """Ninja's API for operations that all return finished responses."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Return one and the same empty response: ours are finished ones, so nobody writes to this."""
        return _UNUSED

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        """Return the URL table; refuse one with a route that does not say whom it is for (security A5)."""
        urls = super()._get_urls()
        for router in self._get_bound_routers():
            for path, view in router.path_operations.items():
                for operation in view.operations:
                    if not [one for one in operation.auth_callbacks if isinstance(one, Policy)]:
                        raise ImproperlyConfigured(
                            f"{operation.methods[0]} {path} has no policy: give it auth=Policy(...)."
                        )
        return urls


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
api.add_router("", usage.router)
api.add_router("", health.router)
api.add_router("", metrics.router)


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
