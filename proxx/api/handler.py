"""The slim ASGI handler of all client paths: body in memory, the ninja view, the answer out. No middleware, no signals.

It adds what Django's own handler would do and a gateway needs done better: a body limit before anything is stored,
cancellation the moment the client leaves, the closing of a stream's own generator, keep-alive comments, and an honest
word when the server stops in the middle of a stream.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import Resolver404, get_resolver

from proxx.api import errors, routes
from proxx.api.answers import CallAnswer, StreamedAnswer, WholeAnswer
from proxx.api.app import supported
from proxx.api.heart import Heart
from proxx.api.request import ClientRequest
from proxx.gateway.errors import GatewayError, MethodNotAllowed, NotFound, TooLarge
from proxx.gateway.pump import BrokenOff
from proxx.kit.configured import settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DEPARTURE = "proxx.departure"  # the ASGI extension of proxx/server/exchange.py
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# Clients use a handful of paths; an unknown one raises and is not kept.
_resolve = lru_cache(maxsize=1024)(get_resolver(routes.__name__).resolve)


class ClientLeft(Exception):
    """The client hung up before its request was whole."""


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer one HTTP request on a client path."""
    try:
        body = await _read_body(receive)
    except ClientLeft:
        return
    except GatewayError as error:
        await _send_whole(errors.respond(ClientRequest(scope, b""), error), send)
        return
    task = asyncio.current_task()
    departure = _departure(scope, receive)

    def left(_: object) -> None:
        if task is not None:
            task.cancel()

    departure.add_done_callback(left)
    try:
        response = await _respond(ClientRequest(scope, body))
        if isinstance(response, StreamedAnswer):
            await _send_stream(response, send, departure)
        else:
            await _send_whole(response, send)
        if isinstance(response, CallAnswer):
            response.sent()
    except BrokenOff:
        pass  # the server cuts a connection whose answer has no end
    except asyncio.CancelledError:
        if not departure.done():
            raise
        # We caused this cancellation ourselves: the client has left. To the server the request is simply over.
        if task is not None:
            task.uncancel()
    finally:
        departure.remove_done_callback(left)
        departure.cancel()


def _departure(scope: MutableMapping[str, Any], receive: Receive) -> "asyncio.Future[Any]":
    """Return what is done when the client has gone. Our own data plane knows it without a task that listens."""
    known = scope.get("extensions", {}).get(DEPARTURE)
    found: asyncio.Future[Any] = known() if known is not None else asyncio.ensure_future(receive())
    return found


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > settings.PROXY_BODY_LIMIT:
            raise TooLarge
        return bytes(body)
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part = message.get("body", b"")
        size += len(part)
        if size > settings.PROXY_BODY_LIMIT:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


async def _respond(request: HttpRequest) -> HttpResponseBase:
    """Find the route and call it; whatever happens, the answer is in the caller's dialect."""
    try:
        match = _resolve(request.path_info)
    except Resolver404:
        return errors.respond(request, _unknown(request))
    request.resolver_match = match
    try:
        response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
    except GatewayError as error:
        return errors.respond(request, error)
    except Exception as error:
        return errors.unexpected(request, error)
    if isinstance(response, HttpResponseNotAllowed):
        return _not_allowed(request, response)
    return response


def _unknown(request: HttpRequest) -> NotFound:
    said = f"There is no {request.path_info[:200]} here. Supported: {supported()}."
    return NotFound(said, code="unsupported_endpoint")


def _not_allowed(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    response = errors.respond(request, MethodNotAllowed(f"{request.method} is not allowed here."))
    response["allow"] = refused["allow"]
    return response


async def _send_whole(response: HttpResponseBase, send: Send) -> None:
    if isinstance(response, WholeAnswer):
        content = response.body
    else:
        content = response.content if isinstance(response, HttpResponse) else b""
    head = _head(response)
    head["headers"].append((b"content-length", str(len(content)).encode()))
    await send(head)
    await send({"type": "http.response.body", "body": content})


async def _send_stream(response: StreamedAnswer, send: Send, departure: "asyncio.Future[Any]") -> None:
    await send(_head(response))
    heart = Heart(send, response.heartbeat, settings.PROXY_STREAM_HEARTBEAT)
    try:
        async with aclosing(response.pieces) as pieces:  # its own: Django's wrapper would not close it
            await heart.send_all(pieces)
    except asyncio.CancelledError:
        if not departure.done():
            await heart.send(response.cut_short())
        raise
    finally:
        heart.stop()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _head(response: HttpResponseBase) -> dict[str, Any]:
    if isinstance(response, CallAnswer):
        headers = [*response.header_bytes, _NO_SNIFFING]
    else:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
        headers.append(_NO_SNIFFING)
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}
