"""Answers that come compressed although plain bytes were asked for: opened piece by piece, as they arrive.

Only what every server falls back to is known here; an answer in another coding stays as it is, and is no answer.
"""

import zlib
from collections.abc import AsyncIterator

import httpx

from proxx.upstream.message import HeaderList, ReplyTruncated, UpstreamResponse

PIECE = 256 * 1024  # bytes of one item: a few compressed bytes may stand for very many
_GONE = frozenset({b"content-encoding", b"content-length"})
_WINDOWS = {b"gzip": zlib.MAX_WBITS | 16, b"x-gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}


def opened(response: UpstreamResponse) -> UpstreamResponse:
    """Return the response with plain bytes, and without the headers that speak of the others."""
    window = _WINDOWS.get(_coding(response.raw_headers))
    if window is None:
        return response
    return UpstreamResponse(
        status=response.status,
        raw_headers=[(name, value) for name, value in response.raw_headers if name.lower() not in _GONE],
        http_version=response.http_version,
        body=_Opened(response, window),
    )


def _coding(headers: HeaderList) -> bytes:
    for name, value in headers:
        if len(name) == 16 and name.lower() == b"content-encoding":
            return value.strip().lower()
    return b""


class _Opened:
    """A body whose items are those of another, decompressed, none larger than `PIECE`."""

    def __init__(self, response: UpstreamResponse, window: int) -> None:
        self._response, self._pieces = response, aiter(response)
        self._opener = zlib.decompressobj(window)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            rest = self._opener.unconsumed_tail
            try:
                piece = self._opener.decompress(rest or await anext(self._pieces), PIECE)
            except StopAsyncIteration:
                if not self._opener.eof:
                    raise ReplyTruncated("The compressed answer ended before it was whole.") from None
                raise
            except zlib.error:
                await self._response.aclose()
                raise httpx.RemoteProtocolError("The compressed answer cannot be opened.") from None
            if piece:
                return piece

    async def aclose(self) -> None:
        await self._response.aclose()

    def abandon(self) -> None:
        self._response.abandon()

    def finish_later(self, seconds: float) -> None:
        self._response.finish_later(seconds)
