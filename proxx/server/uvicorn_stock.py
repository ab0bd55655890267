"""PROXX_DATA_PLANE=stock under uvicorn: its httptools protocol, which by itself takes heads of any size.

Kept: size and number of headers (here), size of bodies and their sum (asgi_limits.py), back-pressure (uvicorn's own).
Not kept: deadlines for slow senders and readers, and the number of connections (docs/operations.md).
"""

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxx.server import refusals
from proxx.server.heads import OLD_NAMES
from proxx.server.refusals import Refusal, Refused


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which by itself takes heads of any size."""

    _in_head = True
    _arrived = _count = _size = 0
    _refusal: Refusal = refusals.MALFORMED

    def data_received(self, data: bytes) -> None:
        """Count what arrives while a head is not complete."""
        if self._in_head:
            self._arrived += len(data)
            if self._arrived > settings.PROXY_HEADER_LIMIT and self._arrived > len(data):
                self._refusal = refusals.HEAD_TOO_LARGE
                self.send_400_response("")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A new head begins."""
        self._in_head, self._arrived, self._count, self._size = True, 0, 0, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count; drop names with an underscore, and trailers."""
        self._count += 1
        self._size += len(name) + len(value) + 4
        name = OLD_NAMES.get(name.lower(), name)
        if self._in_head and b"_" not in name:
            super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Judge the head; raising here makes uvicorn answer by `send_400_response`."""
        self._in_head = False
        if self._count > settings.PROXY_HEADER_COUNT_LIMIT:
            self._refusal = refusals.HEAD_TOO_MANY
        elif self._size > settings.PROXY_HEADER_LIMIT:
            self._refusal = refusals.HEAD_TOO_LARGE
        elif [name for name, _ in self.headers].count(b"host") > 1:
            self._refusal = refusals.BAD_HOST
        elif self.parser.get_http_version() in ("1.1", "1.0"):
            super().on_headers_complete()
            return
        raise Refused(self._refusal)

    def send_400_response(self, msg: str) -> None:
        """Answer in the house's envelope, whatever was wrong."""
        self.transport.write(refusals.answer(self._refusal))
        self.transport.close()
