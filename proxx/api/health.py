"""Is this process alive? Public, so it says nothing else (security G5)."""

from importlib.metadata import PackageNotFoundError, version

from django.http import HttpRequest, HttpResponse
from ninja import Router

from proxx.api.auth import everybody
from proxx.kit import fastjson

router = Router(tags=["Health"])


def product_version() -> str:
    """Return the version of proxx, also where it runs from a folder without being installed."""
    try:
        return version("proxx")
    except PackageNotFoundError:
        return "0.1.0"


_BODY = fastjson.dumps({"ok": True, "service": "proxx", "version": product_version()})


@router.get("/health", auth=everybody, summary="Liveness")
async def health(request: HttpRequest) -> HttpResponse:
    """Answer that this process serves."""
    return HttpResponse(_BODY, content_type="application/json")
