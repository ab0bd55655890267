"""One request and its answer, between the application (ASGI messages) and a line (bytes). The fast data plane's half.

The framing of an answer is decided here: a stated length is kept to, else chunks (HTTP/1.1) or the connection's end
(1.0). An answer that breaks off ends its connection, so that no client takes half an answer for a whole one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from proxx.server import refusals

if TYPE_CHECKING:
    from proxx.server.line import Line

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

DEPARTURE: Final = "proxx.departure"  # ASGI extension: a call that gives a future of the client's departure
GRACE: Final = 0.5  # seconds an application has to notice http.disconnect before it is cancelled

_log = logging.getLogger("proxx.server")
_OURS: Final = frozenset({b"content-length", b"transfer-encoding", b"connection", b"date", b"keep-alive"})
_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b" % (status.value, status.phrase.encode()) for status in HTTPStatus
}
_LAST_CHUNK: Final = b"0\r\n\r\n"


class Exchange:
    """The receive and send of one request, and what is known about its answer."""

    __slots__ = (
        "_body",
        "_chunked",
        "_head",
        "_length",
        "_receivers",
        "_sent",
        "_started",
        "bodiless",
        "complete",
        "gone",
        "keep_alive",
        "line",
        "room_taken",
        "scope",
        "task",
    )

    def __init__(self, line: "Line", scope: Scope, body: bytes, *, keep_alive: bool) -> None:
        self.line, self.scope, self.keep_alive = line, scope, keep_alive
        self.room_taken = len(body)
        self.bodiless = scope["method"] == "HEAD"
        self.complete = self.gone = self._started = self._chunked = False
        self.task: asyncio.Task[None] | None = None
        self._body: bytes | None = body
        self._head: list[bytes] | None = None
        self._length: int | None = None
        self._sent = 0
        self._receivers: list[asyncio.Future[None]] | None = None
        scope["extensions"] = {DEPARTURE: self.departure}

    async def run(self, application: Application) -> None:
        """Have the application answer; whatever it does, the line goes on or ends."""
        try:
            if not self.gone:
                await application(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            _log.debug("cancelled: %s %s", self.scope["method"], self.scope["path"])
        except Exception:
            _log.exception("The application failed at %s %s.", self.scope["method"], self.scope["path"])
        finally:
            del self.scope["extensions"]  # it leads back to us: what is done with is not left to the garbage collector
            self.line.ended(self)

    async def receive(self) -> Message:
        """Give the body, whole and once; after that only the news that the client has gone."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.departure()
        return {"type": "http.disconnect"}

    def departure(self) -> "asyncio.Future[None]":
        """Return what is done when the client has gone: what a task that awaits `receive` knows, without the task."""
        receiver = self.line.loop.create_future()
        if self.gone or self.complete:
            receiver.set_result(None)
        elif self._receivers is None:
            self._receivers = [receiver]
        else:
            self._receivers.append(receiver)
        return receiver

    async def send(self, message: Message) -> None:
        """Take a part of the answer; waits while the client reads slower than we write."""
        line = self.line
        if self.gone or self.complete:
            await asyncio.sleep(0)  # one who sends in a tight loop must still be cancellable
            return
        kind = message["type"]
        if kind == "http.response.body":
            body = message.get("body", b"")
            if not message.get("more_body", False):
                self._last(body)
            elif self._chunked and body:  # nearly all of a stream: the head has left, and no length is to be kept to
                line.write(b"%x\r\n%b\r\n" % (len(body), body))
            else:
                self._piece(body)
            if line.paused:
                await line.writable()
        elif kind == "http.response.start":
            self._begin(message["status"], message.get("headers", ()))
        else:
            raise ValueError(f"an answer has no {kind}")

    @property
    def started(self) -> bool:
        """Tell whether anything of the answer has left."""
        return self._started

    def leave(self) -> None:
        """The client has gone: tell the application, and cancel it if it does not listen."""
        if not self.complete:
            self.gone = True
            self.line.loop.call_later(GRACE, self.cancel)
        self._wake()

    def cancel(self) -> None:
        """Cancel the application, if it still runs."""
        if self.task is not None and not self.task.done():
            self.task.cancel()

    def _begin(self, status: int, headers: Any) -> None:
        if self._head is not None or self._started:
            raise ValueError("the answer has already begun")
        head = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status]
        for name, value in headers:
            low = name.lower()
            if low in _OURS:
                if low == b"content-length":
                    self._length = int(value)
                elif low == b"connection" and b"close" in value.lower():
                    self.keep_alive = False
                continue
            head.append(b"%b: %b" % (low, value))
        text = b"".join(head)
        if b"\n" in text or b"\r" in text or b"\0" in text:
            raise ValueError("a header of the answer holds a line break")
        if status in (204, 304) or status < 200:
            self.bodiless = True
            if status != 304:
                self._length = None
        self._head = head
        # Usually the first piece follows at once and leaves in the same write; an answer that dawdles shows its head.
        self.line.loop.call_soon(self._show_head)

    def _show_head(self) -> None:
        if self._head is not None and self.line.exchange is self:
            self.line.write(self._take_head(None))

    def _take_head(self, only: bytes | None) -> bytes:
        """Finish the head and return it; `only` is the body if it is known to be all of it."""
        head, self._head, self._started = self._head, None, True
        if head is None:
            raise ValueError("the answer has not begun")
        if only is not None and self._length is None and not self.bodiless:
            self._length = len(only)
        if self._length is not None:
            head.append(b"content-length: %d" % self._length)
        elif not self.bodiless:
            if self.scope["http_version"] == "1.1":
                self._chunked = True
                head.append(b"transfer-encoding: chunked")
            else:
                self.keep_alive = False
        if self.line.connections.closing:
            self.keep_alive = False
        if not self.keep_alive:
            head.append(b"connection: close")
        head.append(b"date: %b\r\n\r\n" % self.line.connections.date)
        return b"\r\n".join(head)

    def _piece(self, body: bytes) -> None:
        self._count(body)
        head = b"" if self._started else self._take_head(None)
        if self.bodiless or not body:
            data = head
        elif self._chunked:
            data = b"%b%x\r\n%b\r\n" % (head, len(body), body)
        else:
            data = head + body if head else body
        if data:
            self.line.write(data)

    def _last(self, body: bytes) -> None:
        self._count(body)
        if self._length is not None and self._sent < self._length and not self.bodiless:
            raise ValueError("the answer is shorter than its stated length")
        head = b"" if self._started else self._take_head(body)
        if self.bodiless:
            data = head
        elif self._chunked:
            data = b"%b%x\r\n%b\r\n%b" % (head, len(body), body, _LAST_CHUNK) if body else head + _LAST_CHUNK
        else:
            data = head + body if head else body
        if data:
            self.line.write(data)
        self.complete = True
        if self._receivers is not None:
            self.line.loop.call_soon(self._wake)  # soon: most applications drop their listening in this very step
        self.line.answered(self)

    def _count(self, body: bytes) -> None:
        self._sent += len(body)
        if self._length is not None and self._sent > self._length and not self.bodiless:
            raise ValueError("the answer is longer than its stated length")

    def _wake(self) -> None:
        receivers, self._receivers = self._receivers, None
        for receiver in receivers or ():
            if not receiver.done():
                receiver.set_result(None)


def failure_of(exchange: Exchange) -> refusals.Refusal:
    """Return what to answer for an application that ended without a word."""
    return refusals.STOPPING if exchange.line.connections.closing else refusals.NO_ANSWER
