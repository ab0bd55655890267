"""What the console's pages say to the browser: where their parts may come from, and who may frame them.

Only the Django side has middleware at all; client paths never pass here (proxx/asgi.py). Everything is allowed from
this origin alone. Alpine, inside the admin's theme, needs eval, and its theme colours are an inline style.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

CONSOLE = "/console/"

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ("X-Robots-Tag", "noindex, nofollow"),
)

Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class ConsoleHeaders:
    """Add the console's headers to its pages, without a thread hop when served asynchronously."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer, and mark the answer if it is the console's."""
        answer = self._answer(request)
        return _marked(request, answer) if isinstance(answer, HttpResponseBase) else _marked_later(request, answer)


async def _marked_later(request: HttpRequest, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return _marked(request, await answer)


def _marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if request.path_info.startswith(CONSOLE):
        for name, value in HEADERS:
            response.headers.setdefault(name, value)
        if response.get("Content-Type", "").startswith("text/html"):
            # It shows what only its operator may see: no cache may keep it.
            response.headers.setdefault("Cache-Control", "no-store, private")
    return response
