"""Request bodies that came compressed: decoded once, within the body limit, before anything reads them.

One layer only (security D2): a body of two codings is refused, as is a coding nobody here knows. So is a body that goes
on behind the end of its data: what follows would be lost.
"""

import zlib

import brotli  # type: ignore[import-untyped]
import zstandard

from proxx.gateway.errors import BadRequest, TooLarge, UnsupportedMedia
from proxx.kit.configured import settings

_CHUNK = 256 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def decoded(body: bytes, coding: str) -> bytes:
    """Return the body as its sender meant it.

    Raises `UnsupportedMedia` for an unknown coding or several of them, `BadRequest` for broken data, and `TooLarge` as
    soon as more than PROXY_BODY_LIMIT bytes have come out.
    """
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return body
    decode = _DECODERS.get(coding)
    if decode is None:
        raise UnsupportedMedia(
            f"The content encoding '{coding[:40]}' is not supported. Send zstd, gzip, deflate or br."
        )
    try:
        return decode(body, settings.PROXY_BODY_LIMIT)
    except (zlib.error, zstandard.ZstdError, brotli.error, EOFError):
        raise BadRequest(f"The body is not valid {coding} data.") from None


def _inflate(body: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        found = stream.decompress(body, limit + 1)
    except zlib.error:  # some senders of "deflate" leave zlib's wrapper away
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        found = stream.decompress(body, limit + 1)
    return _whole(found, limit, finished=stream.eof and not stream.unused_data)


def _unzstd(body: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=64 * 1024 * 1024).stream_reader(
        body, read_across_frames=False
    ) as reader:
        parts, size = [], 0
        while size <= limit and (part := reader.read(_CHUNK)):
            parts.append(part)
            size += len(part)
    return _whole(b"".join(parts), limit, finished=size > limit or _is_whole_frame(body))


def _is_whole_frame(body: bytes) -> bool:
    """A frame cut short gives fewer bytes and no error; only a decoder of one go knows. Its output is small by now."""
    stream = zstandard.ZstdDecompressor().decompressobj()
    stream.decompress(body)
    return bool(stream.eof) and not stream.unused_data


def _unbrotli(body: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    found: bytes = stream.process(body, output_buffer_limit=limit + 1)
    while not stream.is_finished() and len(found) <= limit:
        more = stream.process(b"", output_buffer_limit=limit + 1 - len(found))
        if not more:
            break
        found += more
    return _whole(found, limit, finished=stream.is_finished())


def _whole(found: bytes, limit: int, *, finished: bool) -> bytes:
    if len(found) > limit:
        raise TooLarge
    if not finished:
        raise EOFError
    return found


_DECODERS = {
    "gzip": _inflate,
    "x-gzip": _inflate,
    "deflate": _inflate,
    "zstd": _unzstd,
    "br": _unbrotli,
}
