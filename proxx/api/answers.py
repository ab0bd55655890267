"""The answers of calls, already in the server's terms: header bytes, body bytes or pieces, and what to do when sent.

They are Django responses by type alone, so that ninja hands them on as they are. Django's header dictionary would
decode and encode every value once more; only the slim handler sends these, and it wants bytes.
"""

from collections.abc import AsyncGenerator, Callable

from django.http.response import HttpResponseBase

Headers = list[tuple[bytes, bytes]]


class CallAnswer(HttpResponseBase):
    """What the answers of calls share; `sent` is to be called when the last byte has been handed over."""

    def __init__(self, status: int, headers: Headers, sent: Callable[[], None]) -> None:
        self.status_code, self.header_bytes, self.sent = status, headers, sent


class WholeAnswer(CallAnswer):
    """A call's whole answer."""

    def __init__(self, body: bytes, *, status: int, headers: Headers, sent: Callable[[], None]) -> None:
        super().__init__(status, headers, sent)
        self.body = body


class StreamedAnswer(CallAnswer):
    """A call's stream: its pieces, what to say in silence, and what to say if the server stops."""

    streaming = True

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        *,
        status: int,
        headers: Headers,
        sent: Callable[[], None],
        heartbeat: bytes,
        cut_short: Callable[[], bytes],
    ) -> None:
        super().__init__(status, headers, sent)
        self.pieces, self.heartbeat, self.cut_short = pieces, heartbeat, cut_short
