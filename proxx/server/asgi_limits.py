"""The limits on request bodies, kept in ASGI messages, for a server that has none of its own (uvicorn).

The application gets its body whole and in one message, as it does under Daphne.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from proxx.kit.peer import trusted
from proxx.server import addresses, bodies, refusals
from proxx.server.bodies import Body, Room
from proxx.server.exchange import Application, Message, Scope
from proxx.server.limits import Limits
from proxx.server.refusals import Refusal, Refused

LINGER: Final = 10.0  # seconds a refused client has to stop sending and read its answer
QUIET: Final = 0.5  # ... and once nothing came for this long, it has
LOOK_UP: Final = 64  # messages; uvicorn's send does not wait once the client has gone, so a tight loop would never end

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientLeft(Exception):
    """The client hung up before its body was whole."""


class BodyLimits:
    """An ASGI application around another one."""

    def __init__(self, application: Application, limits: Limits) -> None:
        self._application, self._limits = application, limits
        self._room = Room(limits.bodies_in_flight)
        self._reading: set[asyncio.Task[Any]] = set()
        self.closing = False

    def stop(self) -> None:
        """Drop all half-sent bodies, and answer what is cancelled from now on."""
        self.closing = True
        for task in self._reading:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        sent = 0

        async def watched(message: Message) -> None:
            nonlocal sent
            sent += 1
            await send(message)
            if not sent % LOOK_UP:
                await asyncio.sleep(0)

        body: Body | None = None
        try:
            if scope["method"] == "GET" and (b"upgrade", b"websocket") in scope["headers"]:
                raise Refused(refusals.NO_WEBSOCKETS)
            body = self._expected(scope)
            await self._read(body, receive)
            _see_through(scope)
            await self._application(scope, _after(body, receive), watched)
        except Refused as refused:
            await _refuse(refused.refusal, scope, receive, send)
        except ClientLeft:
            return
        except asyncio.CancelledError:
            if not self.closing:
                raise
            if not sent:
                await _refuse(refusals.STOPPING, scope, None, send)
        finally:
            if body is not None:
                body.drop()

    def _expected(self, scope: Scope) -> Body:
        limits, length = self._limits, 0
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = int(value)
        limit = limits.body_without_key
        if length > limit or any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            limit = bodies.limit_for(
                scope["headers"], scope["query_string"], limits, port=(scope.get("server") or (None, None))[1]
            )
        if length > limit:
            raise Refused(bodies.too_large(limit, limits, length))
        if self._room.taken + length > self._room.limit:
            raise Refused(refusals.NO_ROOM)
        return Body(limit, self._room, bodies.too_large(limit, limits))

    async def _read(self, body: Body, receive: Receive) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an application runs in a task")
        self._reading.add(task)
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                body.add(message.get("body", b""))
                more = message.get("more_body", False)
        finally:
            self._reading.discard(task)


def _see_through(scope: Scope) -> None:
    peer = scope.get("client")
    if peer and trusted(peer[0]):
        scope["client"], scope["scheme"] = addresses.seen_through(scope["headers"], tuple(peer), scope["scheme"])


def _after(body: Body, receive: Receive) -> Receive:
    """Return a receive that gives the whole body once, and then what the server says."""
    given = False

    async def whole() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body.whole(), "more_body": False}

    return whole


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive | None, send: Send) -> None:
    """Answer, and keep the connection until the client has stopped sending, so that the answer arrives."""
    text = any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
    headers, content = refusals.content(refusal, text=text)
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": True})
    if receive is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await _hear_out(receive)
    await send({"type": "http.response.body", "body": b""})


async def _hear_out(receive: Receive) -> None:
    message: Message = {"more_body": True}
    while message.get("more_body", False):
        message = await asyncio.wait_for(receive(), QUIET)
