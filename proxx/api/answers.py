"""The HTTP answers of calls: responses that also know when they are settled and how a stream is kept alive."""

from collections.abc import AsyncGenerator, Callable

from django.http import HttpResponse, StreamingHttpResponse


class WholeAnswer(HttpResponse):
    """A call's whole answer; `sent` is to be called when its last byte has been handed over."""

    sent: Callable[[], None]


class StreamedAnswer(StreamingHttpResponse):
    """A call's stream: its own iterator in `pieces`, what to say in silence, and what to say if the server stops."""

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], *, status: int, content_type: str, heartbeat: bytes, farewell: bytes
    ) -> None:
        super().__init__(pieces, status=status, content_type=content_type)
        self.pieces, self.heartbeat, self.farewell = pieces, heartbeat, farewell
        self.sent: Callable[[], None] = _nothing


def _nothing() -> None:
    """What `sent` does until somebody wants to know."""
