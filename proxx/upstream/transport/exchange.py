"""One request and its answer on one connection: reads the answer, and is its body.

An exchange lets go of its connection in the moment the answer is complete, so nobody who still holds an old answer can
touch a connection that serves another caller by then.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import httptools
import httpx

from proxx.upstream.message import NoReply, ReplyTruncated
from proxx.upstream.transport.line import Line

HEAD_LIMIT = 64 * 1024
HEADER_COUNT_LIMIT = 200
UNREAD_LIMIT = 256 * 1024  # above this the upstream is made to wait
UNREAD_LOW = UNREAD_LIMIT // 2
DISCARD_LIMIT = 64 * 1024  # more than this is not thrown away for the sake of a connection
ITEM_COST = 64  # what an item weighs beside its bytes, so that one-byte chunks cannot hide in the limit
VERSIONS = {"1.1": "HTTP/1.1", "1.0": "HTTP/1.0"}


class Exchange:
    """The answer to one request, as it arrives. Also `message.Body`.

    `complete`: the whole answer has arrived (though perhaps not been read). `keep_alive`: the connection may serve
    another. `surplus`: bytes came after the answer, so it may not. `error`: why there will be no more.
    """

    __slots__ = (
        "_head_size",
        "_items",
        "_line",
        "_loop",
        "_own_parts",
        "_parser",
        "_parts",
        "_silent_size",
        "_waiter",
        "_without_body",
        "complete",
        "discarding",
        "error",
        "head_done",
        "http_version",
        "keep_alive",
        "on_body",
        "paused",
        "raw_headers",
        "status",
        "surplus",
        "unread",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, line: Line, *, without_body: bool) -> None:
        self._loop = loop
        self._line: Line | None = line
        self._without_body = without_body
        self._waiter: asyncio.Future[None] | None = None
        self._parts: list[bytes] = []
        self._own_parts = 0  # how many of them are the answer's, once it is complete
        self.on_body = self._parts.append  # called by the parser for each piece of body
        self._items: deque[bytes] = deque()
        self._head_size = 0
        self._silent_size = 0
        self.unread = 0
        self.paused = False
        self.discarding = False
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.http_version = "HTTP/1.1"
        self.head_done = False
        self.complete = False
        self.keep_alive = False
        self.surplus = False
        self.error: Exception | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    # For whoever asked: wait for the head, then iterate.

    async def head(self) -> None:
        """Return once the response head is here; raise httpx's exceptions."""
        try:
            while not self.head_done:
                if self.error is not None:
                    raise self.error
                await self._news()
        except asyncio.CancelledError:
            self.abandon()
            raise

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        items = self._items
        try:
            while not items:
                if self.error is not None:
                    raise self.error
                if self.complete:
                    raise StopAsyncIteration
                await self._news()
        except asyncio.CancelledError:
            self.abandon()
            raise
        item = items.popleft()
        self.unread -= len(item) + ITEM_COST
        if self.paused and self.unread <= UNREAD_LOW and self._line is not None:
            self.paused = False
            self._line.resume()
        return item

    async def aclose(self) -> None:
        """Give up the rest, if any."""
        self.abandon()

    def abandon(self) -> None:
        """Give up the rest, if any: the connection is closed at once, whoever waits is woken."""
        self._items.clear()
        if self.error is None:
            self.error = httpx.StreamClosed()
        line, self._line = self._line, None
        if line is not None:
            line.drop()
        self._wake()

    def finish_later(self, seconds: float) -> None:
        """Take the rest without keeping it; the connection closes if that lasts too long or is too much."""
        self._items.clear()
        self.unread = 0
        line = self._line
        if line is not None:
            self.discarding = True
            if self.paused:
                self.paused = False
                line.resume()
            line.hurry(seconds)

    # For the connection.

    @property
    def untouched(self) -> bool:
        """Tell whether not one byte of an answer has come."""
        return self._head_size == 0

    def feed(self, data: bytes) -> None:
        """Take what one socket read brought; sets `complete` or `error` when it decides the exchange."""
        had_head = self.head_done
        if not had_head:
            self._head_size += len(data)
        parser = self._parser
        if parser is None:
            return
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.surplus = True
            if not self.complete:
                self.fail(httpx.RemoteProtocolError(f"The answer is not HTTP/1.1: {error}"))
        parts = self._parts
        if self.complete:
            del parts[self._own_parts :]  # what comes behind the end is nobody's
        if parts:
            item = b"".join(parts)  # one alone is handed on, not copied
            parts.clear()
            self.unread += len(item) + ITEM_COST
            if self.discarding:
                self._check_discarded()
            else:
                self._items.append(item)
            self._silent_size = 0
        elif had_head:
            self._silent_size += len(data)
        if not had_head or self._silent_size > HEAD_LIMIT:
            self._check_limits()
        if self._items or self.complete or self.head_done is not had_head:
            waiter = self._waiter
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def lost(self, reason: Exception | None) -> None:
        """Take note that the connection is gone: the end of an answer without length, or a fault."""
        if self.complete or self.error is not None:
            return
        if not self.head_done:
            if reason is None:
                self.fail(NoReply("The provider closed the connection without an answer."))
            else:
                self.fail(httpx.ReadError("The connection broke before an answer came."))
        elif reason is None and self._ends_with_connection():
            self.complete = True
            self.detach()
            self._wake()
        else:
            words = "ended" if reason is None else "broke"
            self.fail(ReplyTruncated(f"The connection {words} in the middle of the answer."))

    def fail(self, error: Exception) -> None:
        """End the exchange with an error, after what is still unread."""
        self.error = error
        self.detach()
        self._wake()

    def detach(self) -> None:
        """Let go of the connection and of the parser, whose callbacks point back here."""
        self._line = None
        self._parser = None

    # For the parser.

    def on_message_begin(self) -> None:
        """Notice a second answer behind the first."""
        if self.complete:
            self.surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are dropped."""
        if not self.head_done:
            self.raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the head, unless it is an interim one (1xx)."""
        parser = self._parser
        if parser is None or self.head_done:
            return
        status = parser.get_status_code()
        if status < 200:
            self.raw_headers.clear()
            return
        self.status = status
        self.http_version = VERSIONS.get(parser.get_http_version(), "")
        self.keep_alive = parser.should_keep_alive()
        self.head_done = True
        if self._without_body:
            # llhttp was not told that this answers a HEAD; whatever follows is not ours to read.
            self._end()
            self.keep_alive = False

    def on_message_complete(self) -> None:
        """Notice the end of the answer, unless it was an interim one."""
        if self.head_done and not self.complete:
            self._end()

    # Inside.

    def _end(self) -> None:
        self.complete = True
        self._own_parts = len(self._parts)

    def _news(self) -> "asyncio.Future[None]":
        """Return what is done when there is something new to look at."""
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _check_discarded(self) -> None:
        if self.unread > DISCARD_LIMIT and not self.complete:
            self.fail(httpx.StreamClosed())

    def _check_limits(self) -> None:
        if self.error is not None:
            return
        if self.head_done and not self.http_version:
            self._refuse("The answer is of an unknown version of HTTP.")
            return
        size = self._head_size
        if self.head_done and size > HEAD_LIMIT:  # the read may have brought some body, too
            size = sum(len(name) + len(value) + 4 for name, value in self.raw_headers)
        if size > HEAD_LIMIT or len(self.raw_headers) > HEADER_COUNT_LIMIT:
            self._refuse("The head of the answer is too large.")
        elif self._silent_size > HEAD_LIMIT and not self.complete:
            self.fail(httpx.RemoteProtocolError("The answer's chunk extensions or trailers are too large."))

    def _refuse(self, words: str) -> None:
        """End the exchange for the sake of its head: nothing that came with it is handed out."""
        self.head_done = self.complete = False
        self._items.clear()
        self.fail(httpx.RemoteProtocolError(words))

    def _ends_with_connection(self) -> bool:
        """Tell whether the answer has neither a length nor chunks (RFC 9112, 6.3)."""
        found = {name.lower(): value.lower() for name, value in self.raw_headers}
        if b"transfer-encoding" in found:
            return not found[b"transfer-encoding"].rstrip().endswith(b"chunked")
        return b"content-length" not in found
