"""What the console's pages say to the browser (where their parts may come from, who may frame them), and who acts
while a page is made.

Only the Django side has middleware at all; client paths never pass here (proxx/asgi.py). Everything is allowed from
this origin alone. Alpine, inside the admin's theme, needs eval, and its theme colours are an inline style.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase

from accounts.acting import Actor, ActorKind, acting_as
from accounts.sanitized import stays_sanitized, without_addresses
from proxx.api.control import errors

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


class _EitherWay:
    """A middleware that serves synchronously and asynchronously, without a thread hop."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer as whoever comes next does."""
        return self._answer(request)


class ConsoleHeaders(_EitherWay):
    """Add the console's headers to its pages."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer, and mark the answer if it is the console's."""
        answer = self._answer(request)
        return _marked(request, answer) if isinstance(answer, HttpResponseBase) else _marked_later(request, answer)


class NoZeroBytes(_EitherWay):
    """Refuse an address with a zero byte: nothing of ours has one in its name, and Postgres takes none in a text."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer with 400, or as whoever comes next does."""
        if "\x00" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", ""):
            return self._answer(request)
        said = "An address holds no zero byte."
        if request.path_info.startswith(CONSOLE):
            refused: HttpResponse = HttpResponseBadRequest(said, content_type="text/plain")
        else:
            refused = errors.answer(errors.Refused(400, "invalid_request", said))
        return _soon(refused) if iscoroutinefunction(self) else refused


class WhoActs(_EitherWay):
    """Let whatever a console page changes be told as done by the operator who is signed in; asked only on a change."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer as whoever is signed in by then: a page that signs somebody in acts as them afterwards."""
        with acting_as(lambda: _actor(request)):
            answer = self._answer(request)
        return answer if isinstance(answer, HttpResponseBase) else self._later(request, answer)

    async def _later(self, request: HttpRequest, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        with acting_as(lambda: _actor(request)):
            return await answer


async def _soon(answer: HttpResponseBase) -> HttpResponseBase:
    return answer


def _actor(request: HttpRequest) -> Actor:
    user, address = request.user, request.META.get("REMOTE_ADDR", "")
    if not user.is_authenticated:
        return Actor(ActorKind.NOBODY, address=address)
    return Actor(ActorKind.OPERATOR, str(user.pk), user.get_username(), address)


async def _marked_later(request: HttpRequest, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return _marked(request, await answer)


def _marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if request.path_info.startswith(CONSOLE):
        for name, value in HEADERS:
            response.headers.setdefault(name, value)
        if response.get("Content-Type", "").startswith("text/html"):
            # It shows what only its operator may see: no cache may keep it.
            response.headers.setdefault("Cache-Control", "no-store, private")
            if isinstance(response, HttpResponse) and stays_sanitized(request):
                response.content = without_addresses(response.content.decode()).encode()
                response.headers["Content-Length"] = str(len(response.content))
    return response
