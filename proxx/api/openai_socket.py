"""Responses over a WebSocket: each `response.create` frame is a call like any other, its events come back as frames.

One call at a time, each in a task of its own; the next waits. The socket remembers what was said on it
(socket_history.py). Who leaves cancels the call; who does not read slows its provider down.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

import msgspec
from django.http import HttpResponse

from proxx.api import carriers, errors, exchange, openai
from proxx.api.answers import StreamedAnswer
from proxx.api.request import ClientRequest
from proxx.api.socket_history import Ask, History, output_of
from proxx.gateway.errors import BadRequest, Forbidden, GatewayError, TooLarge
from proxx.kit import clock, ids
from proxx.kit.configured import settings
from proxx.protocols import registry
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.framing.sse import data_of, frames
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.reply import Choice, Reply, unfold

PATHS = ("/v1/responses", "/responses")
RESPONSES = registry.get("openai_responses")
WAITING_AT_MOST = 2  # requests behind the one that is answered
TOO_MANY = 4429  # of the codes that are free for applications
PAGES_ONLY_WITH_KEY = "A web page may open this socket only with a key."

_OFFERED = b"sec-websocket-protocol"
_HEADERS_OF_THE_SOCKET = (b"connection", b"upgrade", b"content-type", b"content-length", b"content-encoding")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _Event(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw()
    item: msgspec.Raw = msgspec.Raw()


class _Resource(msgspec.Struct):
    id: str = ""


_event = msgspec.json.Decoder(_Event)
_resource = msgspec.json.Decoder(_Resource)


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Serve one socket until its client leaves."""
    await receive()  # websocket.connect
    request = _request(scope, b"")
    try:
        await _admit(request)
    except GatewayError as error:
        await _deny(errors.respond(request, error), scope, send)
        return
    await send(
        {"type": "websocket.accept", "subprotocol": carriers.chosen_protocol(request.META.get(carriers.PROTOCOLS, ""))}
    )
    conversation = _Conversation(scope, send)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            text = message.get("text")
            if not conversation.take(text.encode() if text is not None else message.get("bytes") or b""):
                await send({"type": "websocket.close", "code": TOO_MANY})
                return
    finally:
        await conversation.stop()


class _Conversation:
    """One socket's calls."""

    def __init__(self, scope: Message, send: Send) -> None:
        self._scope, self._send = scope, send
        self._history = History()
        self._waiting: deque[bytes] = deque()
        self._running: asyncio.Task[None] | None = None
        self._over = False

    def take(self, frame: bytes) -> bool:
        """Answer a frame as soon as the ones before are answered; False if too many wait already."""
        if self._running is None:
            self._start(frame)
            return True
        self._waiting.append(frame)
        return len(self._waiting) <= WAITING_AT_MOST

    async def stop(self) -> None:
        """Cancel what runs, and wait until it has let go of its provider."""
        self._over = True
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    def _start(self, frame: bytes) -> None:
        self._running = asyncio.create_task(self._answer(frame), name="responses-socket-call")
        self._running.add_done_callback(self._next)

    def _next(self, done: "asyncio.Task[None]") -> None:
        if not done.cancelled() and done.exception() is not None:
            errors.log.error("A call on a socket broke.", exc_info=done.exception())
        self._running = None
        if self._waiting and not self._over:
            self._start(self._waiting.popleft())

    async def _answer(self, frame: bytes) -> None:
        """Answer one frame. Its errors are frames, too; the socket stays open."""
        request = _request(self._scope, b"")
        try:
            ask = self._history.asked(frame)
            if len(ask.body) > settings.PROXY_BODY_LIMIT:
                raise TooLarge("The conversation on this socket has become too large for one request.")
            request = _request(self._scope, ask.body)
            await _admit(request)
            if not ask.generate:
                await self._tell(ask, _prepared(ask))
                return
            answer = await exchange.answer(request, RESPONSES, PATHS[0], stream=True)
            if not isinstance(answer, StreamedAnswer):
                raise TypeError("a call that was to be streamed was not")
            await self._stream(ask, answer)
        except GatewayError as error:
            await self._send_text(_error_frame(errors.respond(request, error)))
        except Exception as error:
            await self._send_text(_error_frame(errors.unexpected(request, error)))

    async def _stream(self, ask: Ask, answer: StreamedAnswer) -> None:
        items: list[msgspec.Raw] = []
        async with aclosing(answer.pieces) as pieces:
            async for piece in pieces:
                await self._tell(ask, piece, items)
        answer.sent()

    async def _tell(self, ask: Ask, piece: bytes, items: list[msgspec.Raw] | None = None) -> None:
        """Send each event of a piece as a frame, and remember how the response ends."""
        items = [] if items is None else items
        for frame in frames(piece):
            data = data_of(frame)
            if not data or data == b"[DONE]":
                continue
            if b'.delta"' not in data[:80]:
                self._notice(ask, data, items)
            await self._send_text(data)

    def _notice(self, ask: Ask, data: bytes, items: list[msgspec.Raw]) -> None:
        try:
            event = decode(_event, data)
            if event.type == "response.output_item.done":
                items.append(event.item)
            elif event.type in ("response.completed", "response.incomplete"):
                resource = bytes(event.response)
                self._history.remember(ask, decode(_resource, resource).id, output_of(resource) or items)
        except FAULTS:
            return  # what is no event of ours is the client's to understand

    async def _send_text(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "text": data.decode(errors="replace")})


def _request(scope: Message, body: bytes) -> ClientRequest:
    """Return a call on the socket as a request like any other, with the headers that opened the socket."""
    given = scope.get("headers", ())
    kept = [
        (name, value)
        for name, value in given
        if name == _OFFERED or (name not in _HEADERS_OF_THE_SOCKET and not name.startswith(b"sec-websocket-"))
    ]
    kept.append((b"content-type", b"application/json"))
    return ClientRequest({**scope, "type": "http", "method": "POST", "headers": kept}, body)


async def _admit(request: ClientRequest) -> None:
    """Let in the holder of a key, each time anew: a key that was revoked ends a socket's use. A page of a web site may
    open sockets to anywhere, so without a key none may."""
    holder = await openai.asks_responses(request)
    if holder.kind == "open" and "HTTP_ORIGIN" in request.META:
        raise Forbidden(PAGES_ONLY_WITH_KEY, code="origin_not_allowed")
    request.auth = holder  # type: ignore[attr-defined]  # where ninja would have put it


def _prepared(ask: Ask) -> bytes:
    """Return the events of a response that nobody was asked for: the client only sends ahead what it will need."""
    try:
        envelope = RESPONSES.read_envelope(ask.body, stream=True)
        asked = RESPONSES.read_request(envelope, Losses())
    except (Unreadable, Inexpressible) as fault:
        raise BadRequest(fault.message, param=fault.param) from None
    now = clock.unix()
    occasion = Occasion(ids.new(now).hex, int(now), envelope.model, request=asked)
    nothing = Reply((Choice((), Finished("stop")),), usage=Usage(input_total=0, output_total=0))
    return RESPONSES.stream_writer(occasion).write(unfold(nothing))


def _error_frame(response: HttpResponse) -> bytes:
    told = msgspec.json.decode(response.content)
    headers = {name.lower(): value for name, value in response.items() if name.lower() != "content-type"}
    return msgspec.json.encode({"type": "error", "status": response.status_code, **told, "headers": headers})


async def _deny(response: HttpResponse, scope: Message, send: Send) -> None:
    """Refuse a socket before it is one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": TOO_MANY})
        return
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "websocket.http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.content})
