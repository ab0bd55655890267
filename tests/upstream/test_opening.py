"""Compressed answers are opened as they arrive, in bounded pieces, and a broken one is no whole one."""

import gzip
import zlib

import httpx
import pytest

from proxx.upstream.message import HeaderList, ReplyTruncated, UpstreamResponse
from proxx.upstream.opening import PIECE, opened

TEXT = "Blåbær og bringebær. ".encode() * 5000


class Pieces:
    """A body of given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces, self.closed = pieces, False

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)

    async def aclose(self) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.closed = True

    def finish_later(self, seconds: float) -> None:
        self.closed = True


def answer(data: bytes, coding: str, *, size: int = 100) -> UpstreamResponse:
    headers: HeaderList = [(b"Content-Length", b"9"), (b"Content-Encoding", coding.encode()), (b"x-id", b"1")]
    body = Pieces([data[start : start + size] for start in range(0, len(data), size)])
    return opened(UpstreamResponse(status=200, raw_headers=headers, http_version="1.1", body=body))


@pytest.mark.parametrize("size", [1, 100, 10_000])
@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("GZip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_an_answer_is_opened_however_it_is_cut(coding, compress, size) -> None:
    """D139."""
    response = answer(compress(TEXT), coding, size=size)
    assert response.raw_headers == [(b"x-id", b"1")]
    assert await response.read(len(TEXT)) == TEXT


async def test_few_bytes_that_stand_for_many_come_in_pieces() -> None:
    response = answer(gzip.compress(b" " * 20_000_000), "gzip", size=100_000)
    sizes = [len(piece) async for piece in response]
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= PIECE


async def test_half_a_compressed_answer_is_not_a_whole_one() -> None:
    with pytest.raises(ReplyTruncated):
        await answer(gzip.compress(TEXT)[:-20], "gzip").read(len(TEXT))


async def test_what_only_claims_to_be_compressed_is_no_answer() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await answer(b"plain words", "gzip").read(1000)


@pytest.mark.parametrize("coding", ["identity", "zstd", ""])
async def test_other_codings_are_left_alone(coding) -> None:
    response = answer(b"as it is", coding)
    assert (await response.read(100), len(response.raw_headers)) == (b"as it is", 3)
